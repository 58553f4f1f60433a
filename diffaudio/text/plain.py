"""Text folded to the characters that English is written with: quotes, dashes, accents, ligatures.

What has no such form, emoji or other scripts, is left as it is; units refuse it by name.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold"]

_LETTERS = {
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D",
    "ł": "l", "Ł": "L", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "ı": "i",
}  # fmt: skip
_MARKS = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "ʻ": "", "′": "'", "`": "'", "´": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"',
    "…": "...", "−": "-", "‐": "-", "‑": "-", "‒": "–", "―": "—", "⁄": "/", "∕": "/",
    "[": "(", "]": ")", "{": "(", "}": ")", "‹": '"', "›": '"', "¿": "", "¡": "",
    "℃": "°C", "℉": "°F", "\u2126": "Ω", "\u2206": "Δ", "μ": "µ", "™": "", "®": "", "†": "",
    "‡": "", "\ufe0f": "",
} | dict.fromkeys("•·◦▪●‣★☆", " ")  # fmt: skip
_TABLE = str.maketrans(_LETTERS | _MARKS)
_KEPT = set(
    "°²³¢£€¥×÷±≠≤≥≈§©½¼¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞№µ₩₽₺₪₿→∞√‰"
)  # rules say them; NFKD would take some apart

_FOOTNOTE = re.compile(  # `it.[1]`, `it.¹`; `x[1]` and `word[0]` are code
    r"(?:(?<=[.,;:!?\"”’])|(?<=[a-z]{2}))(?:\[[1-9]\d{0,2}\])+(?![\[(=]|\.\w|\s=)|"
    r"(?<=[.,;:!?\"”’])[⁰¹²³⁴-⁹]+"
)


def fold(text: str) -> str:
    """Return `text` with quotes, dashes, accents and ligatures of Latin script made plain.

    White space becomes single blanks. A dash between words stands between blanks; one between
    digits is a hyphen, for the rules of ranges.
    """
    text = re.sub(r"\s+", " ", text)
    text = _FOOTNOTE.sub("", text)
    text = unicodedata.normalize("NFC", text)  # a stroke belongs to the sign that it is through
    text = re.sub("[⁰¹²³⁴-⁹⁻]{2,}|[⁰¹⁴-⁹⁻]", _power, text)  # 10⁶ is not 106
    text = "".join(one if one in _KEPT else _base(one) for one in text.translate(_TABLE))
    text = re.sub(r"(?:(?<=\d)|(?<=[ap]m)|(?<=m\.))\s?[–—]\s?(?=[\d$£€])", "-", text)
    text = re.sub(r"(?<![\w)])–(?=[\d$£€])", "-", text)  # a minus sign
    text = re.sub(r"\s*(?:[–—]|(?<!-)--+(?!-))\s*", " - ", text)
    text = re.sub(r"(?<![^\W_])_+(?=[^\W_])|(?<=[^\W_])_+(?![^\W_])", "", text)  # in italics
    text = re.sub(r"\.(?:\s?\.){2,}", "...", text)
    text = re.sub(r"''|,,", '"', text)
    return re.sub(r"\s+", " ", text).strip()


def _power(match: re.Match[str]) -> str:
    return "^" + unicodedata.normalize("NFKC", match[0])


def _base(character: str) -> str:
    """Return a character without its accents where that leaves Latin letters or plain marks.

    What goes through a sign is no accent: ≮ is not <.
    """
    if character.isascii():
        return character
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return ""  # accents, and what only says how to lay out text
    parts = unicodedata.normalize("NFKD", character).translate(_TABLE)
    bare = "".join(one for one in parts if not unicodedata.combining(one))
    plain = bare.isascii() and (bare == parts or bare.isalpha())
    return bare if plain else character
