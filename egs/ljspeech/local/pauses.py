"""Long recordings cut at pauses where their transcripts have a full stop or a comma.

Speech of one person keeps a steady pace, so a stretch of text says how long it takes. Cutting is a
way through the marks of the text and the pauses, in order: the one on which stretches last as long
as they should, long pauses are cut at, and sentences stay whole. Dynamic programming finds it, as
in Gale & Church 1993, "A program for aligning sentences in bilingual corpora", by lengths too.
Nothing is recognised. A piece is doubtful whose pace is odd, and so are those beside it, with which
it shares a cut; and so are the two at a cut that might as well be at another pause.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

__all__ = ["Piece", "cut", "marks", "pauses", "trimmed"]

FRAMES = 100  # a second
QUIET = 35.0  # dB below the loud frames: no speech
SHORTEST_PAUSE = 0.12  # seconds; closures of stops are shorter
MARGIN = 0.1  # seconds kept before and after speech
SPREAD = 0.12  # of the logarithm of a stretch's pace
DOUBT = 0.3  # of the same: a piece that is further off is doubtful
SURE = 1.5  # what a way with the cut elsewhere costs more, for the cut to be sure
# What is paid in the same unit: for a sentence's end inside of a piece, for a cut inside of a
# sentence, for a second of pause, beyond the shortest, that is not cut at, for a piece too long.
COSTS = {"end": 2.0, "comma": 2.0, "pause": 8.0, "long": 3.0}


Node = tuple[int, int]  # so many parts of the text are before so many pauses


@dataclass(frozen=True)
class Piece:
    """A part of a recording: samples, the part of its transcript, whether the two may not match."""

    samples: np.ndarray
    text: str
    doubtful: bool


def _quiet(samples: np.ndarray, rate: int) -> np.ndarray:
    """Say of each frame whether nobody speaks: (frames,)."""
    size = rate // FRAMES
    frames = samples[: len(samples) // size * size].astype(np.float64).reshape(-1, size)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    quiet: np.ndarray = level < np.percentile(level, 95) - QUIET
    return quiet


def trimmed(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return a recording (n,) with a tenth of a second, where there is one, around its speech."""
    loud = np.flatnonzero(~_quiet(samples, rate))
    start, end = loud[0] / FRAMES - MARGIN, (loud[-1] + 1) / FRAMES + MARGIN
    return samples[max(0, round(start * rate)) : round(end * rate)]


def pauses(samples: np.ndarray, rate: int) -> list[tuple[float, float]]:
    """Return start and end in seconds of each silence: first the one before speech, last after."""
    quiet = np.concatenate([[True], _quiet(samples, rate), [True]])
    edges = np.flatnonzero(np.diff(quiet.astype(int)))  # speech begins, ends, begins, ends
    spans = list(zip([0, *edges[1::2]], [*edges[::2], len(quiet) - 2], strict=True))
    inner = [span for span in spans[1:-1] if span[1] - span[0] >= SHORTEST_PAUSE * FRAMES]
    return [(start / FRAMES, end / FRAMES) for start, end in (spans[0], *inner, spans[-1])]


def marks(text: str) -> list[str]:
    """Return a transcript in parts that end where one may pause; together they are the text."""
    return re.findall(r".+?(?:[.?!,;:]+(?=\s)|$)\s*", text)


def cut(
    samples: np.ndarray,
    rate: int,
    parts: Sequence[str],
    weight: Callable[[str], float],
    *,
    longest: float,
) -> list[Piece]:
    """Cut a recording into pieces of whole parts of its transcript.

    Args:
        samples: (n,).
        rate: in Hz.
        parts: of the transcript, as `marks` gives them.
        weight: how long a text takes to say, in any unit; it adds up.
        longest: seconds of a piece, which is exceeded where the pauses leave no other way: a cut
            that must be would be made where the words do not end.

    Returns:
        The pieces in order.
    """
    found = pauses(samples, rate)
    said = np.concatenate([[0.0], np.cumsum([end - start for start, end in found])])
    clock = np.array([start for start, _ in found]) - said[:-1]  # of speech, pauses taken out
    clock[0] = 0.0
    texts = np.concatenate([[0.0], np.cumsum([weight(part) for part in parts])])
    pace = clock[-1] / texts[-1]
    ends = [part.rstrip().endswith((".", "?", "!")) for part in parts]

    def off(a: Node, b: Node) -> float:
        return math.log((clock[b[1]] - clock[a[1]]) / (pace * (texts[b[0]] - texts[a[0]])))

    def price(a: Node, b: Node) -> float:
        lasts = found[b[1]][0] - found[a[1]][1] + 2 * MARGIN
        passed = found[a[1] + 1 : b[1]]
        cost = (off(a, b) / SPREAD) ** 2 + COSTS["end"] * sum(ends[a[0] : b[0] - 1])
        cost += COSTS["pause"] * sum(end - start - SHORTEST_PAUSE for start, end in passed)
        cost += 0.0 if ends[b[0] - 1] or b[0] == len(parts) else COSTS["comma"]
        return cost + (COSTS["long"] if lasts > longest else 0.0)

    way, through = _cheapest(len(parts), len(found) - 1, price)
    paid = min(through.values())
    sure = {
        at: all(
            cost > paid + SURE
            for other, cost in through.items()
            if other[0] == at[0] and other != at
        )
        for at in through
    }
    odd = [abs(off(a, b)) > DOUBT for a, b in way]
    beside = [any(odd[max(0, at - 1) : at + 2]) for at in range(len(odd))]
    return [
        Piece(
            trimmed(samples[_middle(found[a[1]], rate) : _middle(found[b[1]], rate)], rate),
            "".join(parts[a[0] : b[0]]).strip(),
            doubtful or not (sure.get(a, True) and sure[b]),
        )
        for (a, b), doubtful in reversed(list(zip(way, beside, strict=True)))
    ]


def _cheapest(
    parts: int, pauses: int, price: Callable[[Node, Node], float]
) -> tuple[list[tuple[Node, Node]], dict[Node, float]]:
    """Return the cheapest way from nothing to the whole, backwards, and what one by a node costs.

    Args:
        parts: of the text.
        pauses: after the first.
        price: of the piece between two nodes.
    """
    nodes = list(product(range(1, parts + 1), range(1, pauses + 1)))
    start, end = (0, 0), (parts, pauses)
    best: dict[Node, tuple[float, Node]] = {start: (0.0, start)}
    for b in nodes:
        ways = [(best[a][0] + price(a, b), a) for a in best if a[0] < b[0] and a[1] < b[1]]
        if ways:
            best[b] = min(ways)
    rest = {end: 0.0}  # what it costs from here on
    for a in reversed(nodes):
        onward = [price(a, b) + rest[b] for b in rest if a[0] < b[0] and a[1] < b[1]]
        if onward:
            rest[a] = min(onward)
    way, at = [], end
    while at != start:
        way.append((best[at][1], at))
        at = best[at][1]
    return way, {node: best[node][0] + rest[node] for node in rest if node in best}


def _middle(pause: tuple[float, float], rate: int) -> int:
    return round(sum(pause) / 2 * rate)
