"""Addresses and symbols: what is read out of `someone@example.com`, `&`, `+`, `#`."""

from __future__ import annotations

import re

from diffaudio.text.numbers import digits
from diffaudio.text.rules import Match, Rule, rule

__all__ = ["ADDRESSES", "COMPARISONS", "SYMBOLS", "TIDY"]

_MARKS = {".": "dot", "@": "at", "-": "dash", "_": "underscore", "/": "slash", ":": "colon",
          "?": "question mark", "=": "equals", "&": "and", "#": "hash", "+": "plus",
          "~": "tilde", "%": "percent"}  # fmt: skip
_LONE = {
    "%": "percent", "°": "degrees", "§": "section", "¶": "paragraph", "©": "copyright",
    "$": "dollars", "£": "pounds", "€": "euros", "¥": "yen", "¢": "cents", "₽": "rubles",
    "₩": "won", "₺": "lira", "₪": "shekels", "₹": "rupees", "₿": "bitcoin", "№": "number",
    "→": "to", "∞": "infinity", "√": "the square root of", "‰": "per mille",
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "µ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "gamma", "Δ": "delta", "Θ": "theta", "Λ": "lambda",
    "Π": "pi", "Σ": "sigma", "Φ": "phi", "Ψ": "psi", "Ω": "omega",
}  # fmt: skip
_LIMITS = {"<": "less than", ">": "more than", "<=": "at most", ">=": "at least",
           "≤": "at most", "≥": "at least"}  # fmt: skip
_BETWEEN = {"<": "is less than", ">": "is greater than", "≠": "is not equal to", "≈": "is about",
            **dict.fromkeys(("<=", "≤"), "is less than or equal to"),
            **dict.fromkeys((">=", "≥"), "is greater than or equal to")}  # fmt: skip
_SPELLED = {
    "www", "uk", "us", "de", "fr", "eu", "tv", "io", "ac", "bbc", "html", "http", "ftp", "ai",
    "pdf", "csv", "jpg", "png", "xml", "js", "md", "py", "mp", "docx", "xlsx", "pptx", "yml", "txt",
}  # fmt: skip
_ENDINGS = (
    r"pdf|md|py|js|txt|csv|json|html?|jpe?g|png|gif|zip|docx?|xlsx?|pptx?|mp[34]|wav|exe|ya?ml|"
    r"xml|log|crt|key|pem|conf|cfg"
)
_HOST = r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"


def _address(match: Match) -> str:
    """Return an address part by part; a full stop behind it is the sentence's."""
    written = re.sub(r"^[a-z]+://", "", match[0])
    ending = re.search(r"[.,;:!?/]*$", written)
    stops = "" if ending is None else ending[0]
    parts = re.findall(r"[A-Za-z]+|\d+|.", written[: len(written) - len(stops)])
    return " ".join(filter(None, map(_part, parts))) + stops.replace("/", "")


def _part(part: str) -> str:
    if part.isdecimal():
        return digits(part)
    if part.lower() in _SPELLED:
        return " ".join(part.upper())
    return part if part.isalpha() else _MARKS.get(part, "")


def _key(match: Match) -> str:
    """Return a sign by itself: in telephone prompts, `#` is the pound key and `*` the star.

    Elsewhere `#5` is a number, and stars are ornaments.
    """
    prompt = re.search(r"\b(?:press|key|dial|enter)\b", match.string, re.I)
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    if not prompt and (after.isdecimal() or match[0] == "*" and not before.isdecimal()):
        return match[0]
    return f" {'star' if match[0] == '*' else 'pound' if prompt else 'hash'} "


def _compared(match: Match, words: str) -> str:
    """Return a comparison, without its verb where one stands before it: `it was < 5`."""
    verb = re.search(r"\b(?:is|are|was|were|be)\s?$", match.string[: match.start()])
    return f" {words.removeprefix('is ') if verb else words} "


def _greek(match: Match) -> str:
    """Return the name of a letter, apart from letters around it."""
    before = match.string[: match.start()][-1:].isalnum()
    after = match.string[match.end() :][:1].isalnum()
    return " " * before + _GREEK[match[1]] + " " * after


