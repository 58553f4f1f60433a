import pytest

from diffaudio.text.names import roman


def written(number):
    """Return a number below 4000 in Roman figures, digit by digit."""
    digits = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
    places = [str.maketrans("IVX", signs) for signs in ("MMM", "CDM", "XLC", "IVX")]
    return "".join(
        digits[int(digit)].translate(place)
        for digit, place in zip(f"{number:04d}", places, strict=True)
    )


@pytest.mark.parametrize("number", [1, 4, 9, 14, 40, 49, 90, 99, 400, 888, 944, 1666, 1999, 3999])
def test_a_roman_numeral_has_the_value_that_it_was_written_for(number):
    assert roman(written(number)) == roman(written(number).lower()) == number


def test_each_has_its_own_value():
    assert [roman(written(number)) for number in range(1, 4000)] == [*range(1, 4000)]
