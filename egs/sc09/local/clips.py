"""From spoken digits to a corpus in the layout of Speech Commands: clips of a second, and lists.

As there (Warden 2018), the loudest second of a longer recording is kept, and a word may lie
anywhere in its second. Levels vary; the rest of the second is faint noise. Every draw belongs to
the name of the clip, so a corpus comes out the same each time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from data import LISTS, WORDS

from diffaudio.data.plan import generator
from diffaudio.files import write_json, write_text

__all__ = ["RATE", "Digit", "Speaker", "clip", "write"]

RATE = 16000
QUIET = 1e-4  # of the loudest frame's power, -40 dB: what is below it at both ends is cut off
MARGIN = RATE // 50  # kept around the word
FADE = RATE // 200
LEVELS = (-26.0, -18.0)  # dB full scale, root mean square of the word
PEAK = 0.98
FLOOR = 3e-5  # of the noise, root mean square: one step of 16 bit. Compression would raise more


@dataclass(frozen=True)
class Speaker:
    """A voice, the split that it belongs to, and whether a person spoke."""

    voice: str
    split: str
    source: Literal["real", "synthetic"]

    @property
    def code(self) -> str:
        """Eight hexadecimal digits, as the official corpus names its speakers."""
        return hashlib.blake2b(self.voice.encode(), digest_size=4).hexdigest()


@dataclass(frozen=True)
class Digit:
    """A spoken digit: who, which word, (n,) samples at 16 kHz with silence around them or not."""

    speaker: Speaker
    word: str
    samples: np.ndarray


def clip(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a second (16000,) with the word somewhere in it.

    Args:
        samples: (n,) the word, not silent.
        random: decides place, level and the noise.
    """
    word = _loudest(_trimmed(samples.astype(np.float64)))
    ramp = np.linspace(0.0, 1.0, FADE)
    word[:FADE] *= ramp
    word[-FADE:] *= ramp[::-1]
    level = 10 ** (random.uniform(*LEVELS) / 20) / np.sqrt((word**2).mean())
    word *= min(level, PEAK / np.abs(word).max())
    made = FLOOR * random.standard_normal(RATE)
    start = int(random.integers(RATE - len(word) + 1))
    made[start : start + len(word)] += word
    clipped: np.ndarray = made.clip(-1.0, 1.0)
    return clipped


def _trimmed(samples: np.ndarray) -> np.ndarray:
    """Cut off what is quiet before and after the word."""
    frame = RATE // 100
    power = np.convolve(samples**2, np.ones(frame) / frame, "same")
    loud = np.flatnonzero(power > QUIET * power.max())
    return samples[max(loud[0] - MARGIN, 0) : loud[-1] + MARGIN].copy()


def _loudest(samples: np.ndarray) -> np.ndarray:
    """Return the loudest second of what is longer."""
    if len(samples) <= RATE:
        return samples
    energy = np.concatenate([[0.0], np.cumsum(samples**2)])
    start = int((energy[RATE:] - energy[:-RATE]).argmax())
    return samples[start : start + RATE]


def write(digits: Iterable[Digit], folder: Path) -> None:
    """Write clips, the two lists, and speakers.json: who is behind a code.

    Args:
        digits: any number of each speaker and word; they are numbered as they come.
        folder: the corpus.
    """
    for word in WORDS:
        (folder / word).mkdir(parents=True, exist_ok=True)
    takes: Counter[tuple[str, str]] = Counter()
    speakers: dict[str, dict[str, str]] = {}
    names: dict[str, list[str]] = {split: [] for split in ("train", *LISTS)}
    for digit in digits:
        who, word = digit.speaker, digit.word
        name = f"{word}/{who.code}_nohash_{takes[who.code, word]}.wav"
        takes[who.code, word] += 1
        made = clip(digit.samples, generator("clip", name))
        soundfile.write(folder / name, made, RATE, subtype="PCM_16")
        speakers[who.code] = {"source": who.source, "voice": who.voice}
        names[who.split].append(name)
    for split, file in LISTS.items():
        write_text(folder / file, "".join(f"{name}\n" for name in sorted(names[split])))
    write_json(folder / "speakers.json", speakers)
