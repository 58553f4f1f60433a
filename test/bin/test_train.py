"""The command on real parts; the loop itself is tested in test/train."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from diffaudio import provenance, weights
from diffaudio.bin import main as cli
from diffaudio.bin import train as verb
from diffaudio.files import read_json, write_json
from diffaudio.train import validate
from diffaudio.train.begin import _KEPT, VERSION
from diffaudio.train.checkpoint import _digest

TRAIN = """
train:
  steps: 5
  warmup: 0
  decay: 1.0
  global_batch: 2
  max_per_device: 1
  crop_seconds: null
  ema: 3.0
  threads: 1
  workers: 0
  precision: fp32
  valid_every: 3
  valid_items: 2
  save_every: 3
  log_every: 1
  remix: {gain_db: [-3.0, 3.0], swap: 0.5}
"""


@pytest.fixture
def train(tiny_dump, tiny_exp, tmp_path, monkeypatch):
    """Return a function that runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text((tiny_exp / "config.yaml").read_text() + TRAIN)
    sets = ["--train_set", "test", "--valid_set", "test"]
    base = ["train", "--config", "x.yaml", "--dump", str(tiny_dump / "dump"), *sets]
    return lambda *more, exp="exp": cli.main([*base, "--exp", exp, *map(str, more)])


def same(one, other):
    return all(
        torch.equal(tensor, load_file(other / path.name)[name])
        for path in one.glob("*.safetensors")
        for name, tensor in load_file(path).items()
    )


def test_trains_then_is_up_to_date_and_can_be_loaded(train, loaded, tmp_path, capsys):
    assert train() == 0
    exp = tmp_path / "exp"
    rows = [json.loads(line) for line in (exp / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4, 5]
    valid = {f"step_{row['step']:08d}": row["valid"] for row in rows if "valid" in row}
    assert [*valid] == ["step_00000003", "step_00000005"]
    best = max(valid, key=lambda name: valid[name]["SI-SDR"])
    held = read_json(exp / "best.json")
    assert len(held.pop("protocol")) == 16
    assert held == {"checkpoint": best, **valid[best]}
    assert "PESQ" not in valid[best]  # 8 kHz
    assert read_json(exp / "status.json")["state"] == "done"
    said = capsys.readouterr().err
    assert "6 utterances" in said
    assert "global 2 = 1 per device x 1 devices x 2 accumulations" in said
    assert loaded(exp).about["checkpoint"] == best
    before = (exp / "log.jsonl").read_bytes()
    assert train("--train.log_every", 2) == 0
    assert "exp: up to date" in capsys.readouterr().err
    assert (exp / "log.jsonl").read_bytes() == before


def test_the_best_is_chosen_on_the_validation_set(train, tiny_dump, tmp_path, monkeypatch):
    for split in ("some", "other"):
        shutil.copytree(tiny_dump / "dump/test", tmp_path / "dump" / split)
    read, scored = [], []
    loader, batches = verb.train_loader, validate.eval_batches
    monkeypatch.setattr(
        verb, "train_loader", lambda index, *a, **k: read.append(index) or loader(index, *a, **k)
    )
    monkeypatch.setattr(
        validate, "eval_batches", lambda i, *a, **k: scored.append(i) or batches(i, *a, **k)
    )
    words = ("--dump", "dump", "--train_set", "some", "--valid_set", "other")
    assert train(*words, "--train.steps", 1) == 0
    assert {index.folder.name for index in read} == {"some"}
    assert {index.folder.name for index in scored} == {"other"}


def test_goes_on_where_it_was_in_the_middle_of_an_epoch(train, tmp_path):
    assert train("--train.steps", 2, exp="cut") == 0
    assert train(exp="cut") == 0
    assert train(exp="whole") == 0
    folders = [weights.find(tmp_path / exp, "last") for exp in ("cut", "whole")]
    assert folders[0].name == folders[1].name == "step_00000005"
    assert same(*folders)


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ((), True),
        (("--decode.threads", 2, "--decode.checkpoint", "last"), True),
        (("--decode.sampler.calls", 1), False),
        (("--decode.seed", 1), False),
        (("--decode.precision", "bf16"), False),
        (("--train.valid_items", 3), False),
    ],
)
def test_the_best_so_far_counts_if_it_was_scored_alike(train, capsys, tmp_path, options, counts):
    assert train("--train.steps", 1) == 0
    assert train("--train.steps", 2, *options) == 0
    assert ("the best so far, step_00000001, does not count" in capsys.readouterr().err) != counts


