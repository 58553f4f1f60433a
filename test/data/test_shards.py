import errno
import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import pytest
import webdataset

from diffaudio.data import shards
from diffaudio.data.shards import ShardError
from diffaudio.log import Refusal

ITEMS = {
    "spk-1_a": {"clean.flac": b"c" * 700, "noisy.flac": b"n" * 512},
    "x": {"clean.flac": b"", "noisy.flac": bytes(range(256))},
}


def write(path, items=ITEMS):
    with shards.create(path) as shard:
        for number, (key, fields) in enumerate(items.items()):
            shard.write(key, fields, {"id": key, "word": "Grüße"}, samples=number)
    return path


def read(path):
    """Everything a reader takes from a shard, checked as `Index` checks it."""
    data = path.read_bytes()
    found = {}
    for entry in shards.read_index(path):
        for name, field in entry.fields.items():
            content = data[field.offset : field.offset + field.size]
            if shards.zlib.crc32(content) != field.crc:
                raise ShardError("crc")
            found[entry.key, entry.samples, name] = content
    return found


def test_round_trip(tmp_path):
    path = write(tmp_path / "a.tar")
    found = read(path)
    for number, (key, fields) in enumerate(ITEMS.items()):
        for name, content in fields.items():
            assert found[key, number, name] == content
        assert json.loads(found[key, number, "json"]) == {"id": key, "word": "Grüße"}
    assert shards.read_footer(path).entries == 2
    assert list(tmp_path.iterdir()) == [path]


def test_bytes_follow_from_the_content_alone(tmp_path, monkeypatch):
    first = write(tmp_path / "a.tar").read_bytes()
    monkeypatch.setattr(time, "time", lambda: 1e9)
    backwards = {key: dict(reversed(fields.items())) for key, fields in ITEMS.items()}
    assert write(tmp_path / "elsewhere" / "b.tar", backwards).read_bytes() == first
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.mode, m.type) for m in tar} == {(0, 0, 0, 0o444, b"0")}


