"""Long text in sentences, each with the pause behind it, for synthesis one after the other.

A full stop ends no sentence behind a title, an initial or an abbreviation, nor inside of a number;
what a quotation says ends one only if the text does not go on in small letters. What is longer than
the limit is cut at clauses, then between words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from diffaudio.text.names import STARTERS, TITLES

__all__ = ["Pauses", "Sentence", "split_sentences"]

_END = re.compile(r"(?P<marks>[.!?…]+)(?P<close>[\"'”’)\]]*)(?=\s|$)")
_NEVER = {
    *(title.lower() for title in TITLES), "e.g", "i.e", "vs", "cf", "viz", "al", "messrs", "a.k.a",
}  # fmt: skip
_BEFORE_NUMBERS = {"no", "nos", "vol", "vols", "p", "pp", "fig", "figs", "ch", "chap", "sec",
                   "art", "c", "ca", "approx", "jan", "feb", "mar", "apr", "jun", "jul", "aug",
                   "sep", "sept", "oct", "nov", "dec"}  # fmt: skip
_SELDOM = {"inc", "ltd", "co", "corp", "bros", "jr", "sr", "esq", "st", "ave", "rd", "blvd",
           "dept", "univ", "mon", "tue", "wed", "thu", "fri", "sat", "sun"}  # fmt: skip
_TIMES = {"a.m", "p.m", "etc", "am", "pm"}
_BEHIND_TIMES = {  # what goes on behind `7 a.m.`
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January",
    "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December", "Eastern", "Central", "Mountain", "Pacific", "Greenwich", "GMT",
    "UTC", "EST", "EDT", "CST", "CDT", "PST", "PDT", "BST", "CET", "ET", "PT", "Mon", "Tue", "Wed",
    "Thu", "Fri", "Sat", "Sun",
}  # fmt: skip
_LISTED = re.compile(r"(?:[-*•◦▪●‣–—]\s+|(?=\(?\d{1,2}[.)]\s))")  # `- one`, `1. one`
_ORNAMENT = re.compile(r"[\s.,;:!?…*_~|<>()\[\]'\"“”‘’–—-]*")  # between scenes: `* * *`
_CLAUSES = (r"[;:—][\"'”’)]*\s|\s[-–—]+\s", r",[\"'”’)]*\s", r"\s")


@dataclass(frozen=True)
class Pauses:
    """Seconds of silence behind a part.

    Args:
        sentence: behind a sentence.
        paragraph: behind the last sentence of a paragraph.
        clause: where a long sentence is cut at a mark.
    """

    sentence: float = 0.4
    paragraph: float = 0.8
    clause: float = 0.15


@dataclass(frozen=True)
class Sentence:
    """A part of a text that is said in one go.

    Args:
        text: as it is written, white space made single.
        pause: seconds behind it; none behind the last one.
    """

    text: str
    pause: float


def split_sentences(text: str, *, limit: int = 300, pauses: Pauses | None = None) -> list[Sentence]:
    """Return the sentences of a text, less marks without words; an empty line ends a paragraph.

    An entry of a list and a heading are parts of their own; other lines are one text.

    Args:
        text: any.
        limit: most characters of a part.
        pauses: their lengths.

    Raises:
        ValueError: the limit is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1: {limit}")
    pauses = pauses or Pauses()
    found: list[Sentence] = []
    for paragraph in re.split(r"\n\s*\n", text):
        for lines in _wrapped(paragraph.splitlines()):
            for sentence in _sentences(lines):
                if not _ORNAMENT.fullmatch(sentence):
                    found += _parts(sentence, limit, pauses)
        if found:
            found[-1] = replace(found[-1], pause=pauses.paragraph)
    if found:
        found[-1] = replace(found[-1], pause=0.0)
    return found


def _wrapped(lines: list[str]) -> Iterator[str]:
    """Yield what stands on lines of its own: entries of a list, headings, verses; others as one.

    A heading is much shorter than the lines around it, verses are three lines or more with a
    capital each, and neither is followed by a small letter.
    """
    lines = [" ".join(line.split()) for line in lines if line.strip()]
    longest = max(map(len, lines), default=0)
    verses = len(lines) > 2 and all(line[0].isupper() for line in lines)
    joined = ""
    for number, line in enumerate(lines, 1):
        entry = _LISTED.match(line)
        joined = f"{joined} {line[entry.end() :] if entry else line}".strip()
        below = "" if number == len(lines) else lines[number]
        alone = (verses or len(line) < 0.6 * longest) and not below[:1].islower()
        if alone or not below or _LISTED.match(below):
            yield joined
            joined = ""


def _sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a paragraph."""
    start = 0
    for match in _END.finditer(text):
        if _ends(text[start : match.start()], match, text[match.end() :].lstrip()):
            yield text[start : match.end()].strip()
            start = match.end()
    if rest := text[start:].strip():
        yield rest


def _ends(before: str, match: re.Match[str], after: str) -> bool:
    """Say whether a sentence ends at a mark.

    Args:
        before: the sentence so far, without the mark.
        match: the mark and closing quotation marks.
        after: what follows.
    """
    opening = after.lstrip("\"'“‘([-–— ")
    if not opening or not before.strip("\"'“‘([ "):
        return bool(before.strip("\"'“‘([ "))
    if opening[0].islower():
        return False
    if match["marks"] != ".":
        return True
    word = re.split(r"[\s\"'“‘(\[-]", before)[-1]
    following = re.match(r"\w+", opening)
    return _is_full_stop(word, following[0] if following else "", before)


def _is_full_stop(word: str, following: str, before: str) -> bool:
    """Say whether the point behind `word` is a full stop, where a capital or figure follows."""
    small = word.lower()
    if small in _NEVER or before.strip().isdigit():  # `1. Take the ...`: a numbered line
        return False
    if small in _BEFORE_NUMBERS:
        return not (following[:1].isdigit() or re.fullmatch(r"[IVXLC]+", following))
    initials = re.fullmatch(r"(?:[A-Za-z]\.)*[A-Za-z]", word) and word != "I"
    if small in _TIMES:
        return following not in _BEHIND_TIMES
    if small in _SELDOM or initials:
        return following in STARTERS
    return True


def _parts(sentence: str, limit: int, pauses: Pauses) -> Iterator[Sentence]:
    """Yield a sentence in parts of at most `limit` characters."""
    while len(sentence) > limit:
        place, pause = _cut(sentence, limit, pauses)
        yield Sentence(sentence[:place].strip(), pause)
        sentence = sentence[place:].strip()
    if sentence:
        yield Sentence(sentence, pauses.sentence)


def _cut(sentence: str, limit: int, pauses: Pauses) -> tuple[int, float]:
    """Return where a long sentence is cut, and the pause there.

    The last strong mark of the second half of what may be taken, else a weaker one, else the last
    of any, else the middle of a word.
    """
    for least in (limit // 2, 1):
        for strength, pattern in enumerate(_CLAUSES[:2] if least > 1 else _CLAUSES):
            ends = [match.end() for match in re.finditer(pattern, sentence[: limit + 1])]
            ends = [end for end in ends if least <= len(sentence[:end].rstrip()) <= limit]
            if ends:
                return ends[-1], pauses.clause if strength < 2 else 0.0
    return limit, 0.0
