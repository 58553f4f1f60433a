import json
import logging
import os
import shutil
from pathlib import Path

import pytest

from diffaudio import inventory, provenance
from diffaudio.files import digest
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
        inputs = {"in.txt": digest(tmp_path / "in.txt")}
        usual = {"stage": "shard", "version": 1, "keys": KEYS, "inputs": inputs}
        return provenance.begin(tmp_path / "dump", **(usual | changed))

    begin.out = tmp_path / "dump"
    return begin


def require(stage, **keys):
    return provenance.require(stage.out, stage="shard", keys=keys, mend="run stage 2")


def test_second_run_is_up_to_date(stage, said):
    assert stage()
    assert said().endswith("dump: new")
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


def test_a_key_newer_than_the_output_is_no_change_while_it_has_its_default(stage, said):
    stage()
    provenance.finish(stage.out)
    before = (stage.out / provenance.RECORD).read_bytes()
    newer = {"keys": KEYS | {"audio.band": None}, "usual": {"audio.band"}.__contains__}
    assert not stage(**newer)
    assert (stage.out / provenance.RECORD).read_bytes() == before
    wanted = {"stage": "shard", "mend": "", **newer}
    assert provenance.require(stage.out, **wanted) == provenance.fingerprint(stage.out)
    older = newer | {"keys": KEYS | {"audio.band": 4, "audio.rate": 8000}}
    with pytest.raises(Refusal, match=r"built with -> wanted\): audio.rate: 16000 -> 8000$"):
        provenance.require(stage.out, **wanted | older)
    said()
    assert stage(keys=KEYS | {"audio.band": 4}, usual={"audio.rate"}.__contains__)
    assert "audio.band: absent -> 4" in said()


def test_a_key_that_went_is_a_change_whatever_is_usual(stage, said):
    stage()
    provenance.finish(stage.out)
    said()
    assert stage(keys={"audio.rate": 16000, "audio.pair": (1, 2)}, usual=lambda _: True)
    assert "audio.given: null -> absent" in said()


def test_what_a_newer_version_made_is_not_replaced_unasked(stage):
    stage(version=2)
    provenance.finish(stage.out)
    with pytest.raises(Refusal, match="version 2 of the stage shard, newer than the version 1 "):
        stage()
    assert provenance.held_version(stage.out) == 2
    assert stage(force=True)
    assert provenance.held_version(stage.out) == 1


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
        patch.setattr(provenance, "remove", killed)
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
    old = digest(tmp_path / "in.txt")
    (tmp_path / "in.txt").write_text("two")
    new = digest(tmp_path / "in.txt")
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


def test_an_output_that_is_gone_or_cut_is_named_everywhere(stage, said):
    outputs = ("*.tar", "index")
    (stage.out / "index").mkdir(parents=True)
    for name in ("0.tar", "1.tar", "index/ids.npy"):
        (stage.out / name).write_text("whole")
    stage()
    provenance.finish(stage.out, also=outputs)
    assert provenance.state(stage.out) == ("done", "")
    (stage.out / "0.tar").write_text("cut")
    (stage.out / "index/ids.npy").unlink()
    why = f"{stage.out}/0.tar has 3 bytes, not 5; {stage.out}/index/ids.npy is gone"
    assert provenance.state(stage.out) == ("stale", why)
    with pytest.raises(Refusal, match=r"not complete: .*0\.tar has 3 bytes.*ids\.npy is gone"):
        require(stage)
    said()
    assert stage()
    assert why in said()


def test_what_was_told_to_begin_is_taken_down(stage):
    stage(outputs=("*.wav",))
    for number in range(9):
        (stage.out / f"{number}.wav").write_text("x")
    (stage.out / "notes.txt").write_text("mine")
    provenance.finish(stage.out)
    (stage.out / "notes.txt").unlink()
    assert not stage(outputs=("*.wav",))
    for number in range(9):
        (stage.out / f"{number}.wav").unlink()
    assert provenance.state(stage.out)[1].endswith("2.wav is gone and 6 more")
    assert stage(outputs=("*.wav",))


def test_inputs_are_found_from_any_folder_and_after_a_move(tmp_path, monkeypatch):
    recipe = tmp_path / "egs" / "x"
    (recipe / "data").mkdir(parents=True)
    (recipe / "data/in.txt").write_text("one")
    monkeypatch.chdir(recipe)

    def begin(folder):
        path = folder / "data/in.txt"
        inputs = {str(path): digest(path)}
        out = folder / "dump/set"
        return provenance.begin(out, stage="shard", version=1, keys={}, inputs=inputs)

    begin(Path())
    provenance.finish(Path("dump/set"))
    made = provenance.fingerprint(recipe / "dump/set")
    for folder in (tmp_path, Path("/")):
        monkeypatch.chdir(folder)
        assert not begin(recipe)
    moved = recipe.rename(tmp_path / "egs" / "y")
    assert not begin(moved)
    assert provenance.fingerprint(moved / "dump/set") == made
    (moved / "data/in.txt").write_text("two")
    for folder in (tmp_path, Path("/"), moved):
        monkeypatch.chdir(folder)
        assert provenance.state(moved / "dump/set")[0] == "stale"
        with pytest.raises(Refusal, match=r"data/in\.txt"):
            provenance.require(moved / "dump/set", stage="shard", keys={}, mend="")


def chain(tmp_path, names):
    """Make corpus -> data -> dump -> exp; return the folders by name."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.wav").write_text("one")
    inputs = {str(tmp_path / "corpus"): inventory.state(tmp_path / "corpus")}
    for name in names:
        out = tmp_path / name
        provenance.begin(out, stage=name, version=1, keys={}, inputs=inputs)
        provenance.finish(out)
        inputs = {str(out): provenance.fingerprint(out)}


def test_changed_audio_is_seen_by_every_stage_after(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chain(tmp_path, ("data", "dump", "exp"))
    os.utime(tmp_path / "corpus/a.wav", (1, 1))
    for name in ("data", "dump", "exp"):
        assert "input corpus: its files changed" in provenance.state(Path(name))[1]
        with pytest.raises(Refusal, match="input corpus: its files changed"):
            provenance.require(Path(name), stage=name, keys={}, mend="")
    provenance.require(Path("exp"), stage="exp", keys={}, mend="", deep=False)
    shutil.rmtree("corpus")  # to save space
    provenance.require(Path("exp"), stage="exp", keys={}, mend="")


def test_another_folder_of_data_is_refused_with_both_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("dump/mini/train", "dump/copy/train", "dump/synthetic/train"):
        Path(name).mkdir(parents=True)
    old = {"dump/mini/train": "1", "loose": "x"}
    provenance.begin(Path("exp"), stage="train", version=1, keys={}, inputs=old)
    for same in ({"dump/mini/train": "1"}, {"dump/mini/train": "2"}, {"dump/copy/train": "1"}):
        provenance.refuse_other(Path("exp"), same, mend="")
    with pytest.raises(Refusal, match="from dump/mini/train, not from dump/synthetic/train"):
        provenance.refuse_other(Path("exp"), {"dump/synthetic/train": "2"}, mend="--tag")
    provenance.refuse_other(Path("new"), {"dump/synthetic/train": "2"}, mend="")


def test_a_record_that_is_none_is_named(stage):
    stage.out.mkdir()
    for text in ("{}", "[]", "7"):
        (stage.out / provenance.RECORD).write_text(text)
        with pytest.raises(Refusal, match=r"\.stage\.json: is not the record of a stage") as caught:
            stage()
        assert "remove it" in caught.value.mend
        assert provenance.state(stage.out)[0] == "damaged"
