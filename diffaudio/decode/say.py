"""Text of any length, spoken sentence by sentence: what is first said can be heard at once.

A sentence's noise hangs on the seed and its own text, so it sounds the same wherever it stands.
"""

from __future__ import annotations

import contextlib
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from diffaudio.data import plan
from diffaudio.decode.stream import Encoding, shown, writing
from diffaudio.decode.texts import read_texts
from diffaudio.decode.trained import Trained
from diffaudio.log import Refusal, log
from diffaudio.text import Phonemes, Sentence, split_sentences

__all__ = ["pronounced", "say", "sentences", "spoken"]

STDOUT = Path("-")
_UNKNOWN = 0xFFFFFFFF  # as a size in a WAV file's head: it lasts until the stream ends
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def sentences(trained: Trained, text: str) -> list[Sentence]:
    """Return the sentences of a text, when all of them can be said.

    Args:
        trained: a model that reads.
        text: any; an empty line separates paragraphs.

    Raises:
        Refusal: the model does not read, there is nothing to say, or something has no symbol: the
            sentence, its number and the characters are named.
    """
    prior = trained.model.prior
    if prior is None:
        raise Refusal(
            "the model was not trained to read: it is no voice",
            mend="name a voice in its place, a recipe's exp/<name>",
        )
    if not isinstance(text, str):
        raise Refusal(f"the text is a {type(text).__name__}", mend="give a str")
    parts = split_sentences(text)
    if not parts:
        raise Refusal("the text is empty: there is nothing to say", mend="give a word or more")
    for number, part in enumerate(parts, 1):
        prior.front_end.read(part.text, place=f"sentence {number} ({part.text[:40]!r})")
    return parts


@contextlib.contextmanager
def pronounced(trained: Trained, lexicon: Path | None) -> Iterator[None]:
    """Let words be said as a lexicon has them, until the block ends.

    Args:
        trained: a model that reads phonemes.
        lexicon: file of words and their phonemes (text/lexicon.py); None changes nothing.

    Raises:
        Refusal: the lexicon is not there or not right, or the model reads no phonemes.
    """
    prior = trained.model.prior
    if lexicon is None or prior is None:
        yield
        return
    kept = prior.front_end, prior.reader
    units = prior.front_end.units
    if not isinstance(units, Phonemes):
        raise Refusal(
            f"{lexicon}: a lexicon of phonemes, but the voice reads {type(units).__name__}",
            mend="write the word as it sounds",
        )
    prior.front_end = prior.reader = replace(prior.front_end, units=units.also(lexicon))
    try:
        yield
    finally:
        prior.front_end, prior.reader = kept


def spoken(trained: Trained, parts: Iterable[Sentence]) -> Iterator[np.ndarray]:
    """Yield each sentence as audio (n, 1) at the model's rate, the pause behind it included."""
    prior = trained.model.prior
    assert prior is not None
    for part in parts:
        key = plan.key(trained.spec.seed, part.text)
        (made,) = read_texts(trained, [key], {prior.fields[0]: [part.text]})
        sound = made.sound
        pause = np.zeros((round(part.pause * trained.audio.rate), sound.shape[1]), sound.dtype)
        yield np.concatenate([sound, pause])


def say(trained: Trained, text: str, out: Path) -> None:
    """Speak a text into a file, or as it is spoken to standard output.

    Args:
        trained: a model that reads.
        text: any.
        out: a file, whose suffix is its format; `-` is standard output, a WAV stream.

    Raises:
        Refusal: as `sentences`, or the file cannot be written.
    """
    parts, rate = sentences(trained, text), trained.audio.rate
    with (
        logging_redirect_tqdm([log]),
        tqdm(spoken(trained, parts), "say", len(parts), unit="sentence", disable=None) as pieces,
    ):
        if out == STDOUT:
            _stream(pieces, rate)
            return
        with writing(out, rate, 1, Encoding.named(out)) as write:
            for piece in pieces:
                write(piece)
    seconds = trained.meter.seconds
    many = f"{len(parts)} sentence{'s' * (len(parts) > 1)}"
    log.info("%s: written, %s in %.1f s", shown(out), many, seconds)


def _stream(pieces: Iterable[np.ndarray], rate: int) -> None:
    """Write pieces to standard output as one 16-bit WAV file whose head leaves its length open."""
    head = (b"RIFF", _UNKNOWN, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", _UNKNOWN)
    sys.stdout.buffer.write(_HEADER.pack(*head))
    for piece in pieces:
        samples = np.clip(np.rint(piece * 32768.0), -32768, 32767).astype("<i2")
        sys.stdout.buffer.write(samples.tobytes())
        sys.stdout.buffer.flush()
