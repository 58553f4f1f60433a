import json
import resource

import pytest

from diffaudio.log import Refusal
from diffaudio.train.job import Scores
from diffaudio.train.monitor import Log, Monitor, status
from diffaudio.train.progress import Progress


def row(step, **more):
    base = {"step": step, "loss": 0.1 * step, "lr": 1e-3, "grad_norm": 1.0}
    return {**base, "audio": 8.0, "seconds": 2.0, "waited": 0.5, **more}


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path):
    log = Log(tmp_path / "log.jsonl", 0)
    log.write({"step": 1, "loss": 0.1 + 0.2})
    size = log.sync()
    log.write({"step": 2})
    log.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')
    log = Log(tmp_path / "log.jsonl", size)
    assert log.sync() == size
    log.write({"step": 2})
    assert log.sync() == (tmp_path / "log.jsonl").stat().st_size
    log.close()
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [{"step": 1, "loss": 0.1 + 0.2}, {"step": 2}]


def test_a_log_that_lost_rows_is_named_and_goes_on(tmp_path, caplog):
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n')
    log = Log(tmp_path / "log.jsonl", 500)
    log.write({"step": 2})
    log.close()
    assert "shorter" in caplog.text
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2


def test_a_value_that_json_cannot_hold_is_an_error(tmp_path):
    log = Log(tmp_path / "log.jsonl", 0)
    with pytest.raises(ValueError, match="JSON"):
        log.write({"loss": float("nan")})
    log.close()


def test_a_full_disk_is_said_in_one_sentence(tmp_path):
    log, limits = Log(tmp_path / "log.jsonl", 0), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(Refusal, match=r"log\.jsonl: could not be written \(File too large\)"):
            log.write({"step": 1, "loss": 0.123456789})
        log.close()  # what it still holds is refused again, and told once
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_progress_line_sums_up_the_steps_since_the_last(tmp_path, caplog):
    with (
        caplog.at_level("INFO", "diffaudio"),
        Monitor(tmp_path, steps=9, step=2, every=3, log_bytes=0) as monitor,
    ):
        for step in (3, 4, 5):
            monitor.step(row(step))
        monitor.step(row(6, loss=None, grad_norm=None, skipped=["a"]))
    (first, second) = [line for line in caplog.messages if line.startswith("step")]
    assert first.startswith("step 3 of 9")
    assert "loss 0.3," in first
    assert second.startswith("step 6 of 9")
    assert "loss 0.45," in second
    assert "4 x real time, 25 % waiting for data" in second


def test_steps_without_a_loss_have_no_mean(tmp_path, caplog):
    with (
        caplog.at_level("INFO", "diffaudio"),
        Monitor(tmp_path, steps=9, step=0, every=1, log_bytes=0) as monitor,
    ):
        monitor.step(row(1, loss=None, grad_norm=None, skipped=["a"]))
    assert "loss" not in caplog.messages[-1]


def test_curves_hold_what_was_shown_and_resume_where_they_were(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for first in (0, 2):  # the second run starts from step 2, the first went on to 4
        with Monitor(tmp_path, steps=9, step=first, every=1, log_bytes=0) as monitor:
            for step in range(first + 1, 5):
                monitor.step(row(step, loss=float(step + 10 * first)))
            monitor.validated(4, Scores({"PESQ": 1.0 + first}, {"PESQ": 2}))
    found = events.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in found.Scalars("train/loss")] == [
        (1, 1.0),
        (2, 2.0),
        (3, 23.0),
        (4, 24.0),
    ]
    assert [e.value for e in found.Scalars("valid/PESQ")] == [3.0]


def test_status_tells_how_it_stands(tmp_path):
    def now():
        return json.loads((tmp_path / "status.json").read_text())

    progress = Progress(step=3)
    with status(tmp_path, progress) as ending:
        assert (now()["state"], now()["step"]) == ("running", 3)
        progress.step = 5
        ending |= {"state": "done", "reason": ""}
    assert now() == {"state": "done", "step": 5, "reason": ""}
    with pytest.raises(Refusal), status(tmp_path, progress):
        raise Refusal("the disk is full")
    assert now() == {"state": "failed", "step": 5, "reason": "Refusal: the disk is full"}
