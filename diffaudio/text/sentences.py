"""Long text in sentences, each with the pause behind it, for synthesis one after the other.

A full stop ends no sentence behind a title, an initial or an abbreviation, nor inside of a number;
what a quotation says ends one only if the text does not go on in small letters. What is longer than
the limit is cut at clauses, then between words. The time is in proportion to the length: a mark is
judged by the few characters around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from diffaudio.text.dates import DAYS, MONTHS
from diffaudio.text.names import NUMBERED, STARTERS, TITLES
from diffaudio.text.paragraphs import unwrapped

__all__ = ["Pauses", "Sentence", "split_sentences"]

_END = re.compile(  # `. . .` is one mark; quotes, emphasis and footnotes are of the sentence
    r"(?<![.!?…])(?P<marks>[.!?…]+(?: [.!?](?![.!?…]))*)"
    r"(?:[\"'”’»)\]*_⁰¹²³⁴-⁹]|\[\w{1,3}\])*(?=\s|$)"
)
_OPENING = r"\s\"'“‘«(\[*_–—-"  # before a sentence's first word
_WORD = re.compile(r"(?:^|[\s\"“‘«(\[–—-])['_*]*")  # before any; `c*ntr*l` and `a_t` are one
_NEXT = re.compile(rf"[A-Z]\.(?!\w)|[^\W_]+|[^{_OPENING}]")  # an initial, a word, another sign
_SEEN = 60  # characters before a mark that are looked at: more than any abbreviation's
_NAMED = {*TITLES, "Robt", "Benj", "MM"}
_NAMED |= {name.upper() for name in _NAMED}  # not in small letters: `col`, `gen`, `mt` end too
_WORDS_TOO = {"RT", "ST", "MS", "MT"}  # only among capitals a title: `Thanks for the RT. Hoping`
_LETTER = re.compile(  # no initial; not behind any `of`, nor `in J`: names are
    r"\b(?i:(?:vitamin|hepatitis|standard|plan|class|grade|type)(?: of)?(?: an?)? [A-Z]"
    r"|(?:in|an?) (?-i:[A-DFRX]))$"
)
_NEVER = {"mr", "mrs", "dr", "e.g", "i.e", "vs", "cf", "viz", "al", "a.k.a"}
_BEFORE_NUMBERS = {
    *NUMBERED, "approx", "ext", "tel", "est", "ed", "rs", "op", "pt", "rm", "hwy", "sept",
    *(month[:3].lower() for month in MONTHS if month != "May"),
} - {"c", "p"}  # fmt: skip
_NUMBER = re.compile(r"[+$£€]|[A-Z]?\d\w*|[IVXLC]{2,}|[VX]\.?|I\.|[B-HJ-Z]")
_COUNTED = {"vol", "ch", "chap", "bk", "pt"}  # behind others, `no. I`, the letter is who speaks
_UNIT = re.compile(  # `5s. 6d.`, `2 hrs. 10 min.`, not `the 1990s.`
    r"(?:(?<![\d'’])\d{1,2} ?s|\d ?(?:d|lbs?|oz|yds?|ft|in|mi|yrs?|hrs?|mins?|secs?))$", re.I
)
_SELDOM = {"inc", "ltd", "co", "corp", "bros", "jr", "sr", "esq", "st", "ave", "rd", "blvd",
           "dept", "univ"}  # fmt: skip
_TIMES = {"a.m", "p.m", "etc", "am", "pm"}
_BEHIND_TIMES = {  # what goes on behind `7 a.m.`
    *DAYS.values(), *DAYS, *MONTHS, "Eastern", "Central", "Mountain", "Pacific", "Greenwich", "GMT",
    "UTC", "EST", "EDT", "CST", "CDT", "PST", "PDT", "BST", "CET", "ET", "PT",
}  # fmt: skip
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

    An entry of a list, a heading and a verse are parts of their own; other lines are one text.

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
        for lines in unwrapped(paragraph.splitlines()):
            for sentence in _sentences(lines):
                if not _ORNAMENT.fullmatch(sentence):
                    found += _parts(sentence, limit, pauses)
        if found:
            found[-1] = replace(found[-1], pause=pauses.paragraph)
    if found:
        found[-1] = replace(found[-1], pause=0.0)
    return found


def _sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a paragraph."""
    start, first = 0, _NEXT.search(text)
    for match in _END.finditer(text):
        following = _NEXT.search(text, match.end())
        before = text[max(start, match.start() - _SEEN) : match.start()].rstrip()
        begun = first is not None and first.start() < match.start()
        if not begun and before.endswith(("-", "–", "—")):  # an ornament
            start = match.end()
        if begun and _ends(before, match["marks"], following[0] if following else ""):
            yield text[start : match.end()].strip()
            start, first = match.end(), following
    if rest := text[start:].strip():
        yield rest


def _ends(before: str, marks: str, following: str) -> bool:
    """Say whether a sentence ends at its marks.

    Args:
        before: the last of the sentence so far, without the marks.
        marks: full stops and others.
        following: the next word, an initial with its point, or another sign; empty at the end.
    """
    if not following:
        return True
    if following[0].islower() or following[0] in ",;)]}":
        return False
    word = _WORD.split(before)[-1]
    if marks == ".":
        return _is_full_stop(word, following, before)
    stammered = word and following.lower().startswith(word.lower())  # `I . . . I don't know`
    return not stammered or not set(marks) <= set(". …")


def _is_full_stop(word: str, following: str, before: str) -> bool:
    """Say whether the point behind `word` is a full stop, where a capital or figure follows."""
    small = word.lower()
    if _UNIT.search(before):  # first, as `5 ft.` is no fort
        return not following[0].isdigit()
    numbered = re.fullmatch(r"\s*(?:\d+|[IVX]+)", before)  # `1. Take the ...`: a numbered line
    worded = word in _WORDS_TOO and (following != following.upper() or following in STARTERS)
    if numbered or word in _NAMED and not worded or small in _NEVER:
        return False
    if small in _TIMES:
        return following not in _BEHIND_TIMES
    if word == "I" and not re.search(r"\. I$", before):  # behind `Mr.` it is an initial
        return not following.endswith(".")  # `I. A. Richards`
    if small in _BEFORE_NUMBERS:
        return not (_NUMBER.fullmatch(following) or following == "I" and small in _COUNTED)
    initials = re.fullmatch(r"(?:[A-Za-z]\.)*[A-Za-z]", word)
    if (small in _SELDOM or word in DAYS or initials) and not worded:
        lettered = _LETTER.search(before) and not following.endswith(".")
        return following in STARTERS or bool(lettered)
    return True


def _parts(sentence: str, limit: int, pauses: Pauses) -> Iterator[Sentence]:
    """Yield a sentence in parts of at most `limit` characters."""
    start = 0
    while len(sentence) - start > limit:
        place, pause = _cut(sentence[start : start + limit + 1], limit, pauses)
        yield Sentence(sentence[start : start + place].strip(), pause)
        start += place
    yield Sentence(sentence[start:], pauses.sentence)


def _cut(text: str, limit: int, pauses: Pauses) -> tuple[int, float]:
    """Return where the first `limit` + 1 characters of a sentence are cut, and the pause there.

    The last strong mark of the second half of what may be taken, else a weaker one, else the last
    of any, else the middle of a word.
    """
    for least in (limit // 2, 1):
        for strength, pattern in enumerate(_CLAUSES[:2] if least > 1 else _CLAUSES):
            ends = [match.end() for match in re.finditer(pattern, text) if match.end() > least]
            if ends:
                return ends[-1], pauses.clause if strength < 2 else 0.0
    return limit, 0.0
