"""What the corpora that are made here have in common: files on disk as LJSpeech has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from data import LISTS, TABLE, WAVS

from diffaudio.files import write_text
from diffaudio.log import Refusal

__all__ = ["Entry", "save", "write_tables"]


@dataclass(frozen=True)
class Entry:
    """An utterance without its sound: id, text as written, text as spoken, split."""

    id: str
    raw: str
    text: str
    split: str


def save(folder: Path, name: str, samples: np.ndarray, rate: int) -> None:
    """Write a recording of the corpus in `folder`, (n,) to 16 bit.

    A run that is killed leaves no part of one under its name. To flush each of thousands of files
    to disk would take longer than to make them.
    """
    path = folder / WAVS / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    soundfile.write(temporary, samples, rate, subtype="PCM_16", format="WAV")
    temporary.rename(path)


def write_tables(folder: Path, entries: Sequence[Entry]) -> None:
    """Write metadata.csv and the lists of test and validation.

    Raises:
        Refusal: a text has a sign that the table cannot hold.
    """
    for entry in entries:
        if any(set("|\r\n") & set(field) for field in (entry.raw, entry.text)):
            raise Refusal(f"{entry.id}: a text has a line's end or a |", mend="leave it out")
    table = _lines(f"{entry.id}|{entry.raw}|{entry.text}" for entry in entries)
    write_text(folder / TABLE, table)
    for split, name in LISTS.items():
        write_text(folder / name, _lines(entry.id for entry in entries if entry.split == split))


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"{text}\n" for text in texts)
