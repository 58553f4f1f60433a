"""The rows of a recipe checked as rows: identifiers, paths, times, text, splits.

Rows are written to slices of lines on the way and never all held in memory: of a row only the id
is remembered, as 8 bytes, and its split as one. So a corpus may have many millions.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from diffaudio.data import problem
from diffaudio.data.audio import AudioSpec
from diffaudio.data.manifest import Row, encode, read
from diffaudio.data.problem import Problem

__all__ = ["PROBLEMS", "SLICE", "Collected", "check_row", "collect", "repeats"]

SLICE = 200  # rows in a slice, which is one task of the stage
PROBLEMS = "problems.jsonl"  # beside the slices: what was wrong with the other rows
_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_-]+")


def check_row(row: Any, spec: AudioSpec) -> list[Problem]:
    """Return what is wrong with one row that a recipe yielded, without opening its files."""
    if detail := _shape(row, spec):
        words = [_word(row, key) for key in ("id", "split")]
        return [Problem("bad row", words[0], words[1], "", detail)]
    found = []
    if not _NAME.fullmatch(row["id"]):
        found.append(("bad id", "", f"{row['id']!r}; {_suggestion(row['id'])!r} would do"))
    for role in spec.roles:
        if detail := _path(row["audio"][role]):
            found.append(("bad path", row["audio"][role], detail))
    if detail := _times(row):
        found.append(("bad times", "", detail))
    found += [("bad text", "", f"{key}: {detail}") for key, detail in _texts(row)]
    if not found:
        try:
            encode(row)
        except (TypeError, ValueError) as error:
            found.append(("bad row", "", f"cannot be written as JSON: {error}"))
    return [Problem(why, row["id"], row["split"], file, what) for why, file, what in found]


def _shape(row: Any, spec: AudioSpec) -> str:
    """Say what keeps a row from being looked at further."""
    if type(row) is not dict:
        return f"a {type(row).__name__}, not a dictionary"
    for key, kind in {"id": str, "split": str, "audio": dict}.items():
        if type(row.get(key)) is not kind:
            return f"{key} is {row.get(key)!r}, not a {kind.__name__}"
    if not _NAME.fullmatch(row["split"]):
        return f"split is {row['split']!r}: ASCII letters, digits, - and _ only"
    for key, role in zip(("target", "given"), spec.roles, strict=False):
        if role not in row["audio"]:
            there = ", ".join(map(str, row["audio"])) or "none"
            return f"audio.{key}: {role}; the row has {there}"
        if type(row["audio"][role]) is not str:
            return f"audio[{role!r}] is {row['audio'][role]!r}, not a str"
    return ""


def _split(row: Any) -> str:
    """Return a row's split, "" where it has none that can be used."""
    split = row.get("split") if type(row) is dict else None
    return split if type(split) is str and _NAME.fullmatch(split) else ""


def _word(row: Any, key: str) -> str:
    value = row.get(key, "") if type(row) is dict else ""
    return value if type(value) is str else repr(value)


def _suggestion(name: str) -> str:
    """Return an id like `name` that is allowed."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _FORBIDDEN.sub("_", plain).strip("_")[:200] or "item_1"


def _path(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/"):
        return f"{path!r} is absolute, and paths are relative to the corpus folder"
    if not parts or ".." in parts or "\0" in path:
        return f"{path!r} is not below the corpus folder"
    return "" if _is_text(path) else "the name is not UTF-8"


def _is_text(text: str) -> bool:
    """Say whether a string can be written as UTF-8: undecodable bytes become lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _times(row: Row) -> str:
    start, end = row.get("start", 0), row.get("end")
    if type(start) not in {int, float} or type(end) not in {int, float, type(None)}:
        return f"start {start!r} and end {end!r} are not numbers"
    if start < 0 or (end is not None and end <= start):
        return f"start {start!r}, end {end!r}"
    return ""


