import json
import logging

import pytest

from diffaudio import provenance
from diffaudio.log import Refusal, log

KEYS = {"audio.rate": 16000, "audio.pair": (1, 2), "audio.given": None}


@pytest.fixture
def said(caplog, monkeypatch):
    """Return what was logged since the last look."""
    monkeypatch.setattr(log, "propagate", True)
    caplog.set_level(logging.INFO)

    def look():
        text = " | ".join(caplog.messages)
        caplog.clear()
        return text

    return look


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """Return begin for a stage that reads in.txt and writes dump/."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("one")

    def begin(**changed):
        inputs = {"in.txt": provenance.digest(tmp_path / "in.txt")}
        usual = {"stage": "shard", "version": 1, "keys": KEYS, "inputs": inputs}
        return provenance.begin(tmp_path / "dump", **(usual | changed))

    begin.out = tmp_path / "dump"
    return begin


def require(stage, **keys):
    return provenance.require(stage.out, stage="shard", keys=keys, mend="run stage 2")


def test_second_run_is_up_to_date(stage, said):
    assert stage()
    assert "missing" in said()
    provenance.finish(stage.out)
    assert not stage()
    assert "up to date" in said()
    assert provenance.state(stage.out) == ("done", "")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"keys": KEYS | {"audio.rate": 22050}}, "audio.rate: 16000 -> 22050"),
        ({"keys": KEYS | {"audio.given": "noisy"}}, 'audio.given: null -> "noisy"'),
        ({"keys": KEYS | {"shard.size": 5}}, "shard.size: absent -> 5"),
        ({"keys": {"audio.rate": 16000}}, "audio.pair: [1, 2] -> absent"),
        ({"inputs": {"in.txt": "other"}}, "input in.txt changed"),
        ({"version": 2}, "format version of shard: 1 -> 2"),
        ({"force": True}, "--force"),
    ],
)
def test_a_change_rebuilds_and_is_named(stage, said, changed, reason):
    stage()
    provenance.finish(stage.out)
    said()
    assert stage(**changed)
    assert reason in said()
    assert provenance.state(stage.out)[0] == "unfinished"


def test_an_interrupted_stage_continues_and_keeps_its_output(stage, said):
    stage(outputs=("*.tar",))
    (stage.out / "0.tar").write_text("half")
    assert stage(outputs=("*.tar",))
    assert "interrupted" in said()
    assert (stage.out / "0.tar").exists()


def test_output_made_from_something_else_is_removed(stage):
    stage(outputs=("*.tar", "index"))
    (stage.out / "0.tar").write_text("old")
    (stage.out / "index").mkdir()
    (stage.out / "index" / "rows").write_text("old")
    (stage.out / "notes.txt").write_text("mine")
    stage(version=2, outputs=("*.tar", "index"))
    assert sorted(path.name for path in stage.out.iterdir()) == [".stage.json", "notes.txt"]


def test_a_kill_while_clearing_leaves_nothing_that_counts_as_new(stage, monkeypatch):
    stage(outputs=("*.tar",))
    (stage.out / "0.tar").write_text("old")
    provenance.finish(stage.out)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(provenance, "_remove", killed)
        with pytest.raises(KeyboardInterrupt):
            stage(version=2, outputs=("*.tar",))
    assert provenance.state(stage.out)[0] == "unfinished"
    assert stage(version=2, outputs=("*.tar",))
    assert not (stage.out / "0.tar").exists()


def test_another_stage_may_not_write_into_the_folder(stage):
    stage()
    with pytest.raises(Refusal, match="holds the output of the stage shard, not of train"):
        stage(stage="train")


def test_a_later_stage_gets_the_fingerprint_of_what_it_reads(stage):
    stage()
    provenance.finish(stage.out)
    first = require(stage, **{"audio.rate": 16000, "audio.pair": [1, 2]})
    assert first == provenance.fingerprint(stage.out)
    stage(force=True)
    provenance.finish(stage.out)
    assert require(stage) == first  # the time and the commit do not count
    stage(version=2)
    provenance.finish(stage.out)
    assert require(stage) != first


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"audio.rate": 22050}, "audio.rate: 16000 -> 22050"),
        ({"shard.size": 5}, "shard.size: absent -> 5"),
    ],
)
def test_stale_input_is_refused_with_old_and_new_value(stage, keys, reason):
    stage()
    provenance.finish(stage.out)
    with pytest.raises(Refusal, match=reason) as caught:
        require(stage, **keys)
    assert str(stage.out) in caught.value.message
    assert caught.value.mend == "run stage 2"


def test_missing_and_unfinished_input_is_refused(stage):
    with pytest.raises(Refusal, match="shard has not been run"):
        require(stage)
    stage()
    with pytest.raises(Refusal, match="shard was interrupted"):
        require(stage)
    assert provenance.fingerprint(stage.out) == ""


def test_input_whose_own_input_changed_is_stale(stage, tmp_path):
    stage()
    provenance.finish(stage.out)
    old = provenance.digest(tmp_path / "in.txt")
    (tmp_path / "in.txt").write_text("two")
    new = provenance.digest(tmp_path / "in.txt")
    with pytest.raises(Refusal, match=f"input in.txt: {old[:12]} -> {new[:12]}"):
        require(stage)
    assert provenance.state(stage.out)[0] == "stale"
    (tmp_path / "in.txt").unlink()  # what was deleted to save space is not a change
    require(stage)


def test_a_chain_of_folders_is_followed_one_step(stage, tmp_path):
    stage()
    provenance.finish(stage.out)
    exp = tmp_path / "exp"
    told = {"stage": "train", "version": 1, "keys": {}, "inputs": {"dump": require(stage)}}
    provenance.begin(exp, **told)
    provenance.finish(exp)
    assert provenance.state(exp)[0] == "done"
    stage(version=2)
    assert "input dump" in provenance.state(exp)[1]
    assert "unfinished" in provenance.state(exp)[1]


def test_the_commit_is_recorded_but_never_compared(stage):
    stage()
    provenance.finish(stage.out)
    path = stage.out / provenance.RECORD
    record = json.loads(path.read_text())
    assert record["commit"]
    path.write_text(json.dumps(record | {"commit": "another"}))
    assert not stage()
