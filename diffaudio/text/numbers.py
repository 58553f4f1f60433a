"""Numbers in English words: cardinals, ordinals, decimals, years, fractions, digits.

`inflect` makes the words. Every function takes digits as they are written, thousands' commas
included, and returns words with single spaces; `twenty-one` keeps its hyphen.
"""

from __future__ import annotations

import functools
from typing import Any

__all__ = ["cardinal", "decades", "decimal", "digits", "fraction", "mixed", "ordinal", "plural"]
__all__ += ["year"]

LARGEST = 36  # digits that inflect has words for: longer ones are read one by one


@functools.cache
def _engine() -> Any:
    """Return the one engine of inflect; it takes a second to import."""
    import inflect

    return inflect.engine()


def cardinal(number: str | int) -> str:
    """Return `1,234` as "one thousand two hundred and thirty-four"."""
    written = str(number).replace(",", "")
    if len(written) > LARGEST:
        return digits(written)
    return str(_engine().number_to_words(int(written))).replace(",", "")


def ordinal(number: str | int) -> str:
    """Return `21` as "twenty-first"."""
    written = str(number).replace(",", "")
    return str(_engine().ordinal(cardinal(written)))


def digits(written: str) -> str:
    """Return `007` as "zero zero seven"; what is no digit is left out."""
    return " ".join(cardinal(digit) for digit in written if digit.isdecimal())


def decimal(written: str) -> str:
    """Return `3.05` as "three point zero five"; what has no point is a cardinal."""
    whole, point, part = written.replace(",", "").partition(".")
    if not point:
        return cardinal(whole)
    before = f"{cardinal(whole)} " if whole else ""
    return f"{before}point {digits(part)}"


def year(written: str | int) -> str:
    """Return `1984` as "nineteen eighty-four", `2007` as "two thousand and seven"."""
    number = int(written)
    century, rest = divmod(number, 100)
    if not 1000 < number < 10000 or century % 10 == 0 and rest < 10:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def decades(written: str) -> str:
    """Return `1980` as "nineteen eighties", `80` as "eighties", `1900` as "nineteen hundreds"."""
    return plural(year(written) if len(written) > 2 else cardinal(written))


def plural(words: str) -> str:
    """Return words with their last one in the plural: "twenty" as "twenties"."""
    if words.endswith("y"):
        return f"{words[:-1]}ies"
    return words + ("es" if words.endswith("x") else "s")


def fraction(above: str, below: str) -> str:
    """Return `3` and `4` as "three quarters"."""
    one = {"2": "half", "4": "quarter"}.get(below.lstrip("0"), "")
    if above == "1":
        return f"one {one or ordinal(below)}"
    many = {"half": "halves"}.get(one, plural(one or ordinal(below)))
    return f"{cardinal(above)} {many}"


def mixed(whole: str | None, above: str, below: str) -> str:
    """Return `2`, `1` and `2` as "two and a half"; without a whole a fraction."""
    part = fraction(above, below)
    if not whole:
        return part
    return f"{cardinal(whole)} and {f'a {part[4:]}' if above == '1' else part}"
