import re

from diffaudio.text.homographs import Homograph, read_homographs
from diffaudio.text.pronounce import _context
from diffaudio.text.tokens import tokens


def test_a_row_looks_at_capitals_parts_of_speech_and_words_around():
    row = Homograph("Polish", ("JJ",), re.compile("a _"), ("P",))
    assert row.fits("Polish", "JJR", "met a _ poet")
    assert not row.fits("polish", "JJ", "met a _ poet")
    assert not row.fits("Polish", "NN", "met a _ poet")
    assert not row.fits("Polish", "JJ", "the _ poet")


def test_the_context_is_a_few_words_and_marks():
    words = tokens("One two three four five, LEAD six.")
    assert _context(words, 6) == "three four five , _ six ."
    assert _context(words, 0) == "_ two three four five"


def test_no_row_stands_behind_one_that_always_fits():
    for rows in read_homographs().values():
        always = [
            row.word.islower() and not row.tags and row.near.pattern == "" for row in rows[:-1]
        ]
        assert not any(always), rows[0].word