def test_webdataset_reads_the_same(tmp_path):
    path = write(tmp_path / "a.tar")
    samples = list(webdataset.WebDataset(str(path), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == list(ITEMS)
    for sample, fields in zip(samples, ITEMS.values(), strict=True):
        names = [name for name in sample if not name.startswith("__")]
        assert names == [*sorted(fields), "json"]
        assert all(sample[name] == content for name, content in fields.items())


def test_long_keys_survive(tmp_path):
    path = write(tmp_path / "a.tar", {"k" * 200: {"clean.flac": b"data"}})
    assert read(path)["k" * 200, 0, "clean.flac"] == b"data"
    assert next(iter(webdataset.WebDataset(str(path), shardshuffle=False)))["clean.flac"] == b"data"


def test_no_items(tmp_path):
    assert shards.read_index(write(tmp_path / "a.tar", {})) == []


@pytest.mark.parametrize("key", ["", "a.b", "a/b", "../up", "a b", "é", "a\n", "$(x)", "k" * 201])
def test_unusable_keys(tmp_path, key):
    with pytest.raises(ShardError, match="not a usable id"):
        write(tmp_path / "a.tar", {key: {}})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Clean.flac", "a/b.flac", ".flac", "flac.", "", "json"])
def test_unusable_fields(tmp_path, name):
    with pytest.raises(ShardError, match="lower case"):
        write(tmp_path / "a.tar", {"a": {name: b""}})


def test_the_same_key_twice(tmp_path):
    with shards.create(tmp_path / "a.tar") as shard:
        shard.write("a", {}, {}, samples=1)
        with pytest.raises(ShardError, match="second"):
            shard.write("a", {}, {}, samples=1)
    assert shards.read_footer(tmp_path / "a.tar").entries == 1


def test_every_cut_is_rejected(tmp_path):
    path = write(tmp_path / "a.tar")
    for size in reversed(range(path.stat().st_size)):
        os.truncate(path, size)
        with pytest.raises(ShardError):
            shards.read_index(path)


def test_appended_or_prepended_bytes_are_rejected(tmp_path):
    data = write(tmp_path / "a.tar").read_bytes()
    for changed in (data + bytes(512), bytes(512) + data, data + data, data + b"\n"):
        (tmp_path / "b.tar").write_bytes(changed)
        with pytest.raises(ShardError):
            shards.read_index(tmp_path / "b.tar")


def flips(path, positions):
    """Flip one bit at each position; return how many were rejected and how many harmless."""
    data, good = path.read_bytes(), read(path)
    rejected = harmless = 0
    with path.open("r+b", buffering=0) as file:
        for position, bit in positions(len(data)):
            os.pwrite(file.fileno(), bytes([data[position] ^ 1 << bit]), position)
            try:
                assert read(path) == good, (position, bit)
                harmless += 1
            except ShardError:
                rejected += 1
            os.pwrite(file.fileno(), data[position : position + 1], position)
    return rejected, harmless


def test_flips_are_rejected_or_harmless(tmp_path):
    path = write(tmp_path / "a.tar")
    rejected, harmless = flips(path, lambda size: [(p, p * 5 % 8) for p in range(0, size, 3)])
    assert rejected > 700
    assert harmless > 700  # tar headers and padding


@pytest.mark.slow
def test_every_flip_is_rejected_or_harmless(tmp_path):
    path = write(tmp_path / "a.tar")
    size = path.stat().st_size
    assert sum(flips(path, lambda n: [(p, b) for p in range(n) for b in range(8)])) == 8 * size


def test_every_flip_of_the_footer_is_rejected(tmp_path):
    path = write(tmp_path / "a.tar")
    tail = 4 * shards.BLOCK
    rejected, harmless = flips(path, lambda n: [(p, p % 8) for p in range(n - tail, n)])
    assert (rejected, harmless) == (tail, 0)


def test_foreign_files_are_rejected(tmp_path):
    with tarfile.open(tmp_path / "plain.tar", "w") as tar:
        tar.add(__file__, "a.py")
    (tmp_path / "empty.tar").touch()
    (tmp_path / "folder.tar").mkdir()
    for name in ("plain.tar", "empty.tar", "folder.tar", "missing.tar"):
        with pytest.raises(ShardError, match=name):
            shards.read_footer(tmp_path / name)


def test_an_index_that_points_outside_is_rejected(tmp_path):
    """A forged shard, correct in itself, may not make a reader read (or allocate) elsewhere."""
    for place in ({"offset": 0, "size": 1 << 40}, {"offset": -512, "size": 1}, {"offset": 1}):
        field = {"offset": 0, "size": 1, "crc": 0, **place}
        with shards.create(tmp_path / "a.tar") as shard:
            shard._entries["a"] = shards.Entry("a", 1, {"x": shards.Field(**field)})
        with pytest.raises(ShardError, match="outside"):
            shards.read_index(tmp_path / "a.tar")


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_full_disk_leaves_nothing(tmp_path, monkeypatch, call):
    path = write(tmp_path / "a.tar")
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return full if name == call else getattr(self.file, name)

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        opened = shards.ShardWriter.__init__
        monkeypatch.setattr(
            shards.ShardWriter, "__init__", lambda self, file: opened(self, Full(file))
        )
    with pytest.raises(Refusal, match=r"a\.tar.*No space left"):
        write(path, {"other": {}})
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_a_really_full_disk(tmp_path):
    """The same on a file system of 64 kB, where `close` fails as well."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting needs root")
    try:
        with pytest.raises(Refusal, match="No space left"):
            write(disk / "a.tar", {f"k{i}": {"x.flac": bytes(9000)} for i in range(20)})
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_an_error_while_writing_leaves_nothing(tmp_path):
    def interrupted():
        with shards.create(tmp_path / "a.tar") as shard:
            shard.write("a", {"x.flac": b"1"}, {}, samples=1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from diffaudio.data import shards
count, calls = int(sys.argv[2]), 0
def after(function):
    def call(*arguments):
        global calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call
shards.ShardWriter._member = after(shards.ShardWriter._member)
os.fsync = after(os.fsync)
Path.rename = after(Path.rename)
with shards.create(Path(sys.argv[1])) as shard:
    shard.write("a", {"x.flac": b"1" * 20000}, {}, samples=1)
    shard.write("b", {"x.flac": b"2" * 20000}, {}, samples=1)
"""


def test_kill_at_every_call_leaves_a_whole_file_or_none(tmp_path):
    path = tmp_path / "a.tar"
    for count in range(1, 10):
        path.unlink(missing_ok=True)
        run = subprocess.run([sys.executable, "-c", KILLED, str(path), str(count)])
        if path.exists():
            assert [entry.key for entry in shards.read_index(path)] == ["a", "b"]
            assert count > 7  # four fields, the index, an fsync and the rename come first
        else:
            assert run.returncode == -signal.SIGKILL
            assert count <= 7
    assert run.returncode == 0
