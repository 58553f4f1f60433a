"""Manifests: one JSON object per line, one line per item, in the order of the ids.

    {"id": "p232_001", "audio": {"clean": "clean_testset_wav/p232_001.wav", "noisy": ...},
     "speaker": "p232", "samples": 83590, "rate": 48000}

Paths are relative to the corpus root, which `corpus.json` beside the manifests names, so a corpus
can be moved; a root inside of the recipe's folder is named relative to the manifests' folder, so
all can be moved together. `start` and `end` (seconds) take a part of a file; other keys are
carried along. Reading and writing need memory for some fifty thousand rows, however many there are.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from diffaudio import origins
from diffaudio.files import atomic, read_json
from diffaudio.log import Refusal

__all__ = ["Row", "about", "encode", "parse", "read", "root", "write"]

Row = dict[str, Any]

_RUN = 50_000  # rows sorted at once


def encode(row: Row) -> bytes:
    """Return a row as a line of JSON that begins with its id.

    Raises:
        TypeError: a value is not JSON.
        UnicodeEncodeError: a string is not text, as a file name that is not UTF-8.
    """
    ordered = {"id": row["id"], **row}
    return json.dumps(ordered, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of a manifest.

    Raises:
        Refusal: the file is missing, or a line is not a row; with the line's number.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise Refusal(f"{path}: no such manifest", mend="run `diffaudio manifest`") from error
    with file:
        for number, line in enumerate(file, start=1):
            try:
                yield parse(line)
            except ValueError as error:
                raise Refusal(
                    f"{path}, line {number}: {error}", mend="write it with `diffaudio manifest`"
                ) from error


def parse(line: bytes) -> Row:
    """Return the row in a line.

    Raises:
        ValueError: it holds none.
    """
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"not JSON in UTF-8 ({error})") from error
    if (
        type(row) is not dict
        or type(row.get("id")) is not str
        or type(row.get("audio")) is not dict
    ):
        raise ValueError('not an object with "id" and "audio"')
    return row


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows in the order of their ids, all or nothing.

    Sorted runs are kept in a temporary folder beside `path` and merged.

    Args:
        path: the manifest.
        rows: in any order, with distinct ids.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent, prefix=".")))
        runs = [stack.enter_context(run) for run in _runs(folder, rows)]
        with atomic(path) as file:
            file.writelines(heapq.merge(*runs, key=_line_id))


def _runs(folder: Path, rows: Iterable[Row]) -> list[IO[bytes]]:
    """Write `rows` as sorted files of at most `_RUN` lines; return them opened for reading."""
    runs: list[IO[bytes]] = []
    lines = map(encode, rows)
    while run := sorted(itertools.islice(lines, _RUN), key=_line_id):
        file = (folder / str(len(runs))).open("w+b")
        file.writelines(run)
        file.seek(0)
        runs.append(file)
    return runs


def _line_id(line: bytes) -> bytes:
    """Return the id of an encoded row without decoding it: ids hold no quotes."""
    return line.split(b'"', 4)[3]


def root(folder: Path) -> Path:
    """Return the corpus root of the manifests in `folder`.

    Raises:
        Refusal: corpus.json is missing, or names none.
    """
    return origins.place(folder, str(about(folder, "root")["root"]))


def about(folder: Path, *needed: str) -> dict[str, Any]:
    """Return what corpus.json says of the manifests in `folder`: root, label, splits.

    Args:
        folder: of the manifests.
        needed: keys that must be there.

    Raises:
        Refusal: it is missing, or is not what `diffaudio manifest` writes.
    """
    path = folder / "corpus.json"
    held = read_json(path)
    if type(held) is not dict or not held.keys() >= {*needed}:
        raise Refusal(f"{path}: has no {' or no '.join(needed)}", mend="run `diffaudio manifest`")
    return held
