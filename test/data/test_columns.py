import json
import shutil

import numpy as np
import pytest

from diffaudio.data import columns
from diffaudio.data.columns import About
from diffaudio.data.shards import ShardError
from diffaudio.log import Refusal

HELD = {
    "ids": np.frombuffer(b"abc", np.uint8),
    "ends": np.array([1, 3], np.uint32),
    "samples": np.array([5, 7], np.uint32),
    "fields": np.arange(12, dtype=np.uint32).reshape(2, 2, 3),
}
ABOUT = About(rate=8000, fields=["json", "x.flac"], shards=[("0.tar", 1, 2, "sha")])


@pytest.fixture
def saved(tmp_path):
    columns.save(tmp_path / "index", ABOUT, HELD)
    return tmp_path / "index"


def test_round_trip(saved):
    about, found = columns.load(saved)
    assert (about.rate, about.fields) == (ABOUT.rate, ABOUT.fields)
    assert [tuple(shard) for shard in about.shards] == ABOUT.shards
    for name in columns.NAMES:
        assert found[name].dtype == HELD[name].dtype
        np.testing.assert_array_equal(found[name], HELD[name])


def test_columns_stay_on_the_disk(saved):
    _, found = columns.load(saved)
    assert type(found["samples"].base) is np.memmap
    with pytest.raises(ValueError, match="read-only"):
        found["samples"][0] = 1


@pytest.mark.parametrize("name", columns.NAMES)
def test_every_cut_and_flip_of_a_column_is_refused(saved, name):
    path = saved / f"{name}.npy"
    data = path.read_bytes()
    changed = [data[:size] for size in range(len(data))] + [data + b"\0"]
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        changed.append(bytes(flipped))
    for content in changed:
        path.write_bytes(content)
        with pytest.raises(ShardError, match=f"{name}.npy: does not match"):
            columns.load(saved)


def test_a_missing_column(saved):
    (saved / "ends.npy").unlink()
    with pytest.raises(ShardError, match="ends.npy: cannot be read"):
        columns.load(saved)


def test_a_missing_index(tmp_path):
    with pytest.raises(Refusal, match=r"index\.json: no such file"):
        columns.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: [], "not an index"),
        (lambda held: {}, "not an index"),
        (lambda held: {**held, "more": 1}, "not an index"),
        (lambda held: {**held, "crc": {}}, "not an index"),
        (lambda held: {**held, "version": 99}, "has version 99"),
    ],
)
def test_another_json(saved, change, words):
    path = saved / "index.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(ShardError, match=words):
        columns.load(saved)


def test_pickles_are_not_read(saved):
    """An array of objects holds a pickle; its CRC-32 may be right."""
    np.save(saved / "ids.npy", np.array([print], dtype=object), allow_pickle=True)
    held = json.loads((saved / "index.json").read_text())
    held["crc"]["ids"] = columns.zlib.crc32((saved / "ids.npy").read_bytes())
    (saved / "index.json").write_text(json.dumps(held))
    with pytest.raises(ShardError, match="ids.npy"):
        columns.load(saved)
    shutil.rmtree(saved)
