"""Percentages, degrees, units of measure: figures that say what they count."""

from __future__ import annotations

from diffaudio.text.amounts import AMOUNT, NUMBER, amount, described, is_one
from diffaudio.text.money import MONEY
from diffaudio.text.numbers import cardinal, decimal
from diffaudio.text.rules import Match, Rule, rule, words_of

__all__ = ["MEASURES"]

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
    "mph": ("mile per hour", "miles per hour"), "MPH": ("mile per hour", "miles per hour"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
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
    "cm³": ("cubic centimeter", "cubic centimeters"), "sq km": ("square kilometer",
    "square kilometers"), "sq m": ("square meter", "square meters"),
    "km/hr": ("kilometer per hour", "kilometers per hour"),
    "kg/m³": ("kilogram per cubic meter", "kilograms per cubic meter"),
    "tsp": ("teaspoon", "teaspoons"), "tbsp": ("tablespoon", "tablespoons"),
    "yr": ("year", "years"), "yrs": ("year", "years"), "mcg": ("microgram", "micrograms"),
    "µg": ("microgram", "micrograms"), "µm": ("micrometer", "micrometers"),
    "µs": ("microsecond", "microseconds"), "nm": ("nanometer", "nanometers"),
    "hPa": ("hectopascal", "hectopascals"), "kPa": ("kilopascal", "kilopascals"),
    "mAh": ("milliampere hour", "milliampere hours"), "Ω": ("ohm", "ohms"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "bpm": ("beat per minute", "beats per minute"),
    "fps": ("frame per second", "frames per second"), "dpi": ("dot per inch", "dots per inch"),
}  # fmt: skip
_DOTTED = {
    "ft", "lb", "lbs", "oz", "yd", "yds", "hr", "hrs", "min", "mins", "sec", "secs", "mi", "tsp",
    "tbsp",
}  # fmt: skip
_WAYS = {"N": "North", "S": "South", "E": "East", "W": "West"}
_MANY = words_of(
    "people", "users", "customers", "visitors", "jobs", "homes", "copies", "views", "followers",
    "viewers", "households", "workers", "children", "deaths", "downloads", "members", "likes",
    "subscribers", "voters", "passengers", "vehicles", "cars", "tonnes", "tons", "barrels",
    "shares", "listeners", "readers", "players", "students", "patients", "refugees", "hits",
)  # fmt: skip
_MILLIONS = {"k": "thousand", "m": "million", "b": "billion"}
_PER = words_of(
    "kg", "g", "lb", "oz", "km", "m", "l", "h", "hr", "min", "day", "week", "month", "year",
    "person", "head", "hour", "pound", "mile", "minute", "second", "sec", "night", "user", "unit",
    "mo", "yr", "wk", "barrel", "ton", "tonne", "gallon", "acre", "share", "seat", "liter",
    "litre", "page", "word", "item", "piece", "game", "call",
)  # fmt: skip
_SHORT = {"mo": "month", "yr": "year", "wk": "week"}


def _unit(match: Match) -> str:
    written = match["unit"]
    one, many = _UNITS.get(written) or _UNITS[written.rstrip(".")]
    dot = written.endswith(".") and not match.string[match.end() :].strip("\"') ")
    if described(match) or match["hyphen"]:
        return f"{amount(match)}-{one.replace(' ', '-')}"
    return f"{amount(match)} {one if is_one(match) else many}{'.' if dot else ''}"


def _degrees(match: Match) -> str:
    scale = {"C": " Celsius", "F": " Fahrenheit"}.get(match["scale"] or "", "")
    return f"{amount(match)} degree{'' if is_one(match) else 's'}{scale}"


MEASURES: tuple[Rule, ...] = (
    rule(
        "heading of a road",  # W is no watt there
        r"(?P<road>\b(?:I|US|SR|Route|Highway|Hwy)[-\s]\d+\s)(?P<way>[NSEW])\b(?!\.\w)|"
        r"(?<=\d\s)(?P<street>[NSEW])(?=\s(?:\d+(?:st|nd|rd|th)|[A-Z][a-z]+)\s"
        r"(?:St|Ave|Rd|Blvd|Dr|Ln|Street|Avenue|Road|Boulevard|Drive|Lane)\b)",
        lambda match: (match["road"] or "") + _WAYS[match["way"] or match["street"]],
    ),
    rule(
        "per unit",
        rf"(?:(?<=\d)|(?<=\d[kmMK])|(?<=[a-z]s)|(?<=\bper\suser))/({_PER})\b",
        lambda match: f" per {_SHORT.get(match[1]) or _UNITS.get(match[1], (match[1],))[0]}",
    ),
    *MONEY,
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
        r"(?P<before>\b(?:to|at|of|reached|hit|below|above|around|about|is|was|minus|and|between)\s)"
        r"(?P<n>-?\d{1,3}(?:\s?-\s?\d\d)?)(?P<scale>[CF])\b(?![\w#+'-])",
        r"\g<before>\g<n>°\g<scale>",
    ),
    rule("degrees", rf"{AMOUNT}\s?°(?:\s?(?P<scale>[CF])\b)?", _degrees),
    rule(
        "feet and inches",
        r"(?<!\w)(\d+)(?:'\s?(\d{1,2})(?:\"|''|(?=[\s.,;]|$))|\s?ft\.?\s?(\d{1,2})\s?in\b)",
        lambda match: (
            f"{cardinal(match[1])} {'foot' if match[1] == '1' else 'feet'}"
            f" {cardinal(match[2] or match[3])} {'inch' if '1' in match.group(2, 3) else 'inches'}"
        ),
    ),
    rule(
        "inches across",
        r"(?<=\d)\"(?=\s(?:screen|TV|tv|monitor|display|laptop|wheels?)\b)",
        "-inch",
    ),
    rule("inches", r"(?<=\d)\"(?=\s(?:wide|tall|long|deep|thick|high|x|by)\b)", " in."),
    rule(
        "dimensions with units",
        r"(?P<one>\d\s?(?:cm|mm|m|ft|in\.?|km))\s?[x×]\s?(?=\d)",
        r"\g<one> by ",
    ),
    rule("hours and minutes", r"\b(\d+)\s?h\s?([0-5]?\d)\s?m(?:in)?\b", r"\1 hr \2 min"),
    rule("minutes and seconds", r"\b(\d+)\s?m(?:in)?\s?([0-5]?\d)\s?s\b", r"\1 min \2 sec"),
    rule(
        "thousands and millions",
        rf"(?<![\w.,])(?P<n>{NUMBER})(?:(?P<k>[kKmMbB])(?=\s(?:{_MANY})\b)|"
        r"(?P<K>k)(?=\s(?!runs?\b|races?\b)[a-z]+s\b))",
        lambda match: f"{decimal(match['n'])} {_MILLIONS[(match['k'] or match['K']).lower()]}",
    ),
    rule(
        "seconds",
        r"(?<![\w.,])(?P<n>\d+\.\d+)s\b",
        lambda match: f"{decimal(match['n'])} seconds",
    ),
    rule(
        "unit",
        rf"{AMOUNT}(?:\s|(?P<hyphen>-))?"
        rf"(?P<unit>(?:{words_of(*_UNITS, *(f'{one}.' for one in _DOTTED))}))(?![\w²³/])",
        _unit,
    ),
)
