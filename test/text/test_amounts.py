import re

import pytest

from diffaudio.text.amounts import AMOUNT, amount, described, is_one


def found(text):
    """Return the first amount of a text."""
    return re.search(AMOUNT, text)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("5", "five"),
        ("1,250", "one thousand two hundred and fifty"),
        ("2.5", "two point five"),
        ("-3", "minus three"),
        ("10-20", "ten to twenty"),
        ("10 - 20", "ten to twenty"),
    ],
)
def test_figures_are_said_with_their_sign_and_their_range(written, said):
    assert amount(found(f"of {written} km")) == said


def test_one_alone_is_singular():
    assert is_one(found("1 km"))
    assert not any(is_one(found(f"{n} km")) for n in ("1.0", "0", "11", "1-2"))


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("a 5 run", True),
        ("An 8 walk", True),
        ("the 100 race", True),  # a race is described wherever it stands
        ("the 100 races", True),
        ("the 100 people", False),
        ("a 5.", False),
        ("a 5 London", False),
    ],
)
def test_behind_an_article_or_before_some_words_it_describes(text, so):
    assert described(found(text)) is so
