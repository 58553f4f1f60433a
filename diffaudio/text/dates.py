"""Dates, weekdays, months and eras.

Dates in figures are read month first, as in the American speech of CMUdict and LJSpeech, unless
that cannot be: 3/12/2024 is in March, 13/12/2024 in December.
"""

from __future__ import annotations

import re

from diffaudio.text.numbers import ordinal, year
from diffaudio.text.rules import Match, Rule, rule, stopped, words_of

__all__ = ["DATES", "DAYS", "MONTHS", "NOT_MORE"]

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SHORT = {name[:3]: name for name in MONTHS} | {"Sept": "September"}
DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_NAMED = words_of(*MONTHS, *_SHORT)
_WEEKDAYS = words_of(*DAYS, *DAYS.values())
_MONTH = rf"(?P<month>(?:{words_of(*MONTHS)})\b|(?:{words_of(*_SHORT)})\b\.?)"
_LAST = r"0?[1-9]|[12]\d|3[01]"
_DAY = rf"(?P<day>{_LAST})"
_YEAR = r"(?P<year>\d{4})"
_WEEKDAY = rf"(?:{words_of(*DAYS)}|\w+day)\b\.?"
_DATED = (
    rf"(?:\d|(?:{words_of(*MONTHS, *_SHORT)})\b|noon\b|midnight\b|(?:(?:and|or|to)\s+)?{_WEEKDAY})"
)
_ON = (
    r"(?:\b(?:[Oo]n|[Ee]very|[Nn]ext|[Ll]ast|[Tt]his|[Bb]y|[Uu]ntil|[Ss]ince)|"
    rf"{_WEEKDAY},?(?:\s+(?:and|or|to))?)\s+$"
)
NOT_MORE = r"(?![\d/:%]|[.,-]\d)"
"""Behind a number that goes on no further."""


def _month(written: str) -> str:
    """Return the whole name of a month."""
    return _SHORT.get(written.rstrip("."), written.rstrip("."))


def _and_year(match: Match) -> str:
    """Return the year of a date behind a comma, or nothing."""
    return f", {year(match['year'])}" if match["year"] else ""


def _day_first(match: Match) -> str:
    when = f"{match['the'] or 'the'} {ordinal(match['day'])} of {_month(match['month'])}"
    return f"{when} {year(match['year'])}" if match["year"] else stopped(match, when)


def _month_first(match: Match) -> str:
    return f"{_month(match['month'])} {ordinal(match['day'])}{_and_year(match)}"


def _days_month_first(match: Match) -> str:
    first, last = ordinal(match["day"]), ordinal(match["last"])
    return f"{_month(match['month'])} {first} to {last}{_and_year(match)}"


def _days_day_first(match: Match) -> str:
    first, last = ordinal(match["day"]), ordinal(match["last"])
    between = match["between"] if match["between"] != "-" else "to"
    the = match["the"] or "the"
    return f"{the} {first} {between} the {last} of {_month(match['month'])}"


def _in_figures(match: Match) -> str:
    first, second, written = int(match["a"]), int(match["b"]), match["year"]
    month, day = (first, second) if first <= 12 else (second, first)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    if len(written) == 2:
        written = ("19" if written >= "50" else "20") + written
    return f"{MONTHS[month - 1]} {ordinal(day)}" + (f", {year(written)}" if written else "")


def _era(match: Match) -> str:
    letters = " ".join(one for one in match["era"] if one != ".")
    about = "circa " if match["about"] else ""
    return stopped(match, f"{about}{year(match['year'].replace(',', ''))} {letters}")


