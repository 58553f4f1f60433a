"""The seam between text and a model: units, a fixed list of symbols and their numbers.

Characters are letters and marks as they are written, `Phonemes` (phonemes.py) are what is heard,
`Pieces` (pieces.py) are parts of words learned from a corpus.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from diffaudio.log import Refusal

__all__ = ["BLANK", "Characters", "Units", "interleave"]

BLANK = "<blank>"
ENGLISH = " abcdefghijklmnopqrstuvwxyz'.,;:?!-()\""


class Units(ABC):
    """Text to symbols, and symbols to their places in a list that never changes.

    A leaf is a frozen dataclass: its fields are what a front end keeps of it (front_end.py).

    Attributes:
        boundary: the symbol between words.
    """

    boundary: ClassVar[str] = " "

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Return every symbol there is; the number of a symbol is its place here."""

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """Return the symbols of a text; what has no symbol stands there as it was written."""

    @property
    def learns(self) -> bool:
        """Whether `learned` will make other units of these."""
        return False

    def learned(self, texts: Iterable[str], path: Path) -> Units:
        """Return the units that a corpus leads to: these, but where units are learned.

        Args:
            texts: of the corpus' training set, as they are said.
            path: of the file to write, if there is anything to keep.
        """
        del texts, path
        return self

    def held(self) -> Mapping[str, bytes]:
        """Return the content of the files that fields name, by the field: models carry it."""
        return {}

    def source(self) -> str:
        """Return the digest of what lies outside of it and still decides what is said, or ""."""
        return ""

    def encode(self, text: str, *, place: str = "text") -> list[int]:
        """Return the numbers of a text's symbols.

        Args:
            text: as it is said.
            place: where the text is from, for messages: a file and line, or an utterance.

        Raises:
            Refusal: the text is empty, or something in it is no unit: all of that is named.
        """
        return self.number(self.split(text), place=place)

    def number(self, symbols: Sequence[str], *, place: str = "text") -> list[int]:
        """Return the numbers of symbols.

        Raises:
            Refusal: there are none, or some are no units.
        """
        if all(symbol.isspace() or symbol == BLANK for symbol in symbols):
            raise Refusal(f"{place}: there is nothing to say", mend="leave it out of the corpus")
        places = {name: number for number, name in enumerate(self.names)}
        if unknown := [symbol for symbol in dict.fromkeys(symbols) if symbol not in places]:
            raise Refusal(
                f"{place}: {type(self).__name__} have no {', '.join(map(_described, unknown))}",
                mend="say it in words or leave it out of the text",
            )
        return [places[symbol] for symbol in symbols]


def _described(symbol: str) -> str:
    """Return a symbol with its name in Unicode, since some cannot be seen."""
    names = ", ".join(f"U+{ord(one):04X} {unicodedata.name(one, 'unnamed')}" for one in symbol[:3])
    return f"{symbol!r} ({names})"


def interleave(symbols: Sequence[str]) -> list[str]:
    """Return symbols with a blank before, between and behind them: 2 n + 1.

    Gives an aligner a place to stay between units. Source: Glow-TTS (Kim et al. 2020,
    arXiv:2005.11129), section 5.1; Matcha-TTS does so, too.
    """
    padded = [BLANK] * (2 * len(symbols) + 1)
    padded[1::2] = symbols
    return padded


@dataclass(frozen=True)
class Characters(Units):
    """Letters and marks as they are written.

    Args:
        alphabet: all that texts are made of, in the order of their numbers.
        lower: whether capitals are read as small letters.
        blank: whether a blank stands between units.

    Raises:
        ValueError: the alphabet is empty, or has something twice.
    """

    alphabet: str = ENGLISH
    lower: bool = True
    blank: bool = False

    def __post_init__(self) -> None:
        if not self.alphabet or len({*self.alphabet}) < len(self.alphabet):
            raise ValueError(f"alphabet must hold different characters: {self.alphabet!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the characters in their order."""
        return (*self.alphabet, BLANK) if self.blank else tuple(self.alphabet)

    def split(self, text: str) -> list[str]:
        """Return the characters of a text."""
        symbols = list(text.lower() if self.lower else text)
        return interleave(symbols) if self.blank and symbols else symbols
