"""Figures that are left when dates, money and measures are said: ranges, fractions, numbers."""

from __future__ import annotations

import re

from diffaudio.text.amounts import NUMBER, VULGAR
from diffaudio.text.numbers import cardinal, decimal, digits, mixed, ordinal, plural
from diffaudio.text.rules import Match, Rule, rule, words_of

__all__ = ["FIGURES"]

_SAID_AS_TWO = {("24", "7"), ("9", "11"), ("50", "50"), ("7", "7"), ("20", "20")}
_OF = words_of("page", "part", "step", "slide", "episode", "chapter", "day", "round", "question")


def _vulgar(match: Match) -> str:
    return mixed(match["whole"], *VULGAR[match["part"]])


def _slashed(match: Match) -> str:
    whole, above, below = match["whole"], match["above"], match["below"]
    if (above, below) in _SAID_AS_TWO and not whole:
        return f"{cardinal(above)} {cardinal(below)}"
    if int(below) < 2:
        return match[0]
    if not whole and int(above) > int(below) > 12:
        return f"{cardinal(above)} over {cardinal(below)}"  # of blood pressure
    of = re.match(
        r"\s(?:of|cups?|inch(?:es)?|miles?|sec(?:onds?)?|s|scale|mm)\b", match.string[match.end() :]
    )
    if not whole and below in {"10", "100"} and not of:
        return f"{cardinal(above)} out of {cardinal(below)}"
    return mixed(whole, above, below)


def _range(match: Match) -> str:
    if (match["first"], match["second"]) in _SAID_AS_TWO:
        return f"{cardinal(match['first'])} {cardinal(match['second'])}"
    return f"{decimal(match['first'])} to {decimal(match['second'])}"


def _version(match: Match) -> str:
    numbers = " point ".join(cardinal(part) for part in match["numbers"].split("."))
    return ("version " if match["v"] else "") + numbers


def _decimal(match: Match) -> str:
    return _apart(match, decimal(match[0].replace(",", "")))


def _number(match: Match) -> str:
    return _apart(match, cardinal(match[0]))


def _in_a_word(match: Match) -> str:
    """Return figures behind letters: `i386` is "i three eighty-six", `amd64` "amd sixty-four"."""
    written = match[0]
    if written.startswith("0") or len(written) > 3:
        words = digits(written)
    elif len(written) < 3:
        words = cardinal(written)
    else:
        rest = "hundred" if written[1:] == "00" else cardinal(written[1:])
        words = f"{cardinal(written[0])} {'oh ' * (written[1] == '0' != written[2])}{rest}"
    return _apart(match, f" {words}")


def _out_of_all(match: Match) -> str:
    """Return `4.5/5` as "four point five out of five"; `2.4/2.5` and `3.7/98` are none."""
    whole = match["all"] in {"4", "5", "6", "7", "10", "20", "25", "50", "100"}
    if not whole or float(match["n"]) > int(match["all"]):
        return match[0]
    return f"{decimal(match['n'])} out of {cardinal(match['all'])}"


def _apart(match: Match, words: str) -> str:
    """Return words apart from letters that follow: `10k` is "ten k"."""
    return words + (" " if match.string[match.end() : match.end() + 1].isalpha() else "")


FIGURES: tuple[Rule, ...] = (
    rule(
        "port",
        r"(?P<host>\d+(?:\.\d+){3}):(?=\d+\b)",
        r"\g<host> colon ",
    ),
    rule(
        "version",
        r"(?<![\w.])(?:(?P<v>[vV])(?=\d+\.\d))?(?P<numbers>\d+(?:\.\d+){2,}|"
        r"(?<=[vV])\d+\.\d+)(?!\w)",
        _version,
    ),
    rule("ordinal", r"(?<![\w.])(\d[\d,]*)(?:st|nd|rd|th)\b", lambda match: ordinal(match[1])),
    rule(
        "ordinal as it was",
        r"(?<=\b[Tt]he\s)(\d*[23])d(?=\s(?:of|regiment|inst|ult|day)\b)",
        lambda match: ordinal(match[1]),
    ),
    rule("vulgar fraction", rf"(?:(?P<whole>\d+)\s?)?(?P<part>[{''.join(VULGAR)}])", _vulgar),
    rule(
        "part of all",
        rf"(?P<part>\b(?i:{_OF})\s)(?P<n>\d+)/(?P<all>\d+)(?![\w/])",
        lambda match: f"{match['part']}{cardinal(match['n'])} of {cardinal(match['all'])}",
    ),
    rule(
        "out of all",
        r"(?<![\w./])(?P<n>\d+\.\d+)/(?P<all>\d+)(?![\w/]|[.,-]\d)",
        _out_of_all,
    ),
    rule(
        "fraction",
        r"(?<![\w./])(?:(?P<whole>\d+)(?:\s+|-))?(?P<above>\d{1,3})/(?P<below>\d{1,3})(?:ths?|rds?)?(?![\w/])",
        _slashed,
    ),
    rule("difference", rf"(?<=\d)\s?-\s?(?={NUMBER}\s?=)", " minus "),
    rule(
        "range",
        rf"(?<![\w.,-])(?P<first>{NUMBER})\s?-\s?(?P<second>{NUMBER})(?![\w-]|[.,]\d)",
        _range,
    ),
    rule(
        "figures in a compound",
        r"(?<![\w.,-])(\d{1,6})-(?=[A-Za-z])",
        lambda match: f"{cardinal(match[1])}-",
    ),
    rule("minus", r"(?<![\w)-])-(?=\.?\d)", "minus "),
    rule("billions", r"(?<=\d)\s?bn\b", " billion"),
    rule(
        "plural of a number",
        r"(?<![\w.,])(\d+)'?s\b",
        lambda match: plural(cardinal(match[1])),
    ),
    rule("decimal", r"(?<![\w.])(?:\d[\d,]*)?\.\d+(?![\d.]*\d)", _decimal),
    rule("number with commas", r"\d{1,3}(?:,\d{3})+(?!\d)", lambda match: cardinal(match[0])),
    rule("list of numbers", r"(?<=\d),(?=\d)", ", "),
    rule("number", r"(?<![A-Za-z\d])\d+", _number),
    rule("number in a word", r"\d+", _in_a_word),
)
