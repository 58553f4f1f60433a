"""Whether there is anything to train; what a changed corpus or setting does, see test/bin."""

from types import SimpleNamespace

import pytest

from diffaudio import provenance
from diffaudio.log import Refusal
from diffaudio.train import begin

KEYS = {"model.net": "UNet2d", "train.steps": 10, "train.log_every": 5}


@pytest.fixture
def job(tmp_path):
    return SimpleNamespace(
        exp=tmp_path / "exp",
        checkpoints=lambda: SimpleNamespace(check=lambda: None, newest=lambda: None),
        usual=lambda key: False,
        spec=SimpleNamespace(init_from=None),
    )


def test_what_is_finished_is_not_trained_again_whatever_is_only_shown(job):
    assert begin.begin(job, KEYS, {}, force=False)
    begin.finish(job)
    assert not begin.begin(job, {**KEYS, "train.log_every": 7, "train.workers": 3}, {}, force=False)
    assert begin.begin(job, KEYS, {}, force=True)


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
