"""Years: by themselves, in ranges, without their century, decades."""

from __future__ import annotations

from diffaudio.text.dates import NOT_MORE
from diffaudio.text.numbers import cardinal, decades, year
from diffaudio.text.rules import Match, Rule, rule

__all__ = ["YEARS"]

_NOT_COUNTED = {"was", "is", "has", "this", "its", "as", "his", "thus", "us", "various", "perhaps"}
_COUNTED = {"people", "men", "women", "children", "sheep"}
_COUNTING = {
    "about", "some", "over", "nearly", "almost", "around", "are", "were", "has", "have", "had",
    "with", "than", "only", "least", "sold", "bought", "exactly", "all", "these", "those", "most",
}  # fmt: skip


def _years(match: Match) -> str:
    """Return a range of years: `1990-95`, `1914-1918`; what goes backwards is none."""
    first, second = match["first"], match["second"]
    if second == "00":  # 1999-00
        second = f"{int(first[:2]) + 1}00"
    if int(first[-len(second) :]) >= int(second):
        return match[0]
    last = year(second) if len(second) == 4 else _short_year(second)
    return f"{year(first)} to {last}"


def _lone_year(match: Match) -> str:
    """Return four figures as a year, unless something is counted: `1784 houses`.

    `2016 elections` are not, `over 2016 votes` are.
    """
    following = match["noun"] or ""
    counted = following in _COUNTED or (
        following.endswith("s") and not following.endswith("ss") and following not in _NOT_COUNTED
    )
    after = match.string[: match.start()].rstrip().rsplit(" ", 1)[-1].lower()
    recent = match["year"] >= "1900" and after not in _COUNTING and following not in _COUNTED
    dated = recent or match["year"].endswith("00") or after in {"in", "since", "of", "by"}
    if counted and not dated:
        return match[0]
    return f"{year(match['year'])}{match['rest']}"


def _short_year(written: str) -> str:
    return ("oh " if written[0] == "0" else "") + cardinal(written)


YEARS: tuple[Rule, ...] = (
    rule(
        "decade",
        r"(?<![\w$£€.,-])'?(1\d\d0|20\d0|[2-9]0)(?:'s|s)\b",
        lambda match: decades(match[1]),
    ),
    rule(
        "until now",
        r"(?<![\w$£€.,-])(1\d{3}|20\d\d)\s?-\s?(?=(?:present|today|now)\b)",
        lambda match: f"{year(match[1])} to ",
    ),
    rule(
        "fiscal year",
        r"\bFY\s?(?P<year>\d{4})\b",
        lambda match: f"fiscal year {year(match['year'])}",
    ),
    rule(
        "two years",
        r"(?<![\w$£€.,/-])(?P<first>1\d{3}|20\d\d)/(?P<second>(?:1\d|20)?\d\d)(?![\w/%]|[.,]\d)",
        lambda match: (
            f"{year(match['first'])} "
            f"{(year if len(match['second']) == 4 else _short_year)(match['second'])}"
        ),
    ),
    rule(
        "range of years",
        r"(?<![\w$£€.,-])(?P<first>1\d{3}|20\d\d)-(?P<second>(?:1\d|20)?\d\d)(?![\w%]|[.,-]\d)",
        _years,
    ),
    rule(
        "year without century",
        r"(?<![\w'])'(?P<year>\d\d)(?![\d'\w])",
        lambda match: _short_year(match["year"]),
    ),
    rule(
        "year by its word",
        rf"(?<=\s)(?P<word>in|In|since|circa|year|A\ D)\s+(?P<year>10\d\d|[3-9]\d\d){NOT_MORE}"
        r"(?=[.,;:!?)]|$|\s(?:by|the|at|and|when|after|he|she|it|they|a)\b)",
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
