"""Files that are either whole or absent: temporary name, fsync, rename. Digests and locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from diffaudio.log import Refusal

__all__ = [
    "atomic",
    "digest",
    "exclusive",
    "fsync_dir",
    "read_json",
    "read_log",
    "remove",
    "write_json",
    "write_text",
]


def fsync_dir(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that appears under `path` only when the block ends without an error.

    Raises:
        Refusal: the disk is full or the folder is closed to us; nothing is left behind and an older
            file stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(path) as file:
            yield file
        fsync_dir(path.parent)
    except OSError as error:
        raise Refusal(
            f"{path}: could not be written ({error.strerror})",
            mend="free some space or choose another folder; what was finished before is kept",
        ) from error


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `path` that takes its place when the block ends, or is removed."""
    temporary = path.parent / f".{path.name}.tmp.{os.getpid()}"
    file = temporary.open("wb")
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()
        temporary.rename(path)
    finally:
        with contextlib.suppress(OSError):  # close() flushes again and may meet the full disk again
            file.close()
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with atomic(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as sorted, indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        Refusal: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Refusal(f"{path}: no such file") from error
    except ValueError as error:
        raise Refusal(
            f"{path}: not JSON ({error})", mend="correct it, or make it again with --force"
        ) from error


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a log of JSON objects that somebody may still be writing.

    A line that is no whole object is passed over: a writer that was killed, or that is at work,
    leaves a part of one. There are no rows where there is no such file.
    """
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for line in lines:
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                row = None
            if isinstance(row, dict):
                yield row


def remove(folder: Path, patterns: Sequence[str]) -> None:
    """Remove the files and folders in `folder` that match glob patterns."""
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder`, which is made, for this process.

    Raises:
        Refusal: another process holds it, which is named; or the folder cannot be made or locked.
    """
    with _lock(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise Refusal(
                    f"{folder}: the file system cannot lock files ({error.strerror})",
                    mend="use another, or mount it with locks (Lustre: -o flock)",
                ) from error
            file.seek(0)
            raise Refusal(
                f"{folder}: in use by another run ({file.read().strip() or 'unknown'})",
                mend="wait for it or stop it, or give another folder with --exp",
                code=73,
            ) from error
        _sign(file, folder)
        yield


def _lock(folder: Path) -> IO[str]:
    """Open the file that `exclusive` locks."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / ".lock").open("a+")
    except OSError as error:
        raise _closed(folder, error) from error


def _sign(file: IO[str], folder: Path) -> None:
    """Say in the locked file who holds the folder."""
    try:
        file.truncate(0)
        # Past the buffer: what a full disk refuses must not be tried again when the file is closed.
        os.write(file.fileno(), f"process {os.getpid()} on {os.uname().nodename}".encode())
    except OSError as error:
        raise _closed(folder, error) from error


def _closed(folder: Path, error: OSError) -> Refusal:
    return Refusal(
        f"{folder}: cannot be written in ({error.strerror})",
        mend="free some space, or give another folder, one that is no file and is open to you",
    )
