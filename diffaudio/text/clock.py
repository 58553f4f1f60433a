"""Times of day, of twelve hours or twenty-four, their ranges, and times that were stopped."""

from __future__ import annotations

import re

from diffaudio.text.numbers import cardinal, digits
from diffaudio.text.rules import Match, Rule, rule, stopped

__all__ = ["TIMES"]

_RATES = (
    r"\b(?:rates?|index|percent|pct|up|down|fell|rose|rise|closed?|dlrs|dollars|yen|cents|points?|"
    r"shares?|price|average|score|grade|version)\b|[%$£€]"
)


def _clock(match: Match) -> str:
    """Return a time of day: `10:30`, `7 a.m.`, `19:05`, `10:00`."""
    found = match.groupdict()
    hour, half, seconds = int(found["hour"]), found.get("half"), found.get("second")
    minutes = found["minute"]
    words = cardinal(hour)
    if (hour, minutes, half, seconds) in {(0, "00", None, None), (24, "00", None, None)}:
        return "midnight"
    if minutes and int(minutes):
        words += f" {'oh ' if minutes[0] == '0' else ''}{cardinal(minutes)}"
    elif minutes and not half and not seconds:
        words += " o'clock" if 1 <= hour <= 12 else " hundred"
    if seconds:
        words += f" and {cardinal(seconds)} second{'' if int(seconds) == 1 else 's'}"
    return stopped(match, f"{words} {half.upper()} M") if half else words


TIMES: tuple[Rule, ...] = (
    rule(
        "range of times",
        r"(?P<from>\b\d{1,2}(?::\d\d)?)-"
        r"(?:(?=\d{1,2}(?::\d\d|(?::\d\d)?\s?[ap]\.?\s?m\b))|(?<=:0\d-)(?=\d{1,2}\b))",
        r"\g<from> to ",
    ),
    rule(
        "range, halves of the day",
        r"(?:(?<=\d[ap]m)|(?<=\d\s[ap]m)|(?<=[ap]\.m\.)|(?<=\d[AP]M)|(?<=\d\s[AP]M))\s?-\s?(?=\d)",
        " to ",
    ),
    rule(
        "time, halves of the day",
        r"(?<![\d.:,])(?P<hour>1[0-2]|0?[1-9])(?:[:.](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?)?"
        r"\s?(?P<half>[ap]|[AP](?=\.?\s?M))(?:\.\s?[mM]\.|[mM]\b\.?(?=\s|$)|[mM]\b)",
        _clock,
    ),
    rule(
        "stopped time",
        r"(?<![\d.:,])(?P<minutes>\d+):(?P<seconds>[0-5]\d)\.(?P<part>\d+)(?!\w)",
        lambda match: (
            f"{cardinal(match['minutes'])} {'oh ' if match['seconds'][0] == '0' else ''}"
            f"{cardinal(match['seconds'])} point {digits(match['part'])}"
        ),
    ),
    rule(
        "time with a point",
        r"(?:(?<=\b[Aa]t\s)|(?<=\bfrom\s)|(?<=\buntil\s)|(?<=\bsince\s))"
        r"(?P<hour>[01]?\d|2[0-3])\.(?P<minute>[0-5]\d)"
        r"(?=\s(?:on|in|tomorrow|today|tonight|sharp|for|and|until|to)\b|[,;!?)]|\.?$)",
        lambda match: match[0] if re.search(_RATES, match.string) else _clock(match),
    ),
    rule(
        "verses",
        r"(?<![\d.:,])(\d{1,3}):([1-9]\d{0,2})-(?=\d{1,3}(?![\d:]))",
        lambda match: f"{cardinal(match[1])} {cardinal(match[2])} to ",
    ),
    rule(
        "time of day",
        r"(?<![\d.:,])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)"
        r"(?::(?P<second>[0-5]\d))?(?:\s?o'clock\b|h\b)?(?![\d:]|\s(?:scale|ratio|odds|dilution)\b)",
        lambda match: _clock(match) + " " * match.string[match.end() :][:1].isalpha(),
    ),
    rule(
        "ratio",
        r"(?<![\d.:,])(\d+):(\d+)(?![\d:])",
        lambda match: f"{cardinal(match[1])} to {cardinal(match[2])}",
    ),
)
