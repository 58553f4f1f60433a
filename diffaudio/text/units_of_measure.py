"""Units of measure: as they are written, and how one and many of them are said."""

from __future__ import annotations

__all__ = ["DOTTED", "PER", "PERIODS", "UNITS", "counted_by"]

UNITS = {  # as written: one, many
    "km": ("kilometer", "kilometers"), "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "mi": ("mile", "miles"), "yd": ("yard", "yards"),
    "yds": ("yard", "yards"), "ft": ("foot", "feet"), "in.": ("inch", "inches"),
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"), "L": ("liter", "liters"), "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"), "dL": ("deciliter", "deciliters"),
    "dl": ("deciliter", "deciliters"), "cl": ("centiliter", "centiliters"),
    "kcal": ("kilocalorie", "kilocalories"), "kJ": ("kilojoule", "kilojoules"),
    "mA": ("milliamp", "milliamps"), "mV": ("millivolt", "millivolts"),
    "kV": ("kilovolt", "kilovolts"), "Pa": ("pascal", "pascals"), "kΩ": ("kilo-ohm", "kilo-ohms"),
    "psi": ("pound per square inch", "pounds per square inch"),
    "mpg": ("mile per gallon", "miles per gallon"), "ha": ("hectare", "hectares"),
    "px": ("pixel", "pixels"), "ppb": ("part per billion", "parts per billion"),
    "mmHg": ("millimeter of mercury", "millimeters of mercury"),
    "m/s²": ("meter per second squared", "meters per second squared"),
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
    "tsp": ("teaspoon", "teaspoons"), "tbsp": ("tablespoon", "tablespoons"),
    "Tbsp": ("tablespoon", "tablespoons"),
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
DOTTED = {
    "ft", "lb", "lbs", "oz", "yd", "yds", "hr", "hrs", "min", "mins", "sec", "secs", "mi", "tsp",
    "tbsp", "Tbsp",
}  # fmt: skip
"""Also written with a full stop."""

PER = (
    "kg", "g", "lb", "oz", "km", "m", "l", "h", "hr", "min", "day", "week", "month", "year",
    "person", "head", "hour", "pound", "mile", "minute", "second", "sec", "night", "user", "unit",
    "mo", "yr", "wk", "barrel", "ton", "tonne", "gallon", "acre", "share", "seat", "liter",
    "litre", "page", "word", "item", "piece", "game", "call",
)  # fmt: skip
"""What other things are counted by: `5 dollars/night`."""

PERIODS = {"mo": "month", "wk": "week", "s": "second"}


def counted_by(written: str) -> str:
    """Return what something is counted by: `km` as "kilometer", `day` as it is."""
    return PERIODS.get(written) or UNITS.get(written, (written,))[0]
