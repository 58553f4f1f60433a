"""A problem with a row: the reason, the file, what was found, and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["MENDS", "Problem", "describe", "encode", "read"]

# Every reason there is, with its mend.
MENDS = {
    # rows
    "bad row": "yield dictionaries with id, split and audio {role: path} from rows(); the roles "
    "are those of audio.target and audio.given",
    "bad id": "use ASCII letters, digits, - and _, at most 200 (a dot ends the key in a shard)",
    "bad path": "give paths in UTF-8, relative to the corpus folder and below it",
    "bad text": "decode it as UTF-8 (utf-8-sig drops a byte order mark) and strip it in rows()",
    "bad times": "give start and end in seconds, 0 <= start < end",
    "duplicate id": "make ids unique, for example by the name of the folder",
    "split overlap": "keep what the recipe's DISJOINT names, and every id, in one split",
    # files
    "missing": "check the path, and that the corpus is complete",
    "unreadable": "copy or convert the file again",
    "truncated": "copy the file again",
    "empty": "copy the file again, or leave the item out in rows()",
    "wrong rate": "lower audio.rate, or resample the corpus yourself if that is what you want",
    "wrong channels": "change audio.channels, or mix down in the corpus",
    "too short": "lower audio.min_seconds, or leave the item out in rows()",
    "too long": "raise audio.max_seconds, or cut it with start and end in rows()",
    "not finite": "find what wrote NaN or infinity into the file; convert it again",
    "silent": "leave the item out in rows()",
    "clipped": "record or scale it again below full scale, or leave the item out in rows()",
    "dc offset": "remove the mean (a high-pass at 20 Hz) or leave the item out in rows()",
    # pairs
    "rate mismatch": "bring both files to one rate",
    "channel mismatch": "bring both files to the same channels",
    "length mismatch": "cut both files to the same samples",
    "delay mismatch": "shift one file so that both start together",
}


@dataclass(frozen=True)
class Problem:
    """One problem.

    Args:
        reason: a key of `MENDS`.
        id: of the row, "" if it has none.
        split: of the row, "" if it has none.
        file: relative to the corpus root; "" where the row itself is at fault.
        detail: what was found, with numbers and units.
    """

    reason: str
    id: str
    split: str
    file: str
    detail: str

    @property
    def mend(self) -> str:
        """What to do about it."""
        return MENDS[self.reason]

    @property
    def place(self) -> str:
        """The file, or the row when no file is at fault, on one line whatever its name holds."""
        return _one_line(self.file) if self.file else f"{self.split or '?'}/{_one_line(self.id)}"


def _one_line(name: str) -> str:
    """Return a name that cannot break a line of text: control characters are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def encode(problem: Problem) -> bytes:
    """Return a problem as a line of JSON with its mend; names that are not UTF-8 are escaped."""
    return json.dumps({**asdict(problem), "mend": problem.mend}).encode() + b"\n"


def read(path: Path) -> Iterator[Problem]:
    """Yield the problems of a file of such lines."""
    with path.open("rb") as file:
        for line in file:
            record = json.loads(line)
            del record["mend"]
            yield Problem(**record)


def describe(problems: Iterable[Problem], *, examples: int = 5) -> str:
    """Return problems grouped by reason: count, the first few with what was found, the mend."""
    groups: dict[str, list[Problem]] = {}
    counts = dict.fromkeys(MENDS, 0)
    for problem in problems:
        counts[problem.reason] += 1
        if counts[problem.reason] <= examples:
            groups.setdefault(problem.reason, []).append(problem)
    lines = []
    for reason in (reason for reason in MENDS if reason in groups):
        lines.append(f"  {reason} ({counts[reason]})")
        lines += [f"    {problem.place}: {problem.detail}" for problem in groups[reason]]
        if counts[reason] > examples:
            lines.append(f"    ... and {counts[reason] - examples} more")
        lines.append(f"    mend: {MENDS[reason]}")
    return "\n".join(lines)
