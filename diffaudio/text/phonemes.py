"""Phonemes: what is heard, in ARPAbet with stress, from g2p-en's dictionary and network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from diffaudio.log import Refusal
from diffaudio.text import language_data
from diffaudio.text.lexicon import PHONEMES, read_lexicon
from diffaudio.text.pronounce import pronouncer
from diffaudio.text.tokens import tokens
from diffaudio.text.units import BLANK, Units, interleave

__all__ = ["MARKS", "Phonemes"]

MARKS = (" ", ".", ",", ";", ":", "?", "!", "-", "(", ")", '"', "...")
"""What is no phoneme: the boundary of two words, and punctuation, which is heard as well."""


@dataclass(frozen=True)
class Phonemes(Units):
    """ARPAbet with stress; word boundaries and punctuation are symbols as well.

    Args:
        lexicon: file of readings that come before all others (lexicon.py).
        blank: whether a blank stands between units.

    Raises:
        Refusal: the lexicon is not there or not right.
    """

    lexicon: Path | None = None
    blank: bool = False

    def __post_init__(self) -> None:
        if self.lexicon is not None:  # deep in a configuration it may still be a word
            object.__setattr__(self, "lexicon", Path(self.lexicon))
        _ = self._given  # read now, so that a fault is found before any text is

    @property
    def names(self) -> tuple[str, ...]:
        """Return marks, then phonemes, then the blank if there is one."""
        return (*MARKS, *PHONEMES, *([BLANK] if self.blank else []))

    @cached_property
    def _content(self) -> bytes:
        if self.lexicon is None:
            return b""
        try:
            return self.lexicon.read_bytes()
        except OSError as error:
            raise Refusal(
                f"{self.lexicon}: no lexicon to be read ({error.strerror})",
                mend="name a file of words and their phonemes",
            ) from error

    @cached_property
    def _given(self) -> Mapping[str, tuple[str, ...]]:
        return read_lexicon(self.lexicon or Path(), self._content)

    def also(self, lexicon: Path) -> Phonemes:
        """Return units that say some words otherwise; what they hold to be saved stays the same.

        Args:
            lexicon: file of readings that come before this one's own.

        Raises:
            Refusal: the lexicon is not there or not right.
        """
        others = Phonemes(lexicon)._given
        units = replace(self)
        units.__dict__["_given"] = {**self._given, **others}  # where cached_property looks
        return units

    def held(self) -> Mapping[str, bytes]:
        """Return the lexicon's content."""
        return {"lexicon": self._content} if self.lexicon else {}

    def source(self) -> str:
        """Return the digest of dictionary and tagger."""
        return language_data.digest()

    def split(self, text: str) -> list[str]:
        """Return the phonemes of the words, boundaries and marks."""
        found = tokens(text)
        symbols: list[str] = []
        for token, said in zip(found, pronouncer().say(found, self._given), strict=True):
            symbols += [" "] * token.apart
            symbols += said
        return interleave(symbols) if self.blank and symbols else symbols
