"""Readings kept by content: a corpus is read once, not at every start.

    with Cache(folder / "readings.jsonl", front_end) as cache:
        ids = cache.read(row["text"], place=row["id"]).ids

One file for a corpus. A reading's key is the digest of the text and of the front end: after a
change of either it is made anew. The last line holds the digest of those before it; a file that
does not agree with it is left, and made again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import TracebackType
from typing import Any

from diffaudio.files import atomic
from diffaudio.log import log
from diffaudio.text.front_end import FrontEnd, Reading

__all__ = ["Cache", "load_readings", "reading_key"]


class Cache:
    """Reads texts, and remembers.

    What was read is saved when the block ends, after an error as well.

    Args:
        path: of the file.
        front_end: reads what is not there yet.
    """

    def __init__(self, path: Path, front_end: FrontEnd) -> None:
        self.path, self.front_end = path, front_end
        self.made = self.found = 0  # readings of this block
        self._names = front_end.units.names
        self._kept = load_readings(path)

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.save()

    def read(self, text: str, *, place: str = "text") -> Reading:
        """Return what `FrontEnd.read` does; a text that it refuses is not kept."""
        key = reading_key(self.front_end.digest, text)
        if key in self._kept:
            said, ids = self._kept[key]
            self.found += 1
            return Reading(said, tuple(self._names[one] for one in ids), tuple(ids))
        reading = self.front_end.read(text, place=place)
        self._kept[key] = (reading.said, list(reading.ids))
        self.made += 1
        return reading

    def save(self) -> None:
        """Write the file, if there is anything new; other front ends' readings stay in it."""
        if not self.made:
            return
        total = hashlib.sha256()
        with atomic(self.path) as file:
            for key, (said, ids) in self._kept.items():
                line = json.dumps([key, said, ids], ensure_ascii=False).encode() + b"\n"
                total.update(line)
                file.write(line)
            file.write(json.dumps({"sha256": total.hexdigest()}).encode() + b"\n")


def reading_key(front_end: str, text: str) -> str:
    """Return the key of a reading: the digest of a front end's digest and the text."""
    return hashlib.sha256(f"{front_end}\n{text}".encode()).hexdigest()


def load_readings(path: Path) -> dict[str, Any]:
    """Return the readings in a file by their keys; none where it is absent or damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    body, _, last = content.rstrip(b"\n").rpartition(b"\n")
    try:
        whole = json.loads(last)["sha256"] == hashlib.sha256(body + b"\n").hexdigest()
        if whole:
            rows = map(json.loads, body.splitlines())
            return {key: (said, ids) for key, said, ids in rows}
    except (ValueError, TypeError, KeyError):
        pass
    log.warning("%s: damaged; its readings are made again", path)
    return {}