def _weekday(match: Match) -> str:
    """Return a weekday; `the Sun.` and `there he sat.` are none, `on Sun.` is, `Sun., 5 May` is."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    if match["name"] in {"Sat", "Sun"}:
        dated = re.search(_ON, before) or re.match(rf",?\s+{_DATED}", after)
        if not dated or re.search(r"\b[Tt]he\s+$", before):
            return match[0]
    return stopped(match, DAYS[match["name"]])


DATES: tuple[Rule, ...] = (
    rule(
        "range of weekdays",
        rf"\b({_WEEKDAYS})\.?\s?-\s?({_WEEKDAYS})(?:\.|\b)",
        lambda match: stopped(
            match, f"{DAYS.get(match[1], match[1])} to {DAYS.get(match[2], match[2])}"
        ),
    ),
    rule(
        "range of months",
        rf"\b({_NAMED})\.?\s?-\s?({_NAMED})(?:\.|\b)(?!\s\d\d?\b)",
        lambda match: stopped(match, f"{_month(match[1])} to {_month(match[2])}"),
    ),
    rule(
        "weekdays together",
        rf"\b(?:{_WEEKDAYS})\b\.?(?:\s?[&/]\s?(?:{_WEEKDAYS})\b(?:\.(?!\s*$))?)+",
        lambda match: re.sub(
            r"(\w+)\.?|\s?([&/])\s?",
            lambda one: {"&": " and ", "/": ", "}.get(one[2]) or DAYS.get(one[1], one[1]),
            match[0],
        ),
    ),
    rule(
        "weekday",
        rf"\b(?P<name>{words_of(*DAYS)})(?:(?P<stop>\.)|(?=,?\s+{_DATED}))",
        _weekday,
    ),
    rule(
        "date, year first",
        r"\b(?P<year>\d{4})(?P<mark>[-/])(?P<m>0[1-9]|1[0-2])(?P=mark)(?P<day>0[1-9]|[12]\d|3[01])"
        r"(?:\b|(?P<time>T)(?=\d\d:))",
        lambda match: (
            f"{MONTHS[int(match['m']) - 1]} {ordinal(match['day'])}{_and_year(match)}"
            f"{', ' if match['time'] else ''}"
        ),
    ),
    rule(
        "date in figures",
        r"(?<![\d/.])(?P<a>\d{1,2})(?:/(?P<b>\d{1,2})/(?P<year>\d{4}|\d\d))(?![\d/])",
        _in_figures,
    ),
    rule(
        "date without year",
        r"(?:(?<=\b[Oo]n\s)|(?<=\b[Bb]y\s)|(?<=\bdue\s)|(?<=\buntil\s)|(?<=\bbefore\s)|"
        r"(?<=\bexpires\s)|(?<=\bsince\s)|(?<=day,\s)|(?<=day\s))(?P<a>\d{1,2})/(?P<b>\d{1,2})(?P<year>)"
        r"(?![\d/%]|\.\d|\s(?:of|cup|inch))",
        _in_figures,
    ),
    rule(
        "date with points",
        r"(?<![\d.])(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.(?P<year>\d{4})(?![\d/])",
        _in_figures,
    ),
    rule(
        "days of a month, day first",
        rf"(?:\b(?P<the>[Tt]he)\s+)?(?<![\d.,:/$£€-]){_DAY}(?:st|nd|rd|th)?"
        r"\s?(?P<between>-|(?<=\s)(?:to|and|or)(?=\s))\s?"
        rf"(?:the\s)?(?P<last>{_LAST})(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}",
        _days_day_first,
    ),
    rule(
        "days of a month, month first",
        rf"\b{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?\s?-\s?(?P<last>{_LAST})(?:st|nd|rd|th)?\b{NOT_MORE}"
        rf"(?:,?\s+{_YEAR}{NOT_MORE})?",
        _days_month_first,
    ),
    rule(
        "date, day first",
        rf"(?:\b(?P<the>[Tt]he)\s+)?(?<![\d.,:/$£€-]){_DAY}(?:st|nd|rd|th|(?<=[23])d)?"
        rf"(?:\s+of)?\s+{_MONTH}"
        rf"(?:,?\s+{_YEAR}{NOT_MORE})?",
        _day_first,
    ),
    rule(
        "date, month first",
        rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}(?:st|nd|rd|th)?\b{NOT_MORE}(?:,?\s+{_YEAR}{NOT_MORE})?",
        _month_first,
    ),
    rule(
        "month and year",
        rf"\b{_MONTH},?\s+(?P<year>1\d{{3}}|20\d\d)\b{NOT_MORE}",
        lambda match: f"{_month(match['month'])} {year(match['year'])}",
    ),
    rule(
        "month",
        r"\b(Jan|Feb|Aug|Sept?|Oct|Nov|Dec)\.(?P<end>(?=[\"')\s]*$))?",
        lambda match: _month(match[1]) + ("." if match["end"] is not None else ""),
    ),
    rule(
        "era",
        r"(?:(?P<about>\bca?\.\s?)|(?<![\w.,]))(?P<year>\d{1,3}(?:,\d{3})+|\d{1,4})\s+"
        r"(?P<era>B\.C\.E\.|B\.C\.|A\.D\.|C\.E\.|BCE|BC|AD|CE)(?!\w)",
        _era,
    ),
    rule(
        "era first",
        r"\b(?P<era>A\.?D|B\.?C)\.?\s+(?P<year>\d{1,4})\b",
        lambda match: f"{match['era'][0]} {match['era'][-1]} {year(match['year'])}",
    ),
)
"""Before anything else is made of the figures."""