def test_another_setting_is_refused_with_both_values_and_force_starts_anew(train, tmp_path, capsys):
    assert train("--train.steps", 2) == 0
    first = weights.find(tmp_path / "exp", "last")
    assert train("--train.steps", 2, "--train.lr", 1e-3) == 1
    said = capsys.readouterr().err
    assert "train.lr: 0.0005 -> 0.001" in said
    assert "mend:" in said
    assert first.is_dir()
    assert train("--train.steps", 3, "--train.lr", 1e-3, "--force") == 0
    assert not first.is_dir()
    rows = [json.loads(line) for line in (tmp_path / "exp/log.jsonl").read_text().splitlines()]
    assert [row["lr"] for row in rows if "lr" in row] == [1e-3] * 3


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--force", "--train.init_from", "exp_typo"), "exp_typo"),
        (("--force", "--train.init_from", "exp"), "which --force empties"),
        (
            (
                "--force",
                "--train.global_batch",
                "3",
                "--cpu_ranks",
                "1",
                "--train.crop_seconds",
                "0",
            ),
            "",
        ),
        (("--train.steps", "2"), "past train.steps 2"),
    ],
)
def test_a_refusal_leaves_a_finished_model_as_it_was(train, tmp_path, capsys, options, reason):
    assert train() == 0
    exp = tmp_path / "exp"

    def held():
        files = sorted(path for path in exp.rglob("*") if path.is_file() and path.name != ".lock")
        return {path: path.read_bytes() for path in files}

    before = held()
    assert train(*options) == 1
    assert reason in capsys.readouterr().err
    assert held() == before


def test_a_finished_run_from_before_a_key_was_there_is_up_to_date(train, tmp_path, capsys):
    assert train("--train.steps", 2) == 0
    record = read_json(tmp_path / "exp/.stage.json")
    del record["keys"]["train.clip"], record["keys"]["model.objective.weight"]
    checkpoint = weights.find(tmp_path / "exp", "last") / weights.STATE
    state = read_json(checkpoint)
    del state["digest"]
    for key in ("train.clip", "model.objective.weight"):
        del state["fingerprint"][key]
    write_json(checkpoint, {**state, "digest": _digest(state)})
    write_json(tmp_path / "exp/.stage.json", record)
    provenance.finish(tmp_path / "exp", also=_KEPT)
    kept = [tmp_path / "exp" / name for name in ("config.yaml", ".stage.json")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in kept]
    capsys.readouterr()
    assert train("--train.steps", 2) == 0
    assert "exp: up to date" in capsys.readouterr().err
    assert before == [(path.read_bytes(), path.stat().st_mtime_ns) for path in kept]
    assert train("--train.steps", 2, "--train.clip", 0.5) == 1
    assert "train.clip: absent -> 0.5" in capsys.readouterr().err
    assert train("--train.steps", 3) == 0  # goes on


def test_what_another_version_trained_is_kept_and_not_gone_on_with(train, tmp_path, capsys):
    assert train("--train.steps", 1) == 0
    kept = [tmp_path / "exp" / name for name in ("config.yaml", ".stage.json")]

    def made_by(version):
        write_json(kept[1], {**read_json(kept[1]), "version": version})
        capsys.readouterr()
        return [path.read_bytes() for path in kept]

    before = made_by(VERSION - 1)
    assert train("--train.steps", 1) == 0
    assert f"up to date, as version {VERSION - 1} trained it" in capsys.readouterr().err
    assert train("--train.steps", 2) == 1
    assert "not finished as asked: train.steps: 1 -> 2" in capsys.readouterr().err
    assert [path.read_bytes() for path in kept] == before
    before = made_by(VERSION + 1)
    assert train("--train.steps", 1) == 1
    assert "newer than the version" in capsys.readouterr().err
    assert [path.read_bytes() for path in kept] == before
    assert train("--train.steps", 1, "--force") == 0
    assert read_json(kept[1])["version"] == VERSION


def test_a_second_run_in_the_same_experiment_is_refused(train, tmp_path, capsys):
    (tmp_path / "exp").mkdir()
    with (tmp_path / "exp/.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("process 4711 on gpu07")
        held.flush()
        assert train() == 73
    assert "exp: in use by another run (process 4711 on gpu07)" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "exp").iterdir()) == [".lock"]


def test_stale_shards_are_refused_with_both_values(train, tmp_path, capsys):
    assert train("--audio.rate", 16000) == 1
    assert "audio.rate: 8000 -> 16000" in capsys.readouterr().err
    assert not (tmp_path / "exp").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--train.valid_metric", "PESQ"), "(it needs 16000 Hz, audio.rate is 8000)"),
        (("--train.stps", "5"), "train.stps: no such option"),
        (("--train.global_batch", "0"), "global_batch: 0 is not a number from 1 on"),
        (("--train.init_from", "nowhere"), "nowhere: no checkpoint"),
        (("--num_nodes", "2"), "--num_nodes 2: this process is not part of a job"),
        (("--ngpu", "99"), "--ngpu 99: this machine has"),
        (("--valid_set", "dev"), "dump: has no split dev; there are: test"),
        (("--valid_set", "dev"), "give --valid_set test; train.valid_every 0 does without"),
        (("--train_set", "dev"), "give --train_set test\n"),
    ],
)
def test_what_cannot_be_is_refused_in_one_block(train, capsys, options, message, monkeypatch):
    monkeypatch.setenv("RANK", "0") if "--ngpu" in options else None
    assert train(*options) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_a_rate_that_does_not_fit_is_not_mended_by_an_installation(train, capsys):
    pytest.importorskip("pesq")
    assert train("--train.valid_metric", "PESQ") == 1
    said = capsys.readouterr().err
    assert "mend: choose SI-SDR or loss, or set audio.rate 16000\n" in said


