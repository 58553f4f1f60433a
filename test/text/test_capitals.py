import pytest

from diffaudio.text.capitals import CAPITALS
from diffaudio.text.rules import apply

WORDS = "FREE SALE HAPPY THANK OPEN NEWS IKEA CERN LEGO BLACK NIGHT SPORT TRADE FIRST STOP NO NASA"
LETTERS = "HTML HTTP USSR NCAA ESPN OECD HSBC UNHCR NAACP HDMI CCTV BBC FBI NHS UCLA USDA YMCA UK"


@pytest.mark.parametrize("word", WORDS.split())
def test_what_can_be_said_is_a_word(word):
    assert apply(CAPITALS, word) == word


@pytest.mark.parametrize("letters", LETTERS.split())
def test_what_cannot_be_said_and_what_is_not_is_spelled(letters):
    assert apply(CAPITALS, letters) == " ".join(letters)
