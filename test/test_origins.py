"""How inputs are named and compared; that stages act on it is tested with `provenance`."""

from diffaudio import origins


def test_a_path_is_stored_relative_to_the_output_and_found_again_anywhere(tmp_path, monkeypatch):
    out, source = tmp_path / "exp" / "a", tmp_path / "dump" / "train"
    for folder in (out, source):
        folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    name = origins.stored(out, "dump/train")
    assert name == "../../dump/train"
    monkeypatch.chdir("/")
    assert origins.place(out, name) == source.resolve()
    monkeypatch.chdir(tmp_path)
    assert origins.shown(out, name) == "dump/train"
    assert origins.stored(out, "no file: a digest's name") == "no file: a digest's name"


def test_keys_that_differ_are_named_with_both_values():
    old, new = {"a": 1, "b": "x", "gone": None}, {"a": 2, "b": "x", "fresh": [1]}
    assert origins.other_keys(old, new) == {
        "a": "a: 1 -> 2",
        "fresh": "fresh: absent -> [1]",
        "gone": "gone: null -> absent",
    }
    assert set(origins.other_keys(old, new, usual=lambda key: key == "fresh")) == {"a", "gone"}


def test_inputs_are_compared_by_their_own_name_and_digest(tmp_path):
    same = list(origins.other_inputs(tmp_path, {"../a/x": "1"}, {"../b/x": "1"}))
    assert same == []
    changed = list(origins.other_inputs(tmp_path, {"../a/x": "1"}, {"../a/x": "2"}))
    assert changed == ["input ../a/x changed"]
    less = list(origins.other_inputs(tmp_path, {"../a/x": "1", "y": "3"}, {"../a/x": "1"}))
    assert less == ["input y is not read any more"]


def test_another_folder_of_the_same_name_is_told_from_the_same_one(tmp_path):
    out = tmp_path / "exp"
    for name in ("exp", "a/train", "b/train"):
        (tmp_path / name).mkdir(parents=True)
    held = {origins.stored(out, str(tmp_path / "a/train")): "1"}
    assert list(origins.elsewhere(out, held, {str(tmp_path / "a/train"): "2"})) == []
    ((before, now),) = origins.elsewhere(out, held, {str(tmp_path / "b/train"): "2"})
    assert before.endswith("a/train")
    assert now.endswith("b/train")
