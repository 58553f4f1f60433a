"""Dates, times of day, eras and years.

Dates in figures are read month first, as in the American speech of CMUdict and LJSpeech, unless
that cannot be: 3/12/2024 is in March, 13/12/2024 in December.
"""

from __future__ import annotations

import re

from diffaudio.text.numbers import cardinal, decades, ordinal, year
from diffaudio.text.rules import Match, Rule, rule, words_of

__all__ = ["DATES", "YEARS"]

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SHORT = {name[:3]: name for name in MONTHS} | {"Sept": "September"}
_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_MONTH = rf"(?P<month>(?:{words_of(*MONTHS)})\b|(?:{words_of(*_SHORT)})\b\.?)"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?P<year>\d{4})"
_WEEKDAY = rf"(?:{words_of(*_DAYS)}|\w+day)\b\.?"
_DATED = (
    rf"(?:\d|(?:{words_of(*MONTHS, *_SHORT)})\b|noon\b|midnight\b|(?:(?:and|or|to)\s+)?{_WEEKDAY})"
)
_ON = (
    r"(?:\b(?:[Oo]n|[Ee]very|[Nn]ext|[Ll]ast|[Tt]his|[Bb]y|[Uu]ntil|[Ss]ince)|"
    rf"{_WEEKDAY},?(?:\s+(?:and|or|to))?)\s+$"
)
_NOT_MORE = r"(?![\d/:%]|[.,-]\d)"
_NOT_COUNTED = {"was", "is", "has", "this", "its", "as", "his", "thus", "us", "various", "perhaps"}
_COUNTED = {"people", "men", "women", "children", "sheep"}


def _month(written: str) -> str:
    """Return the whole name of a month."""
    return _SHORT.get(written.rstrip("."), written.rstrip("."))


def _and_year(match: Match) -> str:
    """Return the year of a date behind a comma, or nothing."""
    return f", {year(match['year'])}" if match["year"] else ""


def _day_first(match: Match) -> str:
    when = f"{match['the'] or 'the'} {ordinal(match['day'])} of {_month(match['month'])}"
    return f"{when} {year(match['year'])}" if match["year"] else when


def _month_first(match: Match) -> str:
    return f"{_month(match['month'])} {ordinal(match['day'])}{_and_year(match)}"


def _in_figures(match: Match) -> str:
    first, second, written = int(match["a"]), int(match["b"]), match["year"]
    month, day = (first, second) if first <= 12 else (second, first)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    if len(written) == 2:
        written = ("19" if written >= "50" else "20") + written
    return f"{MONTHS[month - 1]} {ordinal(day)}" + (f", {year(written)}" if written else "")


def _clock(match: Match) -> str:
    """Return a time of day: `10:30`, `7 a.m.`, `19:05`, `10:00`."""
    found = match.groupdict()
    hour, half, seconds = int(found["hour"]), found.get("half"), found.get("second")
    minutes = found["minute"]
    words = cardinal(hour)
    if minutes and int(minutes):
        words += f" {'oh ' if minutes[0] == '0' else ''}{cardinal(minutes)}"
    elif minutes and not half and not seconds:
        words += " o'clock" if 1 <= hour <= 12 else " hundred"
    if seconds:
        words += f" and {cardinal(seconds)} second{'' if int(seconds) == 1 else 's'}"
    if half:
        words += f" {half.upper()} M" + (
            "." if match[0].endswith(".") and _ends(match.string[match.end() :]) else ""
        )
    return words


def _ends(rest: str) -> bool:
    """Say whether nothing but closing marks is left of the text."""
    return not rest.strip("\"')( ")


def _era(match: Match) -> str:
    letters = " ".join(one for one in match["era"] if one != ".")
    dot = "." if match["era"].endswith(".") and _ends(match.string[match.end() :]) else ""
    return f"{year(match['year'].replace(',', ''))} {letters}{dot}"


def _years(match: Match) -> str:
    """Return a range of years: `1990-95`, `1914-1918`; what goes backwards is none."""
    first, second = match["first"], match["second"]
    if int(first[-len(second) :]) >= int(second):
        return match[0]
    last = year(second) if len(second) == 4 else cardinal(second)
    return f"{year(first)} to {last}"


def _lone_year(match: Match) -> str:
    """Return four figures as a year, unless something is counted: `1984 houses`."""
    following = match["noun"] or ""
    counted = following in _COUNTED or (
        following.endswith("s") and not following.endswith("ss") and following not in _NOT_COUNTED
    )
    after = match.string[: match.start()].rstrip().rsplit(" ", 1)[-1]
    if counted and not match["year"].endswith("00") and after not in {"in", "In", "since", "of"}:
        return match[0]
    return f"{year(match['year'])}{match['rest']}"


def _short_year(match: Match) -> str:
    return ("oh " if match["year"][0] == "0" else "") + cardinal(match["year"])


