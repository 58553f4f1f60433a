"""The mini corpus: thousands of digits by speech synthesisers, and forty by four people.

The synthesisers are Flite (four voices of people) and espeak-ng (formants). Every voice is in one
split; all that people spoke is in the test. Figures on it say how systems compare with each other
and must not stand beside figures on Speech Commands.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import flite
import numpy as np
import recordings
from clips import RATE, Digit, Speaker, write
from data import WORDS

from diffaudio.corpus.debian import credits_of, fetch, read
from diffaudio.corpus.espeak import Espeak
from diffaudio.data.plan import generator
from diffaudio.files import write_json, write_text
from diffaudio.log import log

__all__ = ["LABEL", "make"]

LABEL = "mini (synthetic digits, few real ones; not Speech Commands)"
# Flite's voices: split, takes of each word, lowest and highest mean pitch in Hz (rms has its own)
FLITE: dict[str, tuple[str, int, tuple[float, float] | None]] = {
    "slt": ("train", 90, (150.0, 220.0)),
    "rms": ("train", 180, None),
    "kal16": ("valid", 4, (85.0, 135.0)),
    "awb": ("test", 40, (110.0, 160.0)),
}
# espeak-ng's variants of which Whisper tiny.en reads at least eight digits of ten, spoken in en-us;
# those of one name (Mike, mike2) are in one split.
ESPEAK = {
    "train": "Alex Andy anika Annie antonio benjamin boris Diogo ed edward edward2 f2 f3 Gene "
    "Gene2 grandma gustave Hugo ian iven iven2 iven3 iven4 john klatt klatt2 klatt3 "
    "klatt4 klatt5 klatt6 Lee m1 m2 m3 m4 m7 m8 marcelo Marco Mario Michael michel "
    "miguel Mike mike2 Nguyen quincy Reed rob robert shelby steph steph2 steph3 Storm "
    "travis zac",
    "valid": "f5 Alicia m6 david sandro Jacky grandpa pedro",
    "test": "f4 linda Andrea m5 norbert caleb aunty Denis pablo paul Henrique max",
}
ACCENTS = ("en-us", "en", "en-us", "en-gb-scotland", "en-us", "en-us-nyc")
ESPEAK_TAKES = {"train": 11, "valid": 6, "test": 8}


def make(folder: Path, downloads: Path) -> None:
    """Fetch the packages and write the corpus.

    Args:
        folder: the corpus.
        downloads: the packages are kept in its folder `packages`, 190 MB.

    Raises:
        Refusal: the packages cannot be had (see `debian.fetch`), or espeakng-loader is missing.
    """
    espeak = Espeak()
    required = (*recordings.PACKAGES, *flite.PACKAGES)
    files = fetch(required, flite.LIBRARIES, downloads / "packages")
    packages = {
        name: read(path, recordings.PACKAGES.get(name, "^$")) for name, path in files.items()
    }
    with tempfile.TemporaryDirectory(dir=folder, prefix=".flite.") as place:
        programs = [files[name] for name in (*flite.PACKAGES, *flite.LIBRARIES) if name in files]
        speaks = flite.Flite(programs, Path(place))
        log.info("speaking")
        write(_digits(packages, speaks, espeak), folder)
    _write_credits(folder, files, packages)
    held = {name: path.name for name, path in sorted(files.items())}
    write_json(folder / "corpus.json", {"label": LABEL, "comparable": False, "packages": held})


def _digits(
    packages: Mapping[str, Mapping[str, bytes]], speaks: flite.Flite, espeak: Espeak
) -> Iterator[Digit]:
    yield from recordings.digits(packages)
    for voice, (split, takes, pitches) in FLITE.items():
        speaker = Speaker(f"flite-{voice}", split, "synthetic")
        for word in WORDS:
            for take in range(takes):
                random = generator(speaker.voice, word, take)
                samples = speaks.say(
                    voice,
                    word,
                    RATE,
                    stretch=round(random.uniform(0.75, 1.3), 2),
                    pitch=None if pitches is None else round(random.uniform(*pitches)),
                    speed=round(random.uniform(0.88, 1.14), 2),
                )
                yield Digit(speaker, word, samples)
    for split, variants in ESPEAK.items():
        for number, variant in enumerate(variants.split()):
            accent = ACCENTS[number % len(ACCENTS)]
            speaker = Speaker(f"espeak-{accent}-{variant}", split, "synthetic")
            for word in WORDS:
                for take in range(ESPEAK_TAKES[split]):
                    yield Digit(speaker, word, _take(espeak, f"{accent}+{variant}", word, take))


def _take(espeak: Espeak, voice: str, word: str, take: int) -> np.ndarray:
    random = generator("espeak", voice, word, take)
    speed, pitch, spread = (
        int(random.integers(*span)) for span in ((110, 190), (35, 66), (30, 81))
    )
    return espeak.say(voice, word, RATE, words_per_minute=speed, pitch=pitch, spread=spread)


def _write_credits(
    folder: Path, files: Mapping[str, Path], packages: Mapping[str, Mapping[str, bytes]]
) -> None:
    """Write CREDITS.txt: where the clips come from, then what each package says of itself."""
    names = "\n".join(f"  {files[name].name}" for name in sorted(files))
    head = (
        "The digits of this corpus are recordings out of Debian packages, changed (resampled,\n"
        "cut, levelled, noise added), and speech by Flite, out of such packages too, and by\n"
        "espeak-ng (GPL-3, https://github.com/espeak-ng). Authors and licences of the packages\n"
        f"follow; keep this file with whatever is made of the corpus.\n\n{names}\n"
    )
    write_text(folder / "CREDITS.txt", "\n".join([head, *credits_of(packages)]))
