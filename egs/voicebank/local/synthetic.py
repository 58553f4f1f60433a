"""The synthetic corpus, for machines without Debian packages: espeak-ng speech, generated noise.

Needs the Python package espeakng-loader (10 MB, espeak-ng inside). The voices are formant
synthesis and the noises are formulas, so figures on it only say that everything works; its label
says so in every table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mixtures import RATE, Noise, Voice, deal, draw, write

from diffaudio.corpus.espeak import Espeak
from diffaudio.files import write_json, write_text
from diffaudio.log import log

__all__ = ["LABEL", "make"]

LABEL = "synthetic (espeak-ng speech, generated noise)"
# speaker: espeak-ng voice and variant, part, sentences
VOICES = {
    "anna": ("en-us+f2", "train", 250),
    "boris": ("en+m3", "train", 250),
    "carla": ("es+f5", "valid", 250),
    "diego": ("it+m7", "train", 250),
    "edith": ("de+f4", "test", 140),
}
WHO = "the miller|a sailor|our teacher|the old doctor|my sister|a young painter|the guard|nobody"
DOES = "carries|remembers|has sold|would like to see|cannot find|repairs|describes|brings back"
WHAT = "the yellow bicycle|seven boxes of apples|a broken window|the long letter|two silver coins"
WHERE = "near the harbour|before midnight|on the third floor|in the village|after the storm|at noon"
NOISE_SECONDS, NOISES_OF_A_KIND = 8.0, 6
LEVEL = np.float32(0.7)  # of what is spoken


def make(folder: Path, _: Path) -> None:
    """Write the corpus; nothing is downloaded.

    Raises:
        Refusal: espeakng-loader is not installed.
    """
    espeak = Espeak()
    log.info("speaking")
    voices = [
        Voice(name, "", part, [_say(espeak, voice, name, number) for number in range(count)])
        for name, (voice, part, count) in VOICES.items()
    ]
    noises = [_noise(kind, number) for kind in _GENERATORS for number in range(NOISES_OF_A_KIND)]
    log.info("mixing")
    write(deal(voices, noises), folder)
    write_text(
        folder / "CREDITS.txt", "Spoken by espeak-ng (GPL-3), https://github.com/espeak-ng\n"
    )
    valid = [f"{name}_9" for name, (_, part, _) in VOICES.items() if part == "valid"]
    write_json(folder / "corpus.json", {"label": LABEL, "comparable": False, "valid": valid})


def _say(espeak: Espeak, voice: str, speaker: str, number: int) -> np.ndarray:
    return LEVEL * espeak.say(voice, _sentence(speaker, number), RATE)


def _sentence(speaker: str, number: int) -> str:
    random = draw("sentence", speaker, str(number))
    words = [str(random.choice(part.split("|"))) for part in (WHO, DOES, WHAT, WHERE)]
    return f"{' '.join(words)}, number {int(random.integers(100))}."


def _coloured(random: np.random.Generator, slope: float) -> np.ndarray:
    """Return noise whose power falls with frequency to the power of `slope`."""
    length = int(NOISE_SECONDS * RATE)
    spectrum = np.fft.rfft(random.standard_normal(length))
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 50)
    noise: np.ndarray = np.fft.irfft(spectrum * frequency ** (-slope / 2), length)
    return noise


def _wind(random: np.random.Generator) -> np.ndarray:
    swell = 1 + 0.8 * np.sin(2 * np.pi * random.uniform(0.2, 0.8) * _time() + random.uniform(0, 6))
    noise: np.ndarray = swell * _coloured(random, random.uniform(1, 2))
    return noise


def _hum(random: np.random.Generator) -> np.ndarray:
    base, harmonics = random.uniform(48, 180), np.arange(1, 40)
    phases = random.uniform(0, 2 * np.pi, len(harmonics))
    tones = np.sin(2 * np.pi * base * np.outer(harmonics, _time()) + phases[:, None])
    noise: np.ndarray = (tones / harmonics[:, None]).sum(axis=0)
    return noise + 0.1 * random.standard_normal(len(noise))


def _clatter(random: np.random.Generator) -> np.ndarray:
    total = 1e-3 * random.standard_normal(len(_time()))
    for start in random.uniform(0, NOISE_SECONDS, int(random.integers(20, 80))):
        after = np.maximum(_time() - start, 0)
        ring = np.sin(2 * np.pi * random.uniform(300, 5000) * after)
        total += ring * np.exp(-after * random.uniform(10, 80)) * (after > 0)
    return total


def _siren(random: np.random.Generator) -> np.ndarray:
    sweep = np.sin(2 * np.pi * random.uniform(0.2, 2) * _time())
    pitch = random.uniform(500, 2500) * (1 + 0.3 * sweep)
    tone: np.ndarray = np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return tone + 0.05 * _coloured(random, 0)


def _rain(random: np.random.Generator) -> np.ndarray:
    drops = random.standard_normal(len(_time())) * (random.random(len(_time())) < 0.01)
    return 5 * drops + random.standard_normal(len(_time())) * random.uniform(0.1, 0.5)


def _time() -> np.ndarray:
    return np.arange(int(NOISE_SECONDS * RATE)) / RATE


_GENERATORS = {"wind": _wind, "hum": _hum, "clatter": _clatter, "siren": _siren, "rain": _rain}


def _noise(kind: str, number: int) -> Noise:
    name = f"generated-{kind}{number}"
    samples = _GENERATORS[kind](draw("generated", name)).astype(np.float32)
    return Noise(name, name, wide=kind != "siren", samples=samples)
