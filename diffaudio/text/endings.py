"""Endings of words: `'ll`, plurals, `er`, `ing`, `able`, `ed`, as the sound before them wants.

kilopascal + s  ->  ... AE2 L Z        reboot + ed  ->  ... UW1 T IH0 D
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["apart", "derived", "ended", "plural"]

_HISSING = ("S", "Z", "SH", "ZH", "CH", "JH")
_VOICELESS = ("P", "T", "K", "F", "TH")
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "'ll": ("AH0", "L"), "'ve": ("AH0", "V"), "'re": ("ER0",), "'d": ("AH0", "D"),
}  # fmt: skip
_DERIVING: Mapping[str, tuple[str, ...]] = {
    "er": ("ER0",), "ing": ("IH0", "NG"), "able": ("AH0", "B", "AH0", "L"), "ed": ("D",),
}  # fmt: skip
_STEM = 4  # letters of a word that an ending is taken from: `bios` is no plural

Listed = Callable[[str], tuple[str, ...]]


def apart(word: str) -> tuple[str, str]:
    """Return a word without an ending that an apostrophe stands before, and the ending, or ""."""
    stem, mark, _ = word.rpartition("'")
    ending = word[len(stem) :]
    known = mark and stem and (ending == "'s" or ending in _ENDINGS)
    return (stem, ending) if known else (word, "")


def ended(said: Sequence[str], ending: str) -> tuple[str, ...]:
    """Return phonemes with an ending; `'s` is said as the sound before it wants."""
    if ending in _ENDINGS:
        return (*said, *_ENDINGS[ending])
    if said[-1] in _HISSING:
        return (*said, "IH0", "Z")
    return (*said, "S" if said[-1] in _VOICELESS else "Z")


def plural(word: str, listed: Listed) -> tuple[str, ...]:
    """Return the phonemes of a listed word with `s`, also a verb's, or nothing.

    Args:
        word: in small letters.
        listed: gives a word's phonemes, none where nobody lists it.
    """
    if not re.search("[^su]s$", word) or len(word) <= _STEM:
        return ()
    said = listed(word[:-1]) or derived(word[:-1], listed)
    if not said and word.endswith("es"):
        hissing = listed(word[:-2])
        said = hissing if hissing and hissing[-1] in _HISSING else ()
    return ended(said, "'s") if _stressed(said) else ()


def derived(word: str, listed: Listed) -> tuple[str, ...]:
    """Return the phonemes of a listed word with `er`, `ing`, `able` or `ed`, or nothing.

    It may have lost an `e` or doubled its last letter; what could be two words is neither.

    Args:
        word: in small letters.
        listed: gives a word's phonemes, none where nobody lists it.
    """
    ending = next((one for one in _DERIVING if word.endswith(one)), "")
    stem = word.removesuffix(ending)
    if not ending or len(stem) < _STEM:
        return ()
    stems = [stem, f"{stem}e"] + [stem[:-1]] * (stem[-1] == stem[-2])
    found = {said for one in stems if (said := listed(one))}
    if len(found) != 1 or not _stressed(said := found.pop()):
        return ()
    if ending == "ed" and said[-1] in ("T", "D"):
        return (*said, "IH0", "D")
    if ending == "ed" and said[-1] in (*_VOICELESS, "S", "SH", "CH"):
        return (*said, "T")
    return (*said, *_DERIVING[ending])


def _stressed(phonemes: Iterable[str]) -> bool:
    return any("1" in one for one in phonemes)
