import pytest

from diffaudio.text import Characters, split_words
from diffaudio.text.units import interleave

PHONEMES = ["HH", "AY1", ",", " ", "DH", "EH1", "R", "."]
SAID = "Hi, there."


def shown(said, symbols):
    return [(word.text, symbols[word.first : word.end]) for word in split_words(said, symbols)]


def test_boundaries_belong_to_no_word():
    assert shown(SAID, PHONEMES) == [("Hi,", PHONEMES[:3]), ("there.", PHONEMES[4:])]


def test_with_blanks_between_symbols_a_word_has_those_around_it():
    symbols = interleave(PHONEMES)
    (_, first), (_, second) = shown(SAID, symbols)
    assert [one for one in first if one != "<blank>"] == PHONEMES[:3]
    assert len(first) + len(second) == len(symbols) - 1


def test_pieces_begin_with_their_words():
    pieces = ["▁", "h", "i,", "▁the", "re", "."]
    assert shown(SAID, pieces) == [("Hi,", pieces[:3]), ("there.", pieces[3:])]


def test_edges_are_no_words():
    assert shown(SAID, [" ", *PHONEMES, " "]) == shown(SAID, PHONEMES)
    pieces = ["▁", "▁h", "i,", "▁the", "re", ".", "▁"]
    assert shown(SAID, pieces) == [("Hi,", pieces[1:3]), ("there.", pieces[3:6])]


def test_a_hyphen_is_a_boundary_of_phonemes_and_a_letter_of_characters():
    said = "well-to-do now"
    phonemes = ["W", "EH1", "L", " ", "T", "UW1", " ", "D", "UW1", " ", "N", "AW1"]
    assert [text for text, _ in shown(said, phonemes)] == ["well", "to", "do", "now"]
    letters = Characters().split(said)
    assert [text for text, _ in shown(said, letters)] == ["well-to-do", "now"]


@pytest.mark.parametrize("symbols", [["HH", "AY1"], [*PHONEMES, " ", "X"], []])
def test_where_the_numbers_differ_there_are_none(symbols):
    assert split_words(SAID, symbols) == []
