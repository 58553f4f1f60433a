"""Whether there is anything to train; what a changed corpus or setting does, see test/bin."""

from types import SimpleNamespace

import pytest

from diffaudio import provenance
from diffaudio.log import Refusal
from diffaudio.train import begin
from diffaudio.train.checkpoint import Checkpoints

KEYS = {"model.net": "UNet2d", "train.steps": 10, "train.log_every": 5}


@pytest.fixture
def job(tmp_path):
    return SimpleNamespace(
        exp=tmp_path / "exp",
        checkpoints=lambda: Checkpoints(tmp_path / "exp", keep=1, fingerprint={}),
        usual=lambda key: False,
        spec=SimpleNamespace(init_from=None),
    )


def test_what_is_finished_is_not_trained_again_whatever_is_only_shown(job):
    assert begin.begin(job, KEYS, {}, force=False)
    begin.finish(job)
    assert not begin.begin(job, {**KEYS, "train.log_every": 7, "train.workers": 3}, {}, force=False)
    assert begin.begin(job, KEYS, {}, force=True)


def test_a_refusal_to_train_anew_leaves_the_checkpoints_where_they_are(job):
    assert begin.begin(job, KEYS, {}, force=False)
    held = job.exp / "checkpoints/step_00000001"
    held.mkdir(parents=True)
    (held / "state.json").write_text("{}")
    (job.exp / provenance.RECORD).write_text("cut off")
    with pytest.raises(Refusal):
        begin.begin(job, KEYS, {}, force=True)
    assert held.is_dir()


def test_what_is_trained_anew_is_put_aside_and_no_later_stage_needs_more_than_before(job):
    assert begin.begin(job, KEYS, {}, force=False)
    held = job.exp / "checkpoints/step_00000001"
    held.mkdir(parents=True)
    (held / "state.json").write_text("{}")
    (job.exp / "log.jsonl").write_text("{}")
    begin.finish(job)
    assert begin.begin(job, KEYS, {}, force=True)
    assert not held.exists()
    assert not (job.exp / "log.jsonl").exists()
    assert (job.exp / ".replaced_checkpoints" / held.name).is_dir()
    for name in ("model.safetensors", "optimizer.safetensors"):
        held.mkdir(parents=True, exist_ok=True)
        (held / name).write_text("x")
    begin.finish(job)
    (held / "optimizer.safetensors").unlink()
    assert not begin.begin(job, KEYS, {}, force=False)


def test_what_an_older_version_finished_stays_and_what_it_began_is_refused(job, monkeypatch):
    monkeypatch.setattr(begin, "VERSION", 1)
    assert begin.begin(job, KEYS, {}, force=False)
    monkeypatch.undo()
    with pytest.raises(Refusal, match="begun by version 1 of training.*interrupted"):
        begin.begin(job, KEYS, {}, force=False)
    provenance.finish(job.exp)
    assert not begin.begin(job, KEYS, {}, force=False)
    with pytest.raises(Refusal, match="train.steps: 10 -> 20"):
        begin.begin(job, {**KEYS, "train.steps": 20}, {}, force=False)