def _texts(row: Row) -> Iterator[tuple[str, str]]:
    """Yield key and fault of the row's strings; `text` may be a list of them (captions)."""
    for key, value in row.items():
        for text in value if type(value) is list else [value]:
            if type(text) is bytes:
                yield key, f"bytes {text[:40]!r}"
            elif type(text) is str and key not in {"id", "split"} and (detail := _text(text)):
                yield key, detail
    if "text" in row and row["text"] in ("", [], None):
        yield "text", "empty"


def _text(text: str) -> str:
    if not _is_text(text):
        return f"not UTF-8: {text.encode('utf-8', 'surrogateescape')[:40]!r}"
    for number, letter in enumerate(text):
        if letter == "\ufeff":
            return f"a byte order mark at character {number}"
        if letter == "\ufffd":
            return f"a replacement character at character {number}: it was decoded wrongly"
        if unicodedata.category(letter) == "Cc":
            return f"a control character {letter!r} at character {number}"
    return ""


@dataclass
class Collected:
    """What `collect` has seen.

    Args:
        slices: files of at most `SLICE` rows as JSON lines, those without a problem.
        seen: split to the number of rows that the recipe yielded; "" for rows without one.
        splits: in the order in which they came up.
        digests: 8 bytes of every id, in the order of the slices.
        places: the number of every row's split.
        values: field to value to the splits it was seen in, as bits; for declared fields only.
    """

    slices: list[Path] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    splits: list[str] = field(default_factory=list)
    digests: array[int] = field(default_factory=lambda: array("Q"))
    places: array[int] = field(default_factory=lambda: array("H"))
    values: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Remember a row that has no problem of its own."""
        if row["split"] not in self.splits:
            self.splits.append(row["split"])
        place = self.splits.index(row["split"])
        name = hashlib.blake2b(row["id"].encode(), digest_size=8).digest()
        self.digests.append(int.from_bytes(name, "little"))
        self.places.append(place)
        for key, values in self.values.items():
            if key in row:
                values[str(row[key])] = values.get(str(row[key]), 0) | 1 << place


def collect(
    rows: Iterable[Any], folder: Path, spec: AudioSpec, *, fields: Iterable[str] = ()
) -> Collected:
    """Check rows as they come and write them to slices.

    Args:
        rows: of the recipe, with a split each.
        folder: for the slices and the problems.
        spec: names the roles.
        fields: whose values are remembered for `apart.overlaps`.
    """
    collected = Collected(values={key: {} for key in fields})
    source = iter(rows)
    with (folder / PROBLEMS).open("wb") as bad:
        while batch := list(itertools.islice(source, SLICE)):
            path = folder / f"{len(collected.slices):06d}.jsonl"
            with path.open("wb") as good:
                for row in batch:
                    problems = check_row(row, spec)
                    bad.writelines(map(problem.encode, problems))
                    if not problems:
                        collected.add(row)
                        good.write(encode(row))
            collected.seen.update(map(_split, batch))
            collected.slices.append(path)
    return collected


def repeats(collected: Collected) -> dict[Path, dict[int, Problem]]:
    """Find rows whose id an earlier row has: slice to line number (from 0) to problem.

    An id in two splits is a split overlap, otherwise it is a duplicate.
    """
    digests = np.frombuffer(collected.digests, dtype=np.uint64)
    order = np.argsort(digests, kind="stable")  # equal ids lie together, the earliest first
    same = np.flatnonzero(digests[order[1:]] == digests[order[:-1]]) + 1
    first: dict[int, int] = {}
    for place in same:
        before, number = int(order[place - 1]), int(order[place])
        first[number] = first.get(before, before)
    found: dict[Path, dict[int, Problem]] = {}
    number = 0
    for path in collected.slices if first else ():
        for line, row in enumerate(read(path)):
            if number in first:
                other = collected.splits[collected.places[first[number]]]
                found.setdefault(path, {})[line] = _repeat(row, other)
            number += 1
    return found


def _repeat(row: Row, other: str) -> Problem:
    reason = "duplicate id" if other == row["split"] else "split overlap"
    detail = f"the id {row['id']} is that of an earlier row in {other}"
    return Problem(reason, row["id"], row["split"], "", detail)
