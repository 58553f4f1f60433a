"""The lines of a paragraph: wrapped text made one, unless a line stands for itself.

Entries of lists, headings and verses do; text is wrapped where its lines are full, wherever that
is. Plain text does not say which is which: these are signs, and some are wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, zip_longest

from diffaudio.text.names import STARTERS, TITLES

__all__ = ["unwrapped"]

_LISTED = re.compile(  # `- one`, `1. one`, `# Heading`
    r"(?:(?:[-*•◦▪●‣–—]|(?P<heading>#{1,6}))\s+|(?=\(?\d{1,2}[.)]\s))"
)
_OPEN = {"a", "an", "the", "of", "at", "to", "and", "or", "nor", "than", "his", "its", "their",
         "my", "your", "our"}  # fmt: skip
_BEFORE_FIGURES = {*_OPEN, "version", "section", "clause", "step", "chapter", "no", "no."}
_NO_LAST = {  # of a heading
    *_OPEN, "said", "says", "set", "is", "are", "was", "were", "be", "been", "has", "have", "had",
    "will", "would", "by", "for", "from", "with", "into", "that", "which", "as", "if", "but",
}  # fmt: skip


def unwrapped(lines: list[str]) -> Iterator[str]:
    """Yield what stands on lines of its own: entries of a list, headings, verses; others as one.

    Neither a heading nor a verse leaves a phrase open or is followed by a small letter. Amid text
    in capitals are none.

    Args:
        lines: of one paragraph.
    """
    written = [line.rstrip() for line in lines if line.strip()]
    lines = [" ".join(line.split()) for line in written]
    longest = max(map(len, lines), default=0)
    verses = len(lines) > 2 and _are_verses(written)
    loose = _mostly_marked(lines) and not " ".join(lines).isupper()
    entries = _entries(lines)
    kept: list[str] = []
    for place, (line, below) in enumerate(zip_longest(lines, lines[1:], fillvalue="")):
        entry = entries[place]
        kept.append(line[entry.end() :] if entry else line)
        ends = not below or entries[place + 1] or entry and entry["heading"]
        amid = place and line.isupper() and below.isupper()
        short = len(line) < 0.6 * longest
        apart = verses or short and (loose or not amid and _is_heading(line, below))
        if ends or apart and not _goes_on(line, below):
            yield " ".join(kept)
            kept = []


def _entries(lines: list[str]) -> list[re.Match[str] | None]:
    """Return what marks the lines that are entries of a list.

    A wrapped line may begin with a dash or a figure, too: the only one, behind a line without a
    mark; or a figure behind `section`.
    """
    found = [_LISTED.match(line) for line in lines]
    signs = ["1" if line[0] in "(0123456789" else line[0] for line in lines]
    counts = Counter(sign for sign, entry in zip(signs, found, strict=True) if entry)
    for place, (above, line) in enumerate(pairwise(lines), 1):
        sign, last = signs[place], above.rsplit(" ", 1)[-1].lower()
        alone = counts[sign] == 1 and not found[place - 1] and not _is_marked(above)
        doubtful = sign in "1–—" or sign == "-" and line[2:3].islower()
        if alone and doubtful or sign == "1" and last in _BEFORE_FIGURES:
            found[place] = None
    return found


def _is_marked(line: str) -> bool:
    return line.rstrip("\"'”’)")[-1:] in set(",;:.!?…—=~-")


def _mostly_marked(lines: list[str]) -> bool:
    """Say whether most lines end in a mark, the last one aside."""
    return 2 * sum(map(_is_marked, lines[:-1])) > len(lines) - 1


def _is_heading(line: str, below: str) -> bool:
    """Say whether a short line looks like a heading: few words or all with capitals, complete.

    The first line of a wrapped text may be short: `Systems Inc's`, `The Exchange set`.
    """
    words = line.split()
    last = words[-1].lower() if line.isupper() else words[-1]  # `Plan A` is one
    if last in _NO_LAST or last.endswith(("'s", "’s", ",")):
        return False
    title = all(not word[0].islower() for word in words if len(word) > 3)
    return title or line[-1] in ":.!?" or len(words) <= 6 and below.split(" ")[0] in STARTERS


def _goes_on(line: str, below: str) -> bool:
    """Say whether a phrase goes on below: its last word needs another, or it began above."""
    last = line.rsplit(" ", 1)[-1]
    if last in _OPEN or last.endswith(".") and last[:-1] in TITLES or below[0].islower():
        return True
    if below[0] == "(" and not re.match(r"\(\w\)", below) or _LISTED.match(below):
        return True  # as it is no `(a)`, nor an entry
    if below[0] in '[<"':
        return last.isalpha() and last.islower()
    return line[0].islower() and line[-1].isalnum() and below[0].isalpha()


def _are_verses(lines: list[str]) -> bool:
    """Say whether three lines or more are verses: a capital each, not wrapped where they are full.

    A wrapped line had no room for the next one's word. Verses of one length look so too, but most
    end in a mark, or they are short and leave no phrase open. Three alone must be of these.
    """
    pairs = list(pairwise(lines))
    longest = max(map(len, lines))
    begun = all(line.lstrip()[0].isupper() for line in lines)
    if not begun or 2 * sum(map(str.isupper, lines)) > len(lines):
        return False
    if _mostly_marked(lines):
        return True
    if longest < 55 and not any(_goes_on(line, below.lstrip()) for line, below in pairs):
        return True
    full = sum(len(line) + 1 + len(below.split(None, 1)[0]) > longest for line, below in pairs)
    return len(lines) > 3 and full < 0.8 * len(pairs)
