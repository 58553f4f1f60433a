from pathlib import Path

import pytest

from diffaudio.text import language_data
from diffaudio.text.lexicon import PHONEMES
from diffaudio.text.pronounce import pronouncer
from diffaudio.text.tokens import tokens

pytestmark = pytest.mark.skipif(
    bool(language_data.missing()), reason="no data for phonemes: tools/install.sh"
)
SENTENCES = [
    line.split("\t")
    for line in Path(__file__).with_name("homographs.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def said(text):
    return " | ".join(" ".join(word) for word in pronouncer().say(tokens(text), {}))


def test_homographs_are_said_as_their_sentence_wants():
    found = []
    for sentence, word, _ in SENTENCES:
        words = tokens(sentence)
        number = [token.text for token in words].index(word)
        found.append((sentence, word, " ".join(pronouncer().say(words, {})[number])))
    assert found == [tuple(row) for row in SENTENCES]
    assert len(found) >= 110


def test_every_row_of_the_table_holds_known_phonemes():
    for rows in pronouncer().homographs.values():
        for row in rows:
            assert set(row.phonemes) <= {*PHONEMES}, row.word
            assert row.phonemes


def test_an_ending_is_added_to_the_word():
    base = said("zorblax")
    assert said("zorblax's") == f"{base} IH0 Z"
    assert said("teapot's") == f"{said('teapot')} S"
    assert said("zebra'll") == f"{said('zebra')} AH0 L"


def test_a_plural_is_said_as_its_word_wants():
    assert said("kilopascals") == f"{said('kilopascal')} Z"
    assert said("gaolers'") == f"{said('gaoler')} Z"
    assert said("torus") == "T AO1 R AH0 S"  # of no toru
    assert said("represses") == f"{said('repress')} IH0 Z"
    assert said("ps") == "P IY1 EH1 S"  # of no letter
    assert said("sys") == "S IH1 S"
    assert said("https") == "EY1 CH T IY1 T IY1 P IY1 EH1 S"
    assert said("Ferrars") == "F EH1 R ER0 Z"  # of no Ferrar


def test_an_ending_of_letters_is_added_to_the_word():
    assert said("pluggable") == "P L AH1 G AH0 B AH0 L"
    assert said("pleasanter") == "P L EH1 Z AH0 N T ER0"
    assert said("remodelling") == "R IY0 M AA1 D AH0 L IH0 NG"
    assert said("rebooted") == f"{said('reboot')} IH0 D"
    assert said("parsable") == "P AA1 R S AH0 B AH0 L"  # of parse


def test_capitals_inside_a_word_part_it():
    assert said("iPadOS") == f"{said('I')} P AE1 D OW1 EH1 S"
    assert said("FreeBSD's") == "F R IY1 B IY1 EH1 S D IY1 Z"
    assert said("McGlimfrath") == said("mcglimfrath")
    assert said("GLIMFRATH") == said("glimfrath")


def test_letters_are_said_by_their_names():
    assert said("the B B C") == "DH AH0 | B IY1 | B IY1 | S IY1"
    assert said("nine A M") == "N AY1 N | EY1 | EH1 M"
    assert said("A dog and a cat").startswith("AH0 | D AO1 G")