def test_starts_from_the_weights_of_another(train, tiny_exp, tmp_path, capsys):
    assert train("--train.init_from", tiny_exp, "--train.lr", 0, "--train.steps", 1) == 0
    assert "starting from the averaged weights" in capsys.readouterr().err
    held = weights.read_weights(weights.find(tmp_path / "exp", "last"), ema=False)
    for name, tensor in weights.read_weights(weights.find(tiny_exp, "best"), ema=True).items():
        assert torch.equal(held[name], tensor)


def test_the_job_file_starts_this_very_run_without_force(train, capsys, tmp_path):
    assert train("--num_nodes", 2, "--ngpu", 4, "--print_sbatch", "--force") == 0
    text = capsys.readouterr().out
    (line,) = [line for line in text.splitlines() if line.startswith("srun")]
    assert f"{sys.executable} -m diffaudio train --config x.yaml" in line
    assert line.endswith("--exp exp --num_nodes 2 --ngpu 4")
    assert "#SBATCH --nodes=2" in text
    assert not (tmp_path / "exp").exists()


@pytest.mark.slow
def test_two_ranks_with_workers_train_what_one_trains(train, tmp_path):
    assert train("--cpu_ranks", 2, "--train.workers", 1, exp="two") == 0
    assert train(exp="one") == 0
    rows = [
        [json.loads(line) for line in (tmp_path / exp / "log.jsonl").open()]
        for exp in ("two", "one")
    ]
    losses = [[row["loss"] for row in held if "loss" in row] for held in rows]
    assert len(losses[0]) == 5
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_a_signal_to_the_whole_job_saves_and_ends_with_75(train, tiny_dump, tmp_path):
    """Batch systems signal every process: the loader's workers must not take the run down."""
    sets = ["--train_set", "test", "--valid_set", "test"]
    data = ["--config", "x.yaml", "--dump", str(tiny_dump / "dump"), *sets, "--exp", "exp"]
    long = ["--train.workers", "1", "--train.steps", "100000", "--train.valid_every", "0"]
    command = [sys.executable, "-m", "diffaudio", "train", *data, *long]
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True) as run:
        log = tmp_path / "exp/log.jsonl"
        until = time.monotonic() + 60
        while not (log.is_file() and log.read_text().count("\n") > 2):
            assert time.monotonic() < until
            time.sleep(0.1)
        os.killpg(run.pid, signal.SIGTERM)
        assert run.wait(60) == 75
    assert read_json(tmp_path / "exp/status.json")["state"] == "interrupted"


def test_another_corpus_under_the_same_name_is_refused(train, tiny_dump, tmp_path, capsys):
    assert train() == 0
    shutil.copytree(tiny_dump / "dump", tmp_path / "synthetic")
    record = read_json(tmp_path / "synthetic/test/.stage.json")
    write_json(tmp_path / "synthetic/test/.stage.json", {**record, "version": 0})
    assert train("--dump", "synthetic") == 1
    said = capsys.readouterr().err
    assert f"was made from {tiny_dump}/dump/test, not from synthetic/test" in said
    assert "--tag or --exp" in said


@pytest.fixture
def no_local():
    """Forget the package `local` before and after: another test has another one."""

    def forget():
        for name in [name for name in sys.modules if name.split(".")[0] == "local"]:
            del sys.modules[name]

    forget()
    yield
    forget()


def test_a_network_of_the_recipe_is_an_input(train, tmp_path, no_local, capsys):
    (tmp_path / "local").mkdir()
    path = tmp_path / "local/own_nets.py"
    path.write_text(
        "from diffaudio.nets import BandTransformer\n\nclass Own(BandTransformer):\n    pass\n"
    )
    config = tmp_path / "x.yaml"
    config.write_text(
        config.read_text().replace("diffaudio.nets.BandTransformer", "local.own_nets.Own")
    )
    assert train() == 0
    assert provenance.state(tmp_path / "exp") == ("done", "")
    path.write_text(path.read_text() + "# changed\n")
    assert "input local/own_nets.py" in provenance.state(tmp_path / "exp")[1]
    assert train() == 1  # what was trained with another network is not called done
    assert "code: " in capsys.readouterr().err
    assert "input local/own_nets.py" in provenance.state(tmp_path / "exp")[1]
