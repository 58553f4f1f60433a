"""How a transcript is read aloud: numbers and keys of a telephone in words, as LJSpeech has it.

Only what the prompts of the mini corpus need; other text passes unchanged.
"""

from __future__ import annotations

import re

from diffaudio.text.numbers import cardinal, digits

__all__ = ["key", "spoken", "weight"]

KEYS = {"*": "star", "#": "pound"}


def spoken(text: str) -> str:
    """Return a transcript in words.

    Dots before and after, which mark a part of a sentence, are taken away, and so is what stands in
    square brackets: it shows a sign whose name is spoken.
    """
    text = re.sub(r"\[[^\]]*\]", " ", text)
    text = re.sub(r"\bwww\.(\w+)\.(\w+)", r"W W W dot \1 dot \2", text)
    text = re.sub(r"[*#]", lambda sign: f" {KEYS[sign[0]]} ", text)
    text = re.sub(r"\d+(\.\d+)?(?=(\w?))", lambda found: _number(found[0]) + _gap(found[2]), text)
    text = re.sub(r"\s+(?=[,;:!?]|\.(?!\.))", "", " ".join(text.split()))
    return re.sub(r"^[\s.]*\.\.\.\s*|\s*\.\.\.$", "", text).strip()


def _gap(following: str) -> str:
    return " " if following else ""  # 3D is `three D`


def _number(number: str) -> str:
    """Return a number in words; one of three digits or more, an extension, digit by digit."""
    whole, _, part = number.partition(".")
    words = cardinal(whole) if len(whole) < 3 else digits(whole)
    return f"{words} point {digits(part)}" if part else words


def key(text: str) -> str:
    """Return what two texts that sound the same have in common: the letters of their words."""
    return " ".join(re.findall(r"[a-z]+", text.lower().replace("'", "")))


def weight(text: str) -> int:
    """Return how long a transcript takes to say, in letters; one that is spelt counts thrice."""
    text = spoken(text)
    spelt = sum(map(len, re.findall(r"\b(?:[A-Z]{2,}|[B-HJ-Z])\b", text)))
    return len(re.findall(r"[A-Za-z]", text)) + 2 * spelt
