"""A text as words and marks, for whoever says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Token", "tokens"]

_TOKEN = re.compile(r"(?P<word>[A-Za-z']*[A-Za-z][A-Za-z']*)|(?P<mark>\.\.\.|\S)|(?P<gap>\s+)")


@dataclass(frozen=True)
class Token:
    """A word, a mark, or what has no symbol.

    Args:
        text: as it is written.
        word: whether it is a word.
        apart: whether a word boundary lies before it.
    """

    text: str
    word: bool
    apart: bool


def tokens(text: str) -> list[Token]:
    """Return words and marks; a hyphen inside of a word is a boundary, and so are blanks."""
    found: list[Token] = []
    apart = False
    for match in _TOKEN.finditer(re.sub(r"(?<=[A-Za-z'])-(?=[A-Za-z'])", " ", text.strip())):
        if match["gap"]:
            apart = True
        elif match["word"] or match["mark"] != "'":  # a quotation mark that nobody hears
            found.append(Token(match[0], match["word"] is not None, apart and bool(found)))
            apart = False
    return found