COMPARISONS: tuple[Rule, ...] = (
    rule("limit", r"(?<![^\s(])([<>]=?|[≤≥])(?=[-$£€.]?\d)|\A([<>]=?|[≤≥])\s(?=[-$£€.]?\d)",
         lambda match: _LIMITS[match[1] or match[2]] + " "),
    rule("comparison of figures",
         r"(?<=\w)\s?([<>]=?)\s?(?=[-$£€.]?\d)|(?<=\d)\s?([<>]=?)\s?(?=\w)",
         lambda match: _compared(match, _BETWEEN[match[1] or match[2]])),
    rule("product", r"(?<=\d)\s?\*\s?(?=\d)", " times "),
    rule("quotient", r"(?<=\d)\s/\s(?=[\d.]+\s?=)", " divided by "),
)  # fmt: skip
"""While there are figures."""

ADDRESSES: tuple[Rule, ...] = (
    rule("heading", r"\A\#{1,6}\s+(?=[A-Z]|\d+(?:\.\d+)*\s+[A-Z])", ""),
    rule("e-mail", rf"[\w.+-]+@{_HOST}", _address),
    rule("web address", rf"(?:https?|ftp)://[^\s()\"]+|\bwww\.{_HOST}[^\s()\"]*", _address),
    rule("host", r"\b(?:[A-Za-z0-9-]+\.)+(?:com|org|net|edu|gov|io|co\.uk|ac\.uk|de|fr|eu|ca|"
         r"ai|dev|app|info|tv)\b(?!\.\w)(?:/[^\s()\"]*)?",
         _address),
    rule("file", rf"\b\w[\w-]*(?:\.[\w-]+)*\.(?:{_ENDINGS})\b(?!\.\w)", _address),
    rule("handle", r"(?<!\S)@(?=[A-Za-z])", "at "),
    rule("topic", r"(?<!\S)\#(?![A-Z]{1,3}-\d)(?=[A-Za-z])", "hashtag "),
    rule("long number", r"[\#№]\s?(\d{5,})\b", lambda match: f"number {digits(match[1])}"),
    rule("key", r"(?<![\w&\#*])[\#*](?=[\s.,;:!?)\d]|$)|(?<=\d)[\#*](?=[\s.,;:!?)]|$)", _key),
    rule("number sign", r"[\#№]\s?(?=(?:[A-Z]{1,3}-)?\d)", "number "),
)  # fmt: skip

SYMBOLS: tuple[Rule, ...] = (
    rule("sharp", r"\b([A-G])\#(?!\w)", r"\1 sharp"),
    rule("hash", r"\#", " hash "),
    rule("ampersand", r"\s?&\s?", " and "),
    rule("at sign", r"\s?@\s?", " at "),
    rule("power", r"\^\s?(?=\w|minus)", " to the power of "),
    rule("plus", r"(?<=[A-Za-z])\+(?=[\s.,]|$)|\s?\+\s?", " plus "),
    rule("equals", r"\s?=\s?", " equals "),
    rule("comparison", r"\s?([≠≤≥≈])\s?", lambda match: _compared(match, _BETWEEN[match[1]])),
    rule("plus or minus", r"\s?±\s?", " plus or minus "),
    rule("times", r"\s?×\s?", " times "),
    rule("divided by", r"\s?÷\s?", " divided by "),
    rule("way through menus", r"(?<=[a-z])\s>\s(?=[A-Z])", ", "),
    rule("less or greater", r"\s([<>])\s", lambda match: _compared(match, _BETWEEN[match[1]])),
    rule("about", r"(?<!\S)~\s?(?=\w)", "about "),
    rule("squared", r"\s?([²³])",
         lambda match: " squared" if match[1] == "²" else " cubed"),
    rule("Greek letter", rf"(?<![Ͱ-Ͽµ])([{''.join(_GREEK)}])(?![Ͱ-Ͽµ])", _greek),
    rule("lone sign", rf"\s?([{re.escape(''.join(_LONE))}])\s?",
         lambda match: f" {_LONE[match[1]]} "),
    rule("alternatives", r"(?<=[A-Za-z])/(?=[A-Za-z])", " "),
    rule("slash", r"\s?/\s?", " slash "),
    rule("mark without a sound", r"[*_^|~<>\\]+", " "),
)  # fmt: skip


TIDY: tuple[Rule, ...] = (rule("blanks", r"\s+(?=[,;:!?)]|\.(?!\.))|(?<=\()\s+|(?<=\s)\s+", ""),)
