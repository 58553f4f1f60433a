"""When each symbol of a text begins in what was made of it: as decoding wrote it, and drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from pathlib import Path

from diffaudio.log import Refusal
from diffaudio.text import split_words
from diffaudio.text.units import BLANK

__all__ = ["DURATIONS", "Timing", "drawing", "lines", "read_timings"]

DURATIONS = "durations.jsonl"  # beside the wavs of a model that reads


@dataclass(frozen=True)
class Timing:
    """What was read of a text, and when.

    Args:
        said: the text in words.
        symbols: its units.
        starts: of each symbol in seconds, and behind them the end of the last one.
    """

    said: str
    symbols: tuple[str, ...]
    starts: tuple[float, ...]


def read_timings(folder: Path) -> dict[str, Timing]:
    """Return what the durations.jsonl in a folder says of each utterance; nothing without one.

    Raises:
        Refusal: a line is not what decoding writes.
    """
    path, found = folder / DURATIONS, {}
    if not path.is_file():
        return {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            hop, symbols = row["hop"] / row["rate"], tuple(map(str, row["symbols"]))
            starts = tuple(hop * end for end in accumulate(row["frames"], initial=0))
            if len(starts) != len(symbols) + 1:
                raise ValueError(f"{len(symbols)} symbols, {len(starts) - 1} durations")
            found[str(row["id"])] = Timing(str(row["said"]), symbols, starts)
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise Refusal(
                f"{path}: line {number}: no durations of symbols ({error})", mend="decode again"
            ) from error
    return found


def lines(timing: Timing, text: str) -> dict[str, str]:
    """Return what a text was read as, in words and in symbols, as far as it is not the text itself.

    Args:
        timing: of what was made of it.
        text: as it was given.
    """
    told = {}
    if timing.said != text:
        told["read as"] = timing.said
    shown = [symbol for symbol in timing.symbols if symbol != BLANK]
    if "".join(shown).casefold() != timing.said.casefold():
        told["in symbols"] = " ".join("·" if symbol == " " else symbol for symbol in shown)
    return told


def drawing(timing: Timing, seconds: float) -> str:
    """Return what lies over and below a picture of so many seconds: words, and symbols as blocks.

    A thin line marks the start of each word in the picture; pointing at a block names its symbol.
    """
    words = [
        (word.text, timing.starts[word.first])
        for word in split_words(timing.said, timing.symbols)
        if timing.starts[word.first] < seconds
    ]
    path = "".join(f"M{start:.2f} 0V1" for _, start in words)
    view = f'viewBox="0 0 {seconds:.2f} 1" preserveAspectRatio="none"'
    return (
        f'<svg class="starts" {view} aria-hidden="true"><path d="{path}"/></svg>'
        f'<div class="symbols"><svg {view} role="img" aria-label="When each symbol begins">'
        f"{_blocks(timing, seconds)}</svg>{_labels(words, seconds)}</div>"
    )


def _blocks(timing: Timing, seconds: float) -> str:
    """Return a block for each symbol that is heard; between words there is a gap."""
    spans = zip(timing.symbols, timing.starts[:-1], timing.starts[1:], strict=True)
    return "".join(
        f'<rect x="{start:.2f}" width="{min(end, seconds) - start:.2f}" height="1">'
        f"<title>{escape(symbol)}, {start:.2f} s</title></rect>"
        for symbol, start, end in spans
        if symbol not in (" ", BLANK) and start < min(end, seconds)
    )


def _labels(words: list[tuple[str, float]], seconds: float) -> str:
    """Return words at their starts, in two rows by turns: each may be as wide as two."""
    ends = [start for _, start in words[2:]] + [seconds] * 2
    return "".join(
        f'<b style="left:{100 * start / seconds:.1f}%;'
        f'width:{100 * (end - start) / seconds:.1f}%">{escape(text)}</b>'
        for (text, start), end in zip(words, ends, strict=False)
    )
