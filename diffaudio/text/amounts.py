"""Amounts: figures in front of what they count.

Behind `a` or `an` they describe what follows, which stays singular: a five-kilometer run.
"""

from __future__ import annotations

import re

from diffaudio.text.numbers import decimal
from diffaudio.text.rules import Match, words_of

__all__ = ["AMOUNT", "NUMBER", "OVERS", "VULGAR", "amount", "described", "is_one"]

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)"
AMOUNT = rf"(?P<minus>(?<![\w)])-)?(?<![\w/.,])(?P<n>{NUMBER}(?:\s?-\s?{NUMBER})?)"
OVERS = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "tn": "trillion"}
VULGAR = {
    "½": ("1", "2"), "¼": ("1", "4"), "¾": ("3", "4"), "⅓": ("1", "3"), "⅔": ("2", "3"),
    "⅕": ("1", "5"), "⅖": ("2", "5"), "⅗": ("3", "5"), "⅘": ("4", "5"), "⅙": ("1", "6"),
    "⅚": ("5", "6"), "⅛": ("1", "8"), "⅜": ("3", "8"), "⅝": ("5", "8"), "⅞": ("7", "8"),
}  # fmt: skip
_DESCRIBED = words_of(
    "record", "bag", "jack", "bottle", "box", "jar", "glass", "lens", "cable", "plug", "version",
    "walk", "hike", "sprint", "race", "dash", "run", "swim", "freestyle", "hurdle", "relay", "pool",
    "final",
    "SSD", "drive", "disk", "card", "stick", "file", "limit", "zone", "bulb", "charger", "battery",
)  # fmt: skip


def amount(match: Match) -> str:
    """Return the figures of a match in words: `10-20` as "ten to twenty", `-3.5` with its sign."""
    ends = [decimal(part.strip()) for part in match["n"].split("-")]
    return ("minus " if match["minus"] else "") + " to ".join(ends)


def is_one(match: Match) -> bool:
    """Say whether what is counted stands in the singular."""
    return match["n"] == "1"


def described(match: Match) -> bool:
    """Say whether the amount describes something that follows: `a 5 km run`, `the 100m race`."""
    before = match.string[: match.start()].rstrip().rpartition(" ")[2].lower()
    after = match.string[match.end() :]
    named = before in {"a", "an"} and re.match(r"\s[a-z]", after)
    return bool(named or re.match(rf"\s(?:{_DESCRIBED})s?\b", after))
