import pytest

from diffaudio.text import numbers


@pytest.mark.parametrize(
    ("function", "written", "said"),
    [
        (numbers.cardinal, "0", "zero"),
        (numbers.cardinal, "1,000,001", "one million and one"),
        (numbers.cardinal, "9" * 40, " ".join(["nine"] * 40)),
        (numbers.ordinal, "12", "twelfth"),
        (numbers.ordinal, "100", "one hundredth"),
        (numbers.decimal, "12.05", "twelve point zero five"),
        (numbers.decimal, ".5", "point five"),
        (numbers.year, "1900", "nineteen hundred"),
        (numbers.year, "1066", "ten sixty-six"),
        (numbers.year, "2000", "two thousand"),
        (numbers.year, "2009", "two thousand and nine"),
        (numbers.year, "2010", "twenty ten"),
        (numbers.year, "1805", "eighteen oh five"),
        (numbers.year, "1909", "nineteen oh nine"),
        (numbers.year, "476", "four hundred and seventy-six"),
        (numbers.decades, "2000", "two thousands"),
        (numbers.decades, "1960", "nineteen sixties"),
        (numbers.plural, "six", "sixes"),
    ],
)
def test_numbers_in_words(function, written, said):
    assert function(written) == said


@pytest.mark.parametrize(
    ("above", "below", "said"),
    [("1", "2", "one half"), ("3", "2", "three halves"), ("1", "4", "one quarter"),
     ("2", "3", "two thirds"), ("5", "21", "five twenty-firsts")],
)  # fmt: skip
def test_fractions_in_words(above, below, said):
    assert numbers.fraction(above, below) == said
