import pytest

from diffaudio.text.english import normalise
from diffaudio.text.units_of_measure import DOTTED, PER, UNITS, counted_by


@pytest.mark.parametrize("written", UNITS)
def test_every_unit_is_said_in_a_sentence(written):
    one, many = UNITS[written]
    assert normalise(f"They had 1 {written} there.") == f"They had one {one} there."
    assert normalise(f"They had 20 {written} there.") == f"They had twenty {many} there."


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2 km", "two kilometers"),
        ("1 ft", "one foot"),
        ("2 ft", "two feet"),
        ("6 in.", "six inches"),
        ("3 oz", "three ounces"),
        ("5 µg", "five micrograms"),
        ("9 lbs", "nine pounds"),
        ("40 mph", "forty miles per hour"),
        ("7 kΩ", "seven kilo-ohms"),
        ("8 mmHg", "eight millimeters of mercury"),
        ("4 sq mi", "four square miles"),
        ("50 Hz", "fifty hertz"),
    ],
)
def test_units_are_what_they_are(written, said):
    assert normalise(f"It had {written} there.") == f"It had {said} there."


@pytest.mark.parametrize("written", sorted(DOTTED))
def test_a_units_full_stop_goes_unless_the_sentence_ends(written):
    _, many = UNITS[written]
    assert normalise(f"They had 20 {written}. of it.") == f"They had twenty {many} of it."
    assert normalise(f"They had 20 {written}.") == f"They had twenty {many}."


def test_what_counts_is_said_in_full():
    """The others are words already."""
    short = {written: said for written in PER if (said := counted_by(written)) != written}
    assert short == {
        "kg": "kilogram",
        "g": "gram",
        "lb": "pound",
        "oz": "ounce",
        "km": "kilometer",
        "m": "meter",
        "l": "liter",
        "h": "hour",
        "hr": "hour",
        "min": "minute",
        "sec": "second",
        "mo": "month",
        "yr": "year",
        "wk": "week",
    }
    assert normalise("It is 5 dollars/mo.") == "It is five dollars per month."
    assert normalise("It is 5 dollars/km.") == "It is five dollars per kilometer."
