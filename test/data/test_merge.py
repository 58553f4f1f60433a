import time

import pytest

from diffaudio.data import merge, shards
from diffaudio.data.index import Index
from diffaudio.data.shards import ShardError


def test_rows_are_those_of_the_shards_in_order(small):
    folder, truth = small
    index = Index.open(folder)
    keys = [e.key for path in sorted(folder.glob("*.tar")) for e in shards.read_index(path)]
    assert keys == [index.id(i) for i in range(len(index))] == list(truth)


def test_an_empty_shard_among_others(tmp_path):
    paths = [tmp_path / f"{number}.tar" for number in range(3)]
    for number, path in enumerate(paths):
        with shards.create(path) as shard:
            if number != 1:
                shard.write(f"k{number}", {"x.bin": bytes(number + 1)}, {"n": number}, samples=5)
    index = merge.build(tmp_path, paths, rate=1)
    assert [(index.id(i), index.row(i)) for i in range(len(index))] == [
        ("k0", {"n": 0}),
        ("k2", {"n": 2}),
    ]


def test_nothing_is_written_of_a_data_set_that_cannot_be_used(tmp_path):
    with shards.create(tmp_path / "a.tar") as shard:
        shard.write("a", {}, {}, samples=1 << 32)
    with pytest.raises(ShardError):
        merge.build(tmp_path, [tmp_path / "a.tar"], rate=1)
    assert not (tmp_path / "index").exists()


def test_ids_must_ascend_and_fields_agree(tmp_path):
    def one(name, key, fields):
        with shards.create(tmp_path / name) as shard:
            shard.write(key, fields, {}, samples=1)
        return tmp_path / name

    a, b = one("a.tar", "a", {"x.flac": b""}), one("b.tar", "b", {"x.flac": b""})
    with pytest.raises(ShardError, match="a comes after b"):
        merge.build(tmp_path, [b, a], rate=1)
    with pytest.raises(ShardError, match="a comes after a"):
        merge.build(tmp_path, [a, a], rate=1)
    with pytest.raises(ShardError, match=r"other fields than json, x\.flac"):
        merge.build(tmp_path, [a, one("c.tar", "c", {"y.flac": b""})], rate=1)
    with pytest.raises(ShardError, match="no item"):
        merge.build(tmp_path, [], rate=1)


def test_beyond_32_bit(tmp_path):
    with shards.create(tmp_path / "a.tar") as shard:
        shard.write("a", {}, {}, samples=1 << 32)
    with pytest.raises(ShardError, match=r"2\^32"):
        merge.build(tmp_path, [tmp_path / "a.tar"], rate=1)


@pytest.mark.slow
def test_many_rows_are_cheap(tmp_path):
    for number in range(10):
        with shards.create(tmp_path / f"{number}.tar") as shard:
            for i in range(10_000):
                name = f"speaker-{number}-{i:06d}"
                shard._entries[name] = shards.Entry(
                    name,
                    16_000 + i,
                    {f: shards.Field(0, 0, i) for f in ("clean.flac", "noisy.flac", "json")},
                )
            shard._member("x", bytes(512))
    merge.build(tmp_path, sorted(tmp_path.glob("*.tar")), rate=16_000)
    size = sum(path.stat().st_size for path in (tmp_path / "index").iterdir())
    start = time.perf_counter()
    index = Index.open(tmp_path)
    taken = time.perf_counter() - start
    assert len(index) == 100_000
    assert index.find("speaker-7-001234") == 71_234
    assert size <= 6.4e6  # 64 bytes a row
    assert taken < 0.3
