import pytest

from diffaudio.log import Refusal
from diffaudio.text import Characters
from diffaudio.text.units import BLANK, interleave


def test_characters_are_numbered_in_the_order_of_the_alphabet():
    units = Characters()
    assert units.names[:4] == (" ", "a", "b", "c")
    assert units.encode("Ab c.") == [1, 2, 0, 3, units.names.index(".")]
    assert [units.names[one] for one in units.encode("don't!")] == list("don't!")


def test_capitals_may_be_units_of_their_own():
    units = Characters(alphabet="aA ", lower=False)
    assert units.encode("A a") == [1, 2, 0]


def test_what_is_unknown_is_named_once_each_with_the_place():
    with pytest.raises(Refusal) as caught:
        Characters().encode("naïve 😀 Ж 😀", place="train.jsonl, line 7")
    assert caught.value.message == (
        "train.jsonl, line 7: Characters have no 'ï' (U+00EF LATIN SMALL LETTER I WITH DIAERESIS), "
        "'😀' (U+1F600 GRINNING FACE), 'ж' (U+0436 CYRILLIC SMALL LETTER ZHE)"
    )
    assert "leave it out" in caught.value.mend


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
@pytest.mark.parametrize("blank", [False, True])
def test_an_empty_text_is_refused(text, blank):
    with pytest.raises(Refusal, match="p1_003: there is nothing to say"):
        Characters(alphabet="a \n\t", blank=blank).encode(text, place="p1_003")


def test_blanks_stand_between_before_and_behind():
    units = Characters(blank=True)
    assert units.split("ab") == [BLANK, "a", BLANK, "b", BLANK]
    assert units.names[:-1] == Characters().names
    assert interleave(["a"]) == [BLANK, "a", BLANK]


@pytest.mark.parametrize("alphabet", ["", "aba"])
def test_an_alphabet_without_order_is_no_alphabet(alphabet):
    with pytest.raises(ValueError, match="different characters"):
        Characters(alphabet=alphabet)
