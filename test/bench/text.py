"""Speed of the front end, and of what is kept: a corpus read twice.

    python test/bench/text.py [--sentences 2000]

Sentences are made of words of CMUdict, figures and names that no dictionary has, all different.
Times are those of the processor. Exits with 1 if the second pass is not five times faster.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from diffaudio.text import Cache, Characters, FrontEnd, Phonemes, Units
from diffaudio.text.pronounce import pronouncer

OPENINGS = ("In {y}, the", "Mr. {n} said that a", "On March {d}, {y}, the", "Press {d}, or the")
MIDDLES = ("{w} and the {w} of {n}", "{w} {w} would read the {w}", "lead {w} cost ${d}.50 per {w}")


def sentences(count: int) -> list[str]:
    """Return sentences of 8 to 16 words."""
    draw = random.Random(0)
    words = sorted(word for word in pronouncer().g2p.cmu if word.isalpha() and 3 < len(word) < 9)
    syllables = ("bra", "kel", "dor", "min", "sta", "fox", "lu", "wen")

    def fill(pattern: str) -> str:
        for slot, make in (
            ("{w}", lambda: draw.choice(words)),
            ("{n}", lambda: "".join(draw.choices(syllables, k=3)).capitalize()),
            ("{y}", lambda: str(draw.randint(1400, 2024))),
            ("{d}", lambda: str(draw.randint(1, 28))),
        ):
            while slot in pattern:
                pattern = pattern.replace(slot, make(), 1)
        return pattern

    patterns = (
        f"{draw.choice(OPENINGS)} {' in '.join(draw.sample(MIDDLES, 2))}." for _ in range(count)
    )
    return list(map(fill, patterns))


def passed(path: Path, units: Units, texts: list[str]) -> tuple[float, int]:
    """Read all texts with a new front end; return the seconds it took and how many were kept."""
    begin = time.process_time()
    with Cache(path, FrontEnd(units)) as cache:
        for number, text in enumerate(texts):
            cache.read(text, place=str(number))
    return time.process_time() - begin, cache.found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=2000)
    count = parser.parse_args().sentences
    texts = sentences(count)  # the dictionary is loaded by it and in neither time
    FrontEnd(Characters()).read("1")
    met = True
    for units in (Characters(), Phonemes()):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "readings.jsonl"
            first, _ = passed(path, units, texts)
            second, found = passed(path, units, texts)
        ratio = first / second
        name = type(units).__name__
        sys.stdout.write(f"{name:12} {count / first:10.0f} sentences/s, kept {found} of {count}\n")
        sys.stdout.write(
            f"{name:12} {count / second:10.0f} sentences/s the second time: x {ratio:.1f}\n"
        )
        met &= ratio >= 5 and found == count
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
