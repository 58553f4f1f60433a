"""Words that are written alike and said otherwise: `homographs.tsv`, above g2p-en's own list.

It has words as well that are said in one way and are in no dictionary, or wrong there.

A row is a word, parts of speech (beginnings of Penn Treebank tags, or `*`), a pattern of the words
around it, which is written `_` there (or `*`), and the phonemes. The first row that fits is taken;
where none does, g2p-en goes on. A word with a capital in the table is meant with a capital.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Homograph", "read_homographs"]


@dataclass(frozen=True)
class Homograph:
    """A row of the table.

    Args:
        word: as it is written.
        tags: beginnings of parts of speech; none for all.
        near: pattern that the words around must hold.
        phonemes: how the word is said then.
    """

    word: str
    tags: tuple[str, ...]
    near: re.Pattern[str]
    phonemes: tuple[str, ...]

    def fits(self, written: str, tag: str, context: str) -> bool:
        """Say whether the row is meant.

        Args:
            written: the word in the text.
            tag: its part of speech.
            context: the words around it, in small letters.
        """
        if self.word[0].isupper() and not written[0].isupper():
            return False
        return (not self.tags or tag.startswith(self.tags)) and bool(self.near.search(context))


@functools.cache
def read_homographs() -> Mapping[str, Sequence[Homograph]]:
    """Return the rows of the table by their word in small letters."""
    found: dict[str, list[Homograph]] = {}
    table = Path(__file__).with_name("homographs.tsv").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            word, tags, near, phonemes = line.split("\t")
            row = Homograph(
                word,
                () if tags == "*" else tuple(tags.split()),
                re.compile("" if near == "*" else near),
                tuple(phonemes.split()),
            )
            found.setdefault(word.lower(), []).append(row)
    return found
