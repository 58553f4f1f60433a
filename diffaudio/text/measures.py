"""Percentages, degrees, dimensions, units of measure: figures that say what they count."""

from __future__ import annotations

import re

from diffaudio.text.amounts import AMOUNT, NUMBER, OVERS, VULGAR, amount, described, is_one
from diffaudio.text.numbers import cardinal, decimal, mixed
from diffaudio.text.rules import Match, Rule, rule, stopped, words_of
from diffaudio.text.units_of_measure import DOTTED, PER, PERIODS, UNITS, counted_by

__all__ = ["MEASURES"]

_WAYS = {"N": "North", "S": "South", "E": "East", "W": "West"}
_MANY = words_of(
    "people", "users", "customers", "visitors", "jobs", "homes", "copies", "views", "followers",
    "viewers", "households", "workers", "children", "deaths", "downloads", "members", "likes",
    "subscribers", "voters", "passengers", "vehicles", "cars", "tonnes", "tons", "barrels",
    "shares", "listeners", "readers", "players", "students", "patients", "refugees", "hits",
    "years", "units", "records", "dollars", "pounds", "euros", "tests", "doses", "women", "men",
    "songs", "streams", "pages", "books", "acres", "hectares", "transactions", "messages",
    "accounts", "items", "words", "rows", "tokens", "parameters", "samples", "families", "animals",
)  # fmt: skip
_NOT_MANY = words_of(
    "run", "runs", "race", "races", "is", "was", "has", "does", "as", "its", "this"
)
_COUNTED = r"(?:\d\S*(?:\s\w+)?|\b(?:dollar|pound|euro|cent|rupee|franc|ruble|krono)\w*|yen|user)$"
_ACROSS = words_of(
    "wide", "tall", "long", "deep", "thick", "high", "x", "by", "and", "or", "in", "on", "at", "is",
    "was", "to", "of", "from", "for", "the", "across", "here", "there", "each", "apart",
)  # fmt: skip


def _per_unit(match: Match) -> str:
    """Return `/km` behind what is counted; `tests/unit` are folders."""
    before = match.string[: match.start()][-30:]
    return f" per {counted_by(match[1])}" if re.search(_COUNTED, before) else match[0]


def _part_of_unit(match: Match) -> str:
    """Return `1 1/2 lbs` as "one and a half pounds", `3/4 lb` as "three quarters pound"."""
    above, below = VULGAR[match["sign"]] if match["sign"] else (match["above"], match["below"])
    one, many = ("percent",) * 2 if match["unit"] == "%" else UNITS[match["unit"].rstrip(".")]
    return stopped(
        match, f"{mixed(match['whole'], above, below)} {many if match['whole'] else one}"
    )


def _coordinates(match: Match) -> str:
    """Return `34°03'12"N` as "thirty-four degrees three minutes twelve seconds North"."""
    said = [
        f"{decimal(match[part])} {part}{'' if match[part] == '1' else 's'}"
        for part in ("degree", "minute", "second")
        if match[part]
    ]
    return " ".join([*said, _WAYS[match["way"]]])


def _by_or_times(match: Match) -> str:
    """Return `4x5` as "four by five", `4 x 5 = 20` as "four times", `3 × 10^8`, too."""
    product = re.match(r"[\d.,]+\s?=|10\^", match.string[match.end() :])
    return f"{decimal(match['n'])} {'times' if product else 'by'} "


def _inches(match: Match) -> str:
    """Return `27"` in words, unless the mark is a quotation's end: `"1999" was a song`."""
    quoted = False
    for mark in re.finditer(r'(\d?)"', match.string[: match.end()]):
        inch = mark[1] and not quoted
        quoted = not quoted and not inch
    if not inch:
        return match[0]
    after = match.string[match.end() :]
    noun = re.match(rf"\s(?!(?:{_ACROSS})\b)[a-z\dA-Z]", after)
    across = re.match(r"\s(?:wide|tall|long|deep|thick|high|across|x|by)\b", after)
    if not (noun or across) and match.string.count('"') % 2:
        return match[0]  # a quotation that began elsewhere
    return f"{match['n']}-inch" if noun else f"{match['n']} inch{'' if match['n'] == '1' else 'es'}"


def _unit(match: Match) -> str:
    written = match["unit"]
    one, many = UNITS.get(written) or UNITS[written.rstrip(".")]
    dot = written.endswith(".") and not match.string[match.end() :].strip("\"') ")
    if described(match) or match["hyphen"]:
        return f"{amount(match)}-{one.replace(' ', '-')}"
    return f"{amount(match)} {one if is_one(match) else many}{'.' if dot else ''}"


def _unit_per_unit(match: Match) -> str:
    said = UNITS[match["unit"]][not is_one(match)]
    return f"{amount(match)} {said} per {counted_by(match['per'])}"


def _degrees(match: Match) -> str:
    scale = {"C": " Celsius", "F": " Fahrenheit"}.get(match["scale"] or "", "")
    return f"{amount(match)} degree{'' if is_one(match) else 's'}{scale}"


