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
