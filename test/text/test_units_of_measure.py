import pytest

from diffaudio.text.english import normalise
from diffaudio.text.units_of_measure import DOTTED, PER, PERIODS, UNITS, counted_by


@pytest.mark.parametrize("written", UNITS)
def test_every_unit_is_said_in_a_sentence(written):
    one, many = UNITS[written]
    assert normalise(f"They had 1 {written} there.") == f"They had one {one} there."
    assert normalise(f"They had 20 {written} there.") == f"They had twenty {many} there."


@pytest.mark.parametrize("written", sorted(DOTTED))
def test_a_units_full_stop_goes_unless_the_sentence_ends(written):
    _, many = UNITS[written]
    assert normalise(f"They had 20 {written}. of it.") == f"They had twenty {many} of it."
    assert normalise(f"They had 20 {written}.") == f"They had twenty {many}."


@pytest.mark.parametrize("written", PER)
def test_what_counts_is_said_in_full(written):
    said = counted_by(written)
    assert normalise(f"It is 5 dollars/{written}.") == f"It is five dollars per {said}."
    assert said == written or said in {*PERIODS.values()} | {one for one, _ in UNITS.values()}
