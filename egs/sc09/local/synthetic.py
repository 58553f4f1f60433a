"""The synthetic corpus, for machines without Debian packages: digits by formula, with NumPy alone.

A toy after Klatt, "Software for a cascade/parallel formant synthesizer" (1980): harmonics of a
pitch under three formants that glide from sound to sound, and noise in bands for what has no voice.
It only shows that everything works; its label says so in every table.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from clips import RATE, Digit, Speaker, write
from data import WORDS

from diffaudio.data.plan import generator
from diffaudio.files import write_json, write_text

__all__ = ["LABEL", "make", "say"]

LABEL = "synthetic (digits by formula)"
TAKES = 4
# speaker: split, mean pitch in Hz, length of the mouth relative to an adult man's
VOICES = {
    "formula-ann": ("train", 210.0, 0.86),
    "formula-bob": ("train", 110.0, 1.0),
    "formula-cid": ("train", 140.0, 0.95),
    "formula-dot": ("valid", 240.0, 0.84),
    "formula-eve": ("test", 190.0, 0.88),
    "formula-fred": ("test", 125.0, 0.98),
}
# sound: seconds, formants in Hz (vowels: Peterson & Barney 1952), voice, noise, its band in kHz
SOUNDS: dict[str, tuple[float, tuple[int, int, int], float, float, tuple[float, float]]] = {
    "iy": (0.15, (270, 2290, 3010), 1.0, 0.0, (0, 8)),
    "ih": (0.12, (390, 1990, 2550), 1.0, 0.0, (0, 8)),
    "eh": (0.12, (530, 1840, 2480), 1.0, 0.0, (0, 8)),
    "ah": (0.14, (640, 1190, 2390), 1.0, 0.0, (0, 8)),
    "aa": (0.15, (730, 1090, 2440), 1.0, 0.0, (0, 8)),
    "ao": (0.15, (570, 840, 2410), 1.0, 0.0, (0, 8)),
    "uw": (0.16, (300, 870, 2240), 1.0, 0.0, (0, 8)),
    "r": (0.08, (420, 1300, 1600), 0.6, 0.0, (0, 8)),
    "w": (0.07, (300, 610, 2200), 0.5, 0.0, (0, 8)),
    "n": (0.09, (250, 1700, 2500), 0.3, 0.0, (0, 8)),
    "v": (0.06, (250, 1100, 2300), 0.2, 0.02, (2, 8)),
    "z": (0.09, (250, 1700, 2500), 0.1, 0.15, (4, 8)),
    "s": (0.12, (250, 1700, 2500), 0.0, 0.3, (4, 8)),
    "f": (0.10, (250, 1100, 2300), 0.0, 0.1, (1.5, 8)),
    "th": (0.09, (250, 1400, 2400), 0.0, 0.06, (2, 8)),
    "t": (0.04, (300, 1800, 2600), 0.0, 0.3, (3, 7)),
    "k": (0.05, (300, 1800, 2400), 0.0, 0.2, (1.5, 4)),
    "-": (0.05, (300, 1700, 2500), 0.0, 0.0, (0, 8)),
}
SPOKEN = {
    "zero": "z iy r ao uw",
    "one": "w ah n",
    "two": "t uw",
    "three": "th r iy",
    "four": "f ao r",
    "five": "f aa ih v",
    "six": "s ih - k s",
    "seven": "s eh v ah n",
    "eight": "eh ih - t",
    "nine": "n aa ih n",
}
WIDTHS = np.array([90.0, 110.0, 170.0])  # of the formants, Hz


def make(folder: Path, _: Path) -> None:
    """Write the corpus; nothing is downloaded."""
    write(_digits(), folder)
    write_text(folder / "CREDITS.txt", "Made by formula; nobody's voice.\n")
    write_json(folder / "corpus.json", {"label": LABEL, "comparable": False})


def _digits() -> Iterator[Digit]:
    for voice, (split, pitch, mouth) in VOICES.items():
        speaker = Speaker(voice, split, "synthetic")
        for word in WORDS:
            for take in range(TAKES):
                random = generator("formula", voice, word, take)
                yield Digit(speaker, word, say(word, pitch, mouth, random))


def say(word: str, pitch: float, mouth: float, random: np.random.Generator) -> np.ndarray:
    """Return a word as (n,) at 16 kHz.

    Args:
        word: one of the ten.
        pitch: mean, in Hz.
        mouth: length relative to an adult man's; formants are as much higher as it is shorter.
        random: draws pace, pitch and noise.
    """
    sounds = [SOUNDS[name] for name in SPOKEN[word].split()]
    seconds = random.uniform(0.8, 1.25) * np.array([sound[0] for sound in sounds])
    length = int(seconds.sum() * RATE)
    time, centres = np.arange(length) / RATE, np.cumsum(seconds) - seconds / 2
    formants = np.array([sound[1] for sound in sounds]) / mouth
    glide = np.stack([np.interp(time, centres, formants[:, i]) for i in range(3)])  # (3, n)
    voiced = np.interp(time, centres, [sound[2] for sound in sounds])
    fall = random.uniform(0.9, 1.1) * pitch * np.linspace(1.1, 0.85, length)
    phase = 2 * np.pi * np.cumsum(fall) / RATE
    made = np.zeros(length)
    for number in range(1, int(0.45 * RATE / fall.max())):
        distance = (number * fall - glide) / WIDTHS[:, None]
        heard = (np.array([1.0, 0.6, 0.3])[:, None] / (1 + distance**2)).sum(axis=0)
        made += voiced * heard * np.sin(number * phase) / number**0.5
    edges = np.concatenate([[0.0], np.cumsum(seconds)]) * RATE
    for sound, start, end in zip(sounds, edges[:-1], edges[1:], strict=True):
        part = made[int(start) : int(end)]
        part += sound[3] * _band(len(part), sound[4], random)
    return made


def _band(length: int, kilohertz: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    """Return noise between two frequencies that swells and fades, its deviation about 1."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    frequency = np.fft.rfftfreq(length, 1e3 / RATE)
    inside = (frequency >= kilohertz[0]) & (frequency < kilohertz[1])
    noise: np.ndarray = np.fft.irfft(spectrum * inside, length) / max(inside.mean(), 1e-3) ** 0.5
    return noise * np.hanning(length + 2)[1:-1] ** 0.5
