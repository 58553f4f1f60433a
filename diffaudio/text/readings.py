"""Readings of a corpus, made once by stage 3: who trains needs neither dictionary nor network.

dump/<corpus>/text/front_end.json   the front end that made them, with the files it holds
dump/<corpus>/text/readings.jsonl   see cache.py
"""

from __future__ import annotations

import shutil
from pathlib import Path

from diffaudio.files import read_json
from diffaudio.log import Refusal
from diffaudio.text.cache import Cache, load_readings, reading_key
from diffaudio.text.front_end import FILE, FrontEnd, Reading, state_digest

__all__ = ["FOLDER", "READINGS", "Readings", "cached"]

FOLDER = "text"  # beside the splits of a dump
READINGS = "readings.jsonl"


def cached(folder: Path, front_end: FrontEnd) -> Cache:
    """Open the readings in a folder, to read what is not there yet."""
    return Cache(folder / READINGS, front_end)


class Readings:
    """What was read of a corpus, and nothing else.

    Args:
        folder: where stage 3 has written it.
        front_end: the model's.

    Raises:
        Refusal: nothing is there, or another front end has made it.
    """

    def __init__(self, folder: Path, front_end: FrontEnd) -> None:
        self.folder = folder
        if not (folder / FILE).is_file():
            raise Refusal(f"{folder}: the texts are not read yet", mend="run stage 3 of the recipe")
        kept = read_json(folder / FILE)
        if not front_end.matches(kept):
            raise Refusal(
                f"{folder}: read by another front end than model.prior has",
                mend="run stage 3 of the recipe again; a variant with a --tag has its own",
            )
        self._digest, self._names = state_digest(kept), front_end.units.names
        self._kept = load_readings(folder / READINGS)

    def read(self, text: str, *, place: str = "text") -> Reading:
        """Return what was made of a text.

        Raises:
            Refusal: it is not there.
        """
        found = self._kept.get(reading_key(self._digest, text))
        if found is None:
            raise Refusal(
                f"{place}: {text[:40]!r} is not among the readings in {self.folder}",
                mend="run stage 3 of the recipe again",
            )
        said, ids = found
        return Reading(said, tuple(self._names[one] for one in ids), tuple(ids))

    def copy_front_end(self, folder: Path) -> None:
        """Copy the front end, with what it holds, to a model's folder."""
        for path in sorted(self.folder.glob("front_end.*")):
            shutil.copyfile(path, folder / path.name)
