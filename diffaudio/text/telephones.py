"""Telephone numbers, codes, anything else that is read figure by figure, with pauses in between."""

from __future__ import annotations

import re

from diffaudio.text.numbers import digits
from diffaudio.text.rules import Match, Rule, rule, words_of

__all__ = ["TELEPHONES"]

_CODES = words_of(
    "extension", "ext.", "code", "dial", "call", "PIN", "room", "flight", "zip", "OTP", "passcode",
    "ending in",
)  # fmt: skip
_NUMBERED = words_of("order", "reference", "ref", "booking", "account", "case", "password")
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|"
    "T[NX]|UT|V[AT]|W[AIVY]"
)


def _telephone(match: Match) -> str:
    """Return groups of digits, and words among them, with a comma, a short pause, in between."""
    groups = [one if one.isalpha() else digits(one) for one in re.findall(r"\d+|[A-Z]+", match[0])]
    return ("plus " if match[0].startswith("+") else "") + ", ".join(groups)


def _coded(match: Match) -> str:
    groups = re.findall(r"\d+", match["code"] or match["short"])
    return (match["word"] or match["text"]) + ", ".join(map(digits, groups))


TELEPHONES: tuple[Rule, ...] = (
    rule(
        "thousands apart",
        r"(?<![\w.,-])\d{1,3}(?:(?:\s000)+|(?:['_]\d{3})+)(?![\w'-]|[.,\s]\d)",
        lambda match: re.sub(r"\D", ",", match[0]),
    ),
    rule("telephone, international", r"\+\d{1,3}(?:[\s-]?\(?\d+\)?){2,}", _telephone),
    rule(
        "telephone, American",
        r"(?<![\w.,-])(?:1[\s.-])?(?:\(\d{3}\)\s?\d{3}[\s.-]|\d{3}[.-]\d{3}[.-])\d{4}(?![\w-])|"
        r"\b1-8\d\d(?:-[A-Z]{2,})+\b",
        _telephone,
    ),
    rule("number of groups", r"\b([Nn])o\.\s?(?=\d+-0?\d+|0\d)", r"\1umber "),
    rule(
        "figures in groups",
        r"(?:(?<![\w.,$£€-])|(?<=[A-Z]-))(?:\d+(?:-\d+){2,}|(?!(?:1\d|20)\d\d-0\d\b)\d+-0\d+)(?![\w-])",
        _telephone,
    ),
    rule("telephone, local", r"(?<![\w.,$£€-])\d{3}-\d{4}(?![\w-]|[.,]\d)", _telephone),
    rule(
        "telephone, in groups",
        r"(?<![\w.,$£€-])(?:\(?0\d{2,4}\)?(?:\s\d{3,6}){1,3}|"
        r"(?=[\d\s]*\d{4})\d{1,4}(?:\s\d{3,4}){2,})(?![\w-]|[.,]\d)",
        _telephone,
    ),
    rule(
        "code",
        rf"(?P<word>\b(?i:(?:{_CODES})(?:\s(?:is|number))?:?|(?:{_NUMBERED})(?:\s(?:is|number)|:))\s)"
        r"(?P<code>\d{3}[\s-]\d{3}|\d{3,})(?!\w|[.,:/-]\d)|"
        r"(?P<text>\b[Tt]ext\s\w+\sto\s)(?P<short>\d{4,6})\b",
        _coded,
    ),
    rule(
        "zip code",
        rf"(?P<state>\b(?:{_STATES})\s)(?P<code>\d{{5}})(?:-(?P<more>\d{{4}}))?(?![\w,]|-\d)",
        lambda match: (
            match["state"]
            + digits(match["code"])
            + ", " * bool(match["more"])
            + digits(match["more"] or "")
        ),
    ),
    rule(
        "second of two calls",
        r"(?P<call>\b(?i:dial|call)\s(?:\w+\s)+or\s)(?P<code>\d{3})\b",
        lambda match: match["call"] + digits(match["code"]),
    ),
    rule(
        "leading zeros",
        r"(?<![\w.,:/$£€'°-])0\d+(?![\w%:/°]|[.,]\d)",
        lambda match: digits(match[0]),
    ),
    rule(
        "long string of digits",
        r"(?<![\w.,$£€-])(?!\d+000\b)\d{7,}(?![\w%]|[.,]\d|\s(?:million|billion))",
        lambda match: digits(match[0]),
    ),
)
