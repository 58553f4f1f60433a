import pytest

from diffaudio import provenance
from diffaudio.bin import status
from diffaudio.files import digest
from diffaudio.log import Refusal


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Return a folder with a finished, a stale and an unfinished stage."""
    monkeypatch.chdir(tmp_path)
    for name in ("done", "stale", "unfinished"):
        (tmp_path / f"{name}.txt").write_text("one")
        out = tmp_path / "dump" / name
        inputs = {f"{name}.txt": digest(tmp_path / f"{name}.txt")}
        provenance.begin(out, stage="shard", version=1, keys={}, inputs=inputs)
        (out / "0.tar").write_bytes(bytes(1_500_000))
        if name != "unfinished":
            provenance.finish(out)
    (tmp_path / "stale.txt").write_text("two")
    return tmp_path


def test_every_folder_has_a_row_with_state_and_size(recipe, capsys):
    assert status.main(["dump", "exp"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    cells = {row.split()[0]: row for row in rows}
    assert head.split() == ["folder", "stage", "state", "size", "when"]
    assert list(cells) == ["dump/done", "dump/stale", "dump/unfinished", "exp"]
    for name in ("done", "stale", "unfinished"):
        assert f"shard  {name}" in cells[f"dump/{name}"]
        assert "1.5 MB" in cells[f"dump/{name}"]
    assert "input stale.txt" in cells["dump/stale"]
    assert cells["exp"].split() == ["exp", "missing"]


def test_a_corpus_that_no_stage_made_is_there(recipe, capsys):
    (recipe / "own").mkdir()
    assert status.main(["0=own", "0=nowhere"]) == 0
    _, own, nowhere = capsys.readouterr().out.splitlines()
    assert own.split()[:4] == ["own", "0", "corpus", "there"]
    assert nowhere.split() == ["nowhere", "0", "corpus", "missing"]


def test_what_is_gone_or_no_record_is_said_in_its_row(recipe, capsys):
    out = recipe / "dump/done"
    provenance.finish(out, also=("*.tar",))
    (out / "0.tar").unlink()
    (recipe / "dump/stale/.stage.json").write_text("{}")
    assert status.main(["dump"]) == 0
    rows = {row.split()[0]: row for row in capsys.readouterr().out.splitlines()}
    assert "0.tar is gone" in rows["dump/done"]
    assert "damaged" in rows["dump/stale"]
    assert "is not the record of a stage" in rows["dump/stale"]


@pytest.fixture
def configured(recipe, tiny_exp):
    """Return a function that asks under a configuration for what was made with seed 0, 8 kHz."""
    text = (tiny_exp / "config.yaml").read_text() + "train: {steps: 5}\n"
    (recipe / "x.yaml").write_text(text)
    made = {
        "data": ("manifest", {"audio.rate": 8000, "limit": 0}),
        "exp": ("train", {"audio.rate": 8000, "train.seed": 0, "train.remix": None}),
        "exp/decode/a/test": ("decode", {"audio.rate": 8000, "decode.seed": 0}),
        "exp/decode/b/test": ("decode", {"audio.rate": 8000, "decode.seed": 1}),
    }
    for folder, (stage, keys) in made.items():
        provenance.begin(recipe / folder, stage=stage, version=1, keys=keys, inputs={})
        provenance.finish(recipe / folder)

    def ask(capsys, *words):
        folders = ["1=data", "2=shards", "4=exp", "5=exp/decode/a", "6=exp/score/a"]
        assert status.main([*folders, "--config", "x.yaml", *words]) == 0
        rows = capsys.readouterr().out.splitlines()[1:]
        return {row.split()[0]: row for row in rows}

    return ask


def test_a_configuration_makes_what_was_made_with_another_stale(configured, capsys):
    rows = configured(capsys)
    assert {row.split()[3] for row in rows.values()} == {"done", "missing"}
    rows = configured(capsys, "--train.seed", "1", "--train.log_every", "9")
    assert rows["exp"].split()[1:4] == ["4", "train", "stale"]
    assert rows["exp"].endswith("  train.seed: 0 -> 1")
    assert rows["data"].split()[1:4] == ["1", "manifest", "done"]
    assert rows["exp/decode/a/test"].split()[1:4] == ["5", "decode", "done"]
    rows = configured(capsys, "--audio.rate", "16000", "--train.remix.swap", "0.5")
    assert rows["data"].endswith("  audio.rate: 8000 -> 16000")
    assert "train.remix: null -> absent; audio.rate: 8000 -> 16000" in rows["exp"]


def test_another_way_to_decode_is_not_held_against_the_configuration(configured, capsys):
    rows = configured(capsys, "--decode.seed", "1")
    assert rows["exp/decode/a/test"].endswith("  decode.seed: 0 -> 1")
    assert rows["exp/decode/b/test"].split()[3] == "done"
    rows = configured(capsys, "--decode.seed", "7")
    assert rows["exp/decode/b/test"].split()[3] == "done"


def test_every_row_names_its_stage_and_comes_once(configured, capsys):
    rows = configured(capsys)
    assert [*rows] == [
        "data",
        "shards",
        "exp",
        "exp/decode/b/test",
        "exp/decode/a/test",
        "exp/score/a",
    ]
    assert rows["shards"].split()[1:] == ["2", "shard", "missing"]
    assert rows["exp/score/a"].split()[1:] == ["6", "score", "missing"]


def test_a_configuration_that_is_wrong_is_refused(configured, capsys):
    with pytest.raises(Refusal, match=r"train\.sead: no such option"):
        configured(capsys, "--train.sead", "1")


def test_what_was_interrupted_says_what_differs(recipe, capsys):
    provenance.begin(recipe / "exp", stage="train", version=1, keys={"train.lr": 1}, inputs={})
    asked = {"train.lr": 2, "train.new": 1}
    assert provenance.state(recipe / "exp", keys=asked) == ("unfinished", "train.lr: 1 -> 2")
    assert provenance.state(recipe / "exp", keys=asked, stage="score") == ("unfinished", "")


def test_a_folder_is_needed(capsys):
    with pytest.raises(Refusal, match="folders"):
        status.main([])


def test_sizes_read_like_sizes():
    assert [status._size(n) for n in (0, 999, 1000, 3_140_000_000)] == [
        "0 B",
        "999 B",
        "1 kB",
        "3.14 GB",
    ]
