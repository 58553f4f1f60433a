"""Readings that are given by hand: a file with a word and its phonemes on each line.

# names of the crew
nguyen	N W IH1 N

An entry is meant for the word with an ending behind an apostrophe, `nguyen's`, as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from diffaudio.log import Refusal

__all__ = ["CONSONANTS", "PHONEMES", "VOWELS", "read_lexicon"]

CONSONANTS = (
    "B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N",
    "NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
VOWELS = (
    "AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW",
)  # fmt: skip
PHONEMES = (*CONSONANTS, *(f"{vowel}{stress}" for vowel in VOWELS for stress in "012"))
"""ARPAbet as in CMUdict: a vowel's figure is its stress, 1 the main one, 0 none."""


def read_lexicon(path: Path, content: bytes) -> Mapping[str, tuple[str, ...]]:
    """Return the phonemes of the words in a lexicon.

    Args:
        path: for messages.
        content: of the file, in UTF-8 with or without a byte order mark: word, tab, phonemes; `#`
            begins a comment.

    Raises:
        Refusal: a line is not of that form, with its number; or a word is there twice.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Refusal(f"{path}: not UTF-8 ({error})", mend="save it as UTF-8") from error
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, start=1):
        word, _, said = line.partition("#")[0].partition("\t")
        word = word.strip().lower()
        if word or said.strip():
            fault = _fault(word, said.split(), found)
            if fault:
                raise Refusal(
                    f"{path}, line {number}: {fault}",
                    mend="a line is a word, a tab, and phonemes with stress: HH AH0 L OW1",
                )
            found[word] = tuple(said.split())
    return found


def _fault(word: str, phonemes: list[str], found: Mapping[str, tuple[str, ...]]) -> str:
    """Return what is wrong with an entry."""
    if not re.fullmatch(r"[a-z']+", word):
        return f"{word!r} is not one word in the letters a to z"
    if word in found:
        return f"{word!r} has a reading already"
    if unknown := [one for one in phonemes if one not in PHONEMES]:
        return f"{word!r}: no such phonemes: {', '.join(unknown)}"
    return "" if phonemes else f"{word!r} has no phonemes"