def _weekday(match: Match) -> str:
    """Return a weekday; `the Sun.` and `there he sat.` are none, `on Sun.` is, `Sun., 5 May` is."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    if match["name"] in {"Sat", "Sun"}:
        dated = re.search(_ON, before) or re.match(rf",?\s+{_DATED}", after)
        if not dated or re.search(r"\b[Tt]he\s+$", before):
            return match[0]
    ends = match["stop"] and not after.strip("\"')( ")
    return _DAYS[match["name"]] + "." * bool(ends)


DATES: tuple[Rule, ...] = (
    rule(
        "range of weekdays",
        rf"\b({words_of(*_DAYS)})\.?-({words_of(*_DAYS)})(?:\.|\b)",
        lambda match: f"{_DAYS[match[1]]} to {_DAYS[match[2]]}",
    ),
    rule(
        "weekday",
        rf"\b(?P<name>{words_of(*_DAYS)})(?:(?P<stop>\.)|(?=,?\s+{_DATED}))",
        _weekday,
    ),
    rule(
        "date, year first",
        r"\b(?P<year>\d{4})-(?P<m>0\d|1[0-2])-(?P<day>[0-2]\d|3[01])\b",
        lambda match: f"{MONTHS[int(match['m']) - 1]} {ordinal(match['day'])}{_and_year(match)}",
    ),
    rule(
        "date in figures",
        r"(?<![\d/.])(?P<a>\d{1,2})(?:/(?P<b>\d{1,2})/(?P<year>\d{4}|\d\d))(?![\d/])",
        _in_figures,
    ),
    rule(
        "date without year",
        r"(?<=\b[Oo]n\s)(?P<a>\d{1,2})/(?P<b>\d{1,2})(?P<year>)(?![\d/])",
        _in_figures,
    ),
    rule(
        "date with points",
        r"(?<![\d.])(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.(?P<year>\d{4})(?![\d/])",
        _in_figures,
    ),
    rule(
        "date, day first",
        rf"(?:\b(?P<the>[Tt]he)\s+)?(?<![\d.,:/$£€-]){_DAY}(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}"
        rf"(?:,?\s+{_YEAR}{_NOT_MORE})?",
        _day_first,
    ),
    rule(
        "date, month first",
        rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}(?:st|nd|rd|th)?\b{_NOT_MORE}(?:,?\s+{_YEAR}{_NOT_MORE})?",
        _month_first,
    ),
    rule(
        "month and year",
        rf"\b{_MONTH},?\s+(?P<year>1\d{{3}}|20\d\d)\b{_NOT_MORE}",
        lambda match: f"{_month(match['month'])} {year(match['year'])}",
    ),
    rule(
        "month",
        r"\b(Jan|Feb|Aug|Sept?|Oct|Nov|Dec)\.(?P<end>(?=[\"')\s]*$))?",
        lambda match: _month(match[1]) + ("." if match["end"] is not None else ""),
    ),
    rule(
        "era",
        r"(?<![\w.,])(?P<year>\d{1,3}(?:,\d{3})+|\d{1,4})\s+(?P<era>B\.C\.E\.|B\.C\.|A\.D\.|C\.E\.|BCE|BC|AD|CE)(?!\w)",
        _era,
    ),
    rule(
        "era first",
        r"\bA\.?D\.?\s+(?P<year>\d{1,4})\b",
        lambda match: f"A D {year(match['year'])}",
    ),
    rule(
        "range of times",
        r"(?P<from>\b\d{1,2}(?::\d\d)?)-(?=\d{1,2}(?::\d\d|(?::\d\d)?\s?[ap]\.?\s?m\b))",
        r"\g<from> to ",
    ),
    rule(
        "range, halves of the day",
        r"(?:(?<=[\d\s][ap]m)|(?<=[ap]\.m\.)|(?<=[\d\s][AP]M))-(?=\d)",
        " to ",
    ),
    rule(
        "time, halves of the day",
        r"(?<![\d.:,])(?P<hour>1[0-2]|0?[1-9])(?:[:.](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?)?"
        r"\s?(?P<half>[ap]|[AP](?=\.?\s?M))(?:\.\s?[mM]\.|[mM]\b\.?(?=\s|$)|[mM]\b)",
        _clock,
    ),
    rule(
        "time of day",
        r"(?<![\d.:,])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])",
        _clock,
    ),
    rule(
        "ratio",
        r"(?<![\d.:,])(\d+):(\d+)(?![\d:])",
        lambda match: f"{cardinal(match[1])} to {cardinal(match[2])}",
    ),
)
"""Before anything else is made of the figures."""

YEARS: tuple[Rule, ...] = (
    rule(
        "decade",
        r"(?<![\w$£€.,-])'?(1\d\d0|20\d0|[2-9]0)(?:'s|s)\b",
        lambda match: decades(match[1]),
    ),
    rule(
        "range of years",
        r"(?<![\w$£€.,-])(?P<first>1\d{3}|20\d\d)-(?P<second>(?:1\d|20)?\d\d)(?![\w%]|[.,-]\d)",
        _years,
    ),
    rule(
        "year without century",
        r"(?<![\w'])'(?P<year>\d\d)(?![\d'\w])",
        _short_year,
    ),
    rule(
        "year by its word",
        rf"(?<=\s)(?P<word>in|In|since|circa|year|A\ D)\s+(?P<year>10\d\d|[3-9]\d\d){_NOT_MORE}"
        r"(?=[.,;:!?)]|$)",
        lambda match: f"{match['word']} {year(match['year'])}",
    ),
    rule(
        "year",
        r"(?<![\w$£€.,/-])(?P<year>1[1-9]\d\d|20\d\d)(?![\w%°/]|[.,]\d|-\d|\s\d)"
        r"(?P<rest>(?:\s+(?P<noun>[a-z]+))?)",
        _lone_year,
    ),
)
"""After money and measures, which count in thousands as well."""
