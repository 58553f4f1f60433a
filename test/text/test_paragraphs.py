"""What stands on lines of its own; test_sentences.py has what becomes of whole texts."""

import pytest

from diffaudio.text.paragraphs import unwrapped

PROSE = [
    "He was brought before the magistrate at",
    "Bow Street, and was afterwards taken to",
    "Newgate, where he was tried at the",
    "Old Bailey.",
]
VERSE = [
    "The curfew tolls the knell of parting day,",
    "The lowing herd wind slowly o'er the lea,",
    "The plowman homeward plods his weary way,",
    "And leaves the world to darkness.",
]
LICENCE = ["THE SOFTWARE IS PROVIDED AS IT IS, FOR ANY PARTICULAR PURPOSE", "ARE DISCLAIMED. IN NO",
           "EVENT SHALL ANYBODY BE LIABLE FOR DAMAGE"]  # fmt: skip


@pytest.mark.parametrize("lines", [PROSE, LICENCE], ids=["prose", "capitals"])
def test_wrapped_text_is_one(lines):
    assert list(unwrapped(lines)) == [" ".join(lines)]


def test_verses_stay_apart():
    assert list(unwrapped(VERSE)) == VERSE


def test_entries_of_a_list_stay_apart_less_their_dashes():
    assert list(unwrapped(["Buy:", "- one egg", "- two fish"])) == ["Buy:", "one egg", "two fish"]
    assert list(unwrapped(["1. Go in", "2. Sit down"])) == ["1. Go in", "2. Sit down"]


def test_a_wrapped_line_may_begin_like_an_entry():
    for lines in (["It runs since version", "5. It stays"], ["It is a state", "- an old one"]):
        assert list(unwrapped(lines)) == [" ".join(lines)]


def test_a_heading_stays_apart():
    text = "It was a dark and stormy night, and the rain fell."
    assert list(unwrapped(["Chapter One", text])) == ["Chapter One", text]
    assert list(unwrapped(["# on rain", text])) == ["on rain", text]
