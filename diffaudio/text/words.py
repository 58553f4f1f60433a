"""Which symbols of a reading say which of its words: where the alignment of a word begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from diffaudio.text.tokens import tokens

__all__ = ["Word", "split_words"]

_BLANK, _BEGINS = " ", "▁"  # between words, and how a learned piece begins one


class Word(NamedTuple):
    """A word of what is said.

    Attributes:
        text: the word, with its marks.
        first: number of its first symbol.
        end: number of the symbol behind its last one.
    """

    text: str
    first: int
    end: int


def split_words(said: str, symbols: Sequence[str]) -> list[Word]:
    """Return the words of a reading; none where its symbols do not tell them apart.

    Args:
        said: the text in words.
        symbols: its units, of any kind.
    """
    spans, first = [], 0
    for number, symbol in enumerate(symbols):
        if symbol == _BLANK or (symbol.startswith(_BEGINS) and number > first):
            spans.append((first, number))
            first = number + (symbol == _BLANK)
    spans.append((first, len(symbols)))
    spans = [span for span in spans if {*symbols[slice(*span)]} - {_BEGINS}]  # edges are no words
    for texts in (said.split(), _apart(said)):
        if len(texts) == len(spans):
            return [Word(text, *span) for text, span in zip(texts, spans, strict=True)]
    return []


def _apart(said: str) -> list[str]:
    """Return words as those see them who split at hyphens, too."""
    found: list[str] = []
    for token in tokens(said):
        if token.apart or not found:
            found.append("")
        found[-1] += token.text
    return found
