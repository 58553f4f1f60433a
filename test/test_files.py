import errno
import fcntl
import os
import subprocess
import sys

import pytest

from diffaudio import files
from diffaudio.log import Refusal


def test_a_file_is_whole_or_absent(tmp_path):
    path = tmp_path / "deep" / "x.bin"
    with files.atomic(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"

    def fails():
        with files.atomic(path) as file:
            file.write(b"two")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fails()
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_a_log_is_read_though_somebody_writes_it(tmp_path):
    path = tmp_path / "log.jsonl"
    assert list(files.read_log(path)) == []
    path.write_bytes(
        b'{"step": 1}\n{"step": 2, "lo{"step": 2}\n[3]\n\xff\n{"step": 4}\n{"step": 5}'
    )
    assert list(files.read_log(path)) == [{"step": 1}, {"step": 4}]


def test_a_full_disk_is_named_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.bin"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refusal, match=r"x\.bin: could not be written \(No space left"):
        files.write_text(path, "new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_sorted_and_read_back(tmp_path):
    value = {"b": [1, 2.5, None], "a": "naïve 🎧"}
    files.write_json(tmp_path / "x.json", value)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert text.index('"a"') < text.index('"b"')
    assert "🎧" in text
    assert files.read_json(tmp_path / "x.json") == value


def test_missing_and_broken_json_is_refused(tmp_path):
    with pytest.raises(Refusal, match="no such file"):
        files.read_json(tmp_path / "x.json")
    for content in (b'{"a": ', b"\xff\xfe"):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(Refusal, match="not JSON"):
            files.read_json(tmp_path / "x.json")


def test_digest_is_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert files.digest(tmp_path / "x").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_the_second_holder_of_a_folder_is_refused_and_told_who(tmp_path):
    code = (
        "import sys; from pathlib import Path; from diffaudio.files import exclusive\n"
        "from diffaudio.log import Refusal\n"
        f"try:\n  with exclusive(Path({str(tmp_path)!r})): pass\n"
        "except Refusal as refusal: sys.exit(f'{refusal.code} {refusal.message}')\n"
    )
    with files.exclusive(tmp_path):
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"73 {tmp_path}: in use by another run (process {os.getpid()}" in second.stderr
    third = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (third.returncode, third.stderr) == (0, "")


def test_a_file_system_without_locks_is_not_taken_for_another_run(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(Refusal, match="cannot lock files .No locks") as refusal:
        files.exclusive(tmp_path).__enter__()
    assert refusal.value.code == 1


def test_a_disk_that_is_full_already_is_named_with_the_folder(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with (
        pytest.raises(Refusal, match="exp: cannot be written in .No space left"),
        files.exclusive(tmp_path / "exp"),
    ):
        pytest.fail("holds a folder in which nothing can be written")


def test_json_that_is_none_is_refused_with_its_mend(tmp_path):
    (tmp_path / "x.json").write_text('{"cut')
    with pytest.raises(Refusal, match="x.json: not JSON") as caught:
        files.read_json(tmp_path / "x.json")
    assert "--force" in caught.value.mend
