"""Which files lie below a folder, by name, size and time: cheap to take down and to compare.

Nothing is read, only `stat` is asked, so a hundred thousand files take about a second. Links are
followed, to folders as well, and each folder is entered once, so a loop of links ends.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diffaudio.files import atomic, read_json

__all__ = ["MARK", "below", "lost", "sizes", "state", "write"]

MARK = "files:"  # begins what `state` returns, so that it cannot be taken for a file's digest
_SHOWN = 3  # files named in a message


def below(folder: Path, *, mark: str = "") -> Iterator[Path]:
    """Yield the files below `folder` in the order of their names, hidden ones left out.

    Args:
        folder: where to look; one that is not there has no files.
        mark: folders below `folder` that hold a file of this name are left out.
    """
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        about = Path(place).stat()
        again = (about.st_dev, about.st_ino) in seen
        seen.add((about.st_dev, about.st_ino))
        if again or (mark in names and Path(place) != folder):
            folders.clear()
            continue
        folders.sort()
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def state(folder: Path, *, mark: str = "") -> str:
    """Return a digest of names, sizes and times of change of the files `below` a folder.

    A link that leads nowhere counts as such.
    """
    total = hashlib.sha256()
    for path in below(folder, mark=mark):
        try:
            about = path.stat()
            words = f"{about.st_size} {about.st_mtime_ns}"
        except OSError:
            words = "leads nowhere"
        line = f"{path.relative_to(folder)} {words}\n"
        total.update(line.encode("utf-8", "surrogateescape"))
    return MARK + total.hexdigest()


def sizes(folder: Path, patterns: Sequence[str]) -> dict[str, int]:
    """Return name, relative to `folder`, and bytes of every file that glob patterns match.

    Of a folder that is matched, all files below count.
    """
    found = {}
    for pattern in patterns:
        for match in sorted(folder.glob(pattern)):
            for path in below(match) if match.is_dir() else [match]:
                found[str(path.relative_to(folder))] = path.stat().st_size
    return found


def write(path: Path, found: Mapping[str, int]) -> None:
    """Write what `sizes` found, whole or not at all."""
    with atomic(path) as file:
        file.write(json.dumps(found, separators=(",", ":")).encode())


def lost(folder: Path, path: Path) -> str:
    """Name the files of `folder` that are gone or have another size than `path` says; "" if none.

    Args:
        folder: what the names are relative to.
        path: written by `write`; when it is not there, nothing is known and nothing is named.
    """
    wrong = []
    for name, size in (read_json(path) if path.is_file() else {}).items():
        try:
            there = (folder / name).stat().st_size
        except OSError:
            wrong.append(f"{folder / name} is gone")
            continue
        if there != size:
            wrong.append(f"{folder / name} has {there} bytes, not {size}")
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return "; ".join(wrong[:_SHOWN]) + more