MEASURES: tuple[Rule, ...] = (
    rule(
        "heading of a road",  # W is no watt there
        r"(?P<road>\b(?:I|US|SR|Route|Highway|Hwy)[-\s]\d+\s)(?P<way>[NSEW])\b(?!\.\w)|"
        r"(?:(?<=\d\s)|(?<=\b[ao][tn]\s)|\A)(?P<street>[NSEW])\b\.?(?=\s(?:\d+(?:st|nd|rd|th)|[A-Z][a-z]+)\s"
        r"(?:St|Ave|Rd|Blvd|Dr|Ln|Street|Avenue|Road|Boulevard|Drive|Lane)\b)",
        lambda match: (match["road"] or "") + _WAYS[match["way"] or match["street"]],
    ),
    rule(
        "per unit",
        rf"(?:(?<=\d)|(?<=\d[kmMK])|(?<=[a-z]s)|(?<=\byen)|(?<=\bper\suser))/({words_of(*PER)})\b"
        r"(?:(?<=/mo)\.(?=\s[a-z]))?",
        _per_unit,
    ),
    rule(
        "part of a unit",
        rf"(?<![\w/.,-])(?:(?P<whole>\d+)(?:\s|-|(?=[{''.join(VULGAR)}])))?"
        rf"(?:(?P<above>\d)/(?P<below>\d{{1,2}})|(?P<sign>[{''.join(VULGAR)}]))\s?"
        rf"(?P<unit>%|(?:{words_of(*DOTTED)})\b\.?|"
        rf"(?:{words_of(*{*UNITS} - DOTTED)})(?![\w²³/]))",
        _part_of_unit,
    ),
    rule(
        "dimensions",
        rf"(?:(?<![\w.,/])|(?<=\d[x×]))(?!0x)(?P<n>{NUMBER})\s?[x×]\s?(?=\d)",
        _by_or_times,
    ),
    rule("range of percentages", r"(?<=\d)\s?%\s?-\s?(?=[\d.]+\s?%)", "-"),
    rule(
        "percent",
        rf"{AMOUNT}\s?(?:%|per\ cent\b)",
        lambda match: f"{amount(match)} percent",
    ),
    rule(
        "letter of a scale",
        r"(?<=\d\sdegrees\s)[CF]\b",
        lambda match: {"C": "Celsius", "F": "Fahrenheit"}[match[0]],
    ),
    rule(
        "both scales",
        r"(?<![\w.,-])(\d{2,3})\s?°?C\s?/\s?(\d{2,3})\s?°?F\b",
        r"\1°C or \2°F",
    ),
    rule(
        "degrees without a sign",
        r"(?P<before>\b(?:to|at|of|reach|reached|hit|hits|below|above|around|about|is|was|minus|and|"
        r"between|near|nearly|or|highs?|lows?)\s)"
        r"(?P<n>-?\d{1,3}(?:\s?-\s?\d\d)?)(?P<scale>[CF])\b(?![\w#+'-])",
        r"\g<before>\g<n>°\g<scale>",
    ),
    rule(
        "coordinates",
        r"(?<![\w.])(?P<degree>\d+(?:\.\d+)?)\s?°\s?(?:(?P<minute>\d+(?:\.\d+)?)'\s?)?"
        r"(?:(?P<second>\d+(?:\.\d+)?)\"\s?)?(?P<way>[NSEW])\b",
        _coordinates,
    ),
    rule("degrees", rf"{AMOUNT}\s?°(?:\s?(?P<scale>[CF])\b)?", _degrees),
    rule(
        "feet and inches",
        r"(?<!\w)(\d+)(?:'\s?(\d{1,2})(?:\"|''|(?=[\s.,;]|$))|\s?ft\.?\s?(\d{1,2})\s?in\b(?:\.(?=\s[a-z]))?)",
        lambda match: (
            f"{cardinal(match[1])} {'foot' if match[1] == '1' else 'feet'}"
            f" {cardinal(match[2] or match[3])} {'inch' if '1' in match.group(2, 3) else 'inches'}"
        ),
    ),
    rule(
        "feet",
        r"(?<=\d)'(?=\s?[x×]\s?\d|\s(?:tall|wide|long|high|deep|by)\b)|"
        r"(?:(?<=[x×]\s\d)|(?<=[x×]\s\d\d)|(?<=\bby\s\d)|(?<=\bby\s\d\d))'(?!\w)",
        " ft",
    ),
    rule("inches", r"(?<![\w.,$£€/-])(?P<n>\d{1,3}(?:\.\d+)?)\"(?![):\]])", _inches),
    rule(
        "dimensions with units",
        r"(?P<one>\d\s?(?:cm|mm|m|ft|in\.?|inch(?:es)?|km))\s?[x×]\s?(?=\d)",
        r"\g<one> by ",
    ),
    rule("hours and minutes", r"\b(\d+)\s?h\s?([0-5]?\d)\s?m(?:in)?\b", r"\1 hr \2 min"),
    rule("minutes and seconds", r"\b(\d+)\s?m(?:in)?\s?([0-5]?\d)\s?s\b", r"\1 min \2 sec"),
    rule(
        "thousands and millions",
        rf"(?<![\w.,])(?P<n>{NUMBER})(?:(?P<k>[kKmMbB])(?=\s(?:{_MANY})\b)|"
        rf"(?P<K>(?<!\A\d)(?<!\A\d\d)[kK])(?=\s(?!(?:{_NOT_MANY})\b)[a-z]+s\b))",
        lambda match: f"{decimal(match['n'])} {OVERS[(match['k'] or match['K']).lower()]}",
    ),
    rule(
        "seconds",
        rf"(?!(?:1[5-9]|20)\d\d\s){AMOUNT}(?:\ss|(?<=\.\d)s|(?<=\.\d\d)s|(?<=\.\d{{3}})s)\b",
        lambda match: f"{amount(match)} second{'' if is_one(match) else 's'}",
    ),
    rule(
        "unit per unit",
        rf"{AMOUNT}\s?(?P<unit>{words_of(*UNITS)})/"
        rf"(?P<per>{words_of(*{*UNITS, *PER, *PERIODS})})(?![\w²³/])",
        _unit_per_unit,
    ),
    rule(
        "unit",
        rf"{AMOUNT}(?:\s|(?P<hyphen>-))?"
        rf"(?P<unit>(?:{words_of(*UNITS, *(f'{one}.' for one in DOTTED))}))(?![\w²³/])",
        _unit,
    ),
)
