"""Money, percentages, units of measure, telephone numbers: figures that say what they count.

An amount behind `a` or `an` describes what follows and stays singular: a five-kilometer run.
"""

from __future__ import annotations

import re

from diffaudio.text.numbers import cardinal, decimal, digits
from diffaudio.text.rules import Match, Rule, rule, words_of

__all__ = ["MEASURES", "NUMBER", "TELEPHONES", "amount"]

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)"
_AMOUNT = rf"(?P<minus>(?<![\w)])-)?(?<![\w/.,])(?P<n>{NUMBER}(?:\s?-\s?{NUMBER})?)"
_TIMES_OVER = r"(?:\s?(?P<over>hundred|thousand|million|billion|trillion|bn|[mMkKB])\b)?"
_OVER = {"bn": "billion", "b": "billion", "m": "million", "k": "thousand"}
_MONEY = {  # sign: one, many, their hundredths
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_NATIONS = {"US": "U S ", "A": "Australian ", "C": "Canadian ", "NZ": "New Zealand ", "": ""}
_UNITS = {  # as written: one, many
    "km": ("kilometer", "kilometers"), "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "mi": ("mile", "miles"), "yd": ("yard", "yards"),
    "yds": ("yard", "yards"), "ft": ("foot", "feet"), "in.": ("inch", "inches"),
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"), "L": ("liter", "liters"), "ml": ("milliliter", "milliliters"),
    "h": ("hour", "hours"), "hr": ("hour", "hours"), "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"), "mins": ("minute", "minutes"), "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "ms": ("millisecond", "milliseconds"),
    "mph": ("mile per hour", "miles per hour"), "rpm": ("revolution per minute",
    "revolutions per minute"), "km/h": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"),
    "ppm": ("part per million", "parts per million"), "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"),
    "dB": ("decibel", "decibels"), "kB": ("kilobyte", "kilobytes"),
    "KB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
    "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"), "MW": ("megawatt", "megawatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"), "V": ("volt", "volts"),
    "sq ft": ("square foot", "square feet"), "sq. ft.": ("square foot", "square feet"),
    "sq mi": ("square mile", "square miles"), "m²": ("square meter", "square meters"),
    "km²": ("square kilometer", "square kilometers"), "m³": ("cubic meter", "cubic meters"),
    "cm³": ("cubic centimeter", "cubic centimeters"),
}  # fmt: skip
_DOTTED = {"ft", "lb", "lbs", "oz", "yd", "yds", "hr", "hrs", "min", "mins", "sec", "secs", "mi"}


def amount(match: Match) -> str:
    """Return the figures of a match in words: `10-20` as "ten to twenty", `-3.5` with its sign."""
    ends = [decimal(part.strip(" $£€¥₹")) for part in match["n"].split("-")]
    return ("minus " if match["minus"] else "") + " to ".join(ends)


def _is_one(match: Match) -> bool:
    return match["n"] == "1"


def _described(match: Match) -> bool:
    """Say whether the amount describes something that follows: `a 5 km run`."""
    before = match.string[: match.start()].rstrip().rpartition(" ")[2].lower()
    return before in {"a", "an"} and re.match(r"\s[a-z]", match.string[match.end() :]) is not None


def _money(match: Match) -> str:
    one, many, _, _ = _MONEY[match["sign"]]
    nation, over = _NATIONS[match["nation"] or ""], match["over"] or ""
    over = _OVER.get(over.lower(), over)
    if _described(match):
        return "-".join(part for part in (amount(match), over, nation + one) if part)
    if re.fullmatch(r"[\d,]*\.\d\d", match["n"]) and not over:
        return _coins(match)
    name = one if _is_one(match) and not over else many
    return " ".join(part for part in (amount(match), over, nation + name) if part)


def _coins(match: Match) -> str:
    """Return money with hundredths: `$3.50`, `£0.99`, `$12.00`."""
    one, many, small, smalls = _MONEY[match["sign"]]
    nation = _NATIONS[match["nation"] or ""]
    whole, _, part = match["n"].replace(",", "").partition(".")
    said = []
    if int(whole or 0) or not int(part):
        said.append(f"{cardinal(whole or 0)} {nation}{one if whole == '1' else many}")
    if int(part):
        said.append(f"{cardinal(part)} {small if int(part) == 1 else smalls}")
    return ("minus " if match["minus"] else "") + " and ".join(said)


def _old_coins(match: Match) -> str:
    """Return pounds, shillings and pence as before 1971: `£5 10s. 6d.`."""
    names = (("pounds", ("pound", "pounds")), ("shillings", ("shilling", "shillings")))
    said = [_counted(match[part], *forms) for part, forms in names if match[part]]
    return " ".join([*said, "and", _counted(match["pence"], "penny", "pence")])


def _counted(written: str, one: str, many: str) -> str:
    return f"{cardinal(written)} {one if written == '1' else many}"


def _unit(match: Match) -> str:
    written = match["unit"]
    one, many = _UNITS.get(written) or _UNITS[written.rstrip(".")]
    dot = written.endswith(".") and not match.string[match.end() :].strip("\"') ")
    if _described(match) or match["hyphen"]:
        return f"{amount(match)}-{one.replace(' ', '-')}"
    return f"{amount(match)} {one if _is_one(match) else many}{'.' if dot else ''}"


def _degrees(match: Match) -> str:
    scale = {"C": " Celsius", "F": " Fahrenheit"}.get(match["scale"] or "", "")
    return f"{amount(match)} degree{'' if _is_one(match) else 's'}{scale}"


def _telephone(match: Match) -> str:
    """Return groups of digits with a comma, which is a short pause, between them."""
    groups = re.findall(r"\d+", match[0])
    return ("plus " if match[0].startswith("+") else "") + ", ".join(map(digits, groups))


def _coded(match: Match) -> str:
    return match["word"] + digits(match["code"])


TELEPHONES: tuple[Rule, ...] = (
    rule(
        "thousands apart",
        r"(?<![\w.,-])\d{1,3}(?:\s000)+(?![\w-]|[.,\s]\d)",
        lambda match: match[0].replace(" ", ","),
    ),
    rule("telephone, international", r"\+\d{1,3}(?:[\s-]?\(?\d+\)?){2,}", _telephone),
    rule(
        "telephone, American",
        r"(?<![\w.,-])(?:1[\s-])?(?:\(\d{3}\)\s?|\d{3}-)\d{3}-\d{4}(?![\w-])",
        _telephone,
    ),
    rule("figures in groups", r"(?<![\w.,$£€-])\d+(?:-\d+){2,}(?![\w-])", _telephone),
    rule("telephone, local", r"(?<![\w.,$£€-])\d{3}-\d{4}(?![\w-]|[.,]\d)", _telephone),
    rule("telephone, in groups", r"(?<![\w.,$£€-])0\d{2,4}(?:\s\d{3,4}){1,3}(?![\w-])", _telephone),
    rule(
        "code",
        r"(?P<word>\b(?i:extension|ext\.|code|dial|call|PIN|pin|room|flight|zip)"
        r"(?:\s(?:is|number))?\s)(?P<code>\d{3,})(?!\w|[.,:/-]\d)",
        _coded,
    ),
    rule(
        "leading zeros",
        r"(?<![\w.,:/$£€'-])0\d+(?![\w%:/°]|[.,]\d)",
        lambda match: digits(match[0]),
    ),
    rule(
        "long string of digits",
        r"(?<![\w.,$£€-])(?!\d+000\b)\d{7,}(?![\w%]|[.,]\d|\s(?:million|billion))",
        lambda match: digits(match[0]),
    ),
)

MEASURES: tuple[Rule, ...] = (
    rule(
        "per unit",
        r"(?<=\d)/(kg|g|lb|oz|km|m|l|h|hr|min|day|week|month|year|person|head|hour|pound|mile)\b",
        lambda match: f" per {_UNITS[match[1]][0] if match[1] in _UNITS else match[1]}",
    ),
    rule(
        "old coins",
        r"(?:£(?P<pounds>\d+),?\s)?(?P<shillings>\d+)s\.,?\s(?P<pence>\d+)d\.(?!\w)",
        _old_coins,
    ),
    rule(
        "money",
        r"(?P<minus>(?<![\w)])-)?(?:\b(?P<nation>US|NZ|A|C))?"
        rf"(?P<sign>[$£€¥₹])\s?(?P<n>{NUMBER}(?:-[$£€¥₹]?{NUMBER})?){_TIMES_OVER}",
        _money,
    ),
    rule(
        "coins",
        rf"(?!\d{{3,}}p){_AMOUNT}\s?(?P<coin>¢|p\b(?!\.\s?\w))",  # 1080p is a picture
        lambda match: (
            amount(match)
            + (" cent" if match["coin"] == "¢" else " pence")
            + ("s" if match["coin"] == "¢" and not _is_one(match) else "")
        ),
    ),
    rule("range of percentages", r"(?<=\d)\s?%\s?-\s?(?=[\d.]+\s?%)", "-"),
    rule(
        "percent",
        rf"{_AMOUNT}\s?(?:%|per\ cent\b)",
        lambda match: f"{amount(match)} percent",
    ),
    rule("degrees", rf"{_AMOUNT}\s?°(?:\s?(?P<scale>[CF])\b)?", _degrees),
    rule(
        "feet and inches",
        r"(?<!\w)(\d+)(?:'\s?(\d{1,2})(?:\"|''|(?=[\s.,;]|$))|\s?ft\.?\s?(\d{1,2})\s?in\b)",
        lambda match: (
            f"{cardinal(match[1])} {'foot' if match[1] == '1' else 'feet'}"
            f" {cardinal(match[2] or match[3])} {'inch' if '1' in match.group(2, 3) else 'inches'}"
        ),
    ),
    rule(
        "unit",
        rf"{_AMOUNT}(?:\s|(?P<hyphen>-))?"
        rf"(?P<unit>{words_of(*_UNITS, *(f'{one}.' for one in _DOTTED))})(?![\w²³/])",
        _unit,
    ),
)
