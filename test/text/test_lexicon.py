from pathlib import Path

import pytest

from diffaudio.log import Refusal
from diffaudio.text import Phonemes
from diffaudio.text.lexicon import read_lexicon

GOOD = b"# names\n\nNguyen\tN W IH1 N  # of the crew\no'dell\tOW0 D EH1 L\n"


def test_words_and_their_phonemes():
    assert read_lexicon(Path("x"), GOOD) == {
        "nguyen": ("N", "W", "IH1", "N"),
        "o'dell": ("OW0", "D", "EH1", "L"),
    }


def test_a_byte_order_mark_is_no_part_of_the_first_word():
    assert read_lexicon(Path("x"), b"\xef\xbb\xbfbird\tB\n") == {"bird": ("B",)}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"crew\tK R UW", "'crew': no such phonemes: UW"),
        (b"crew\tK r UW1", "'crew': no such phonemes: r"),
        (b"crew", "'crew' has no phonemes"),
        (b"\tK", "'' is not one word"),
        (b"two words\tK", "'two words' is not one word"),
        (b"NGUYEN\tN", "'nguyen' has a reading already"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(line, fault):
    with pytest.raises(Refusal, match=f"names.tsv, line 5: {fault}") as caught:
        read_lexicon(Path("names.tsv"), GOOD + line + b"\n")
    assert "a tab" in caught.value.mend


def test_a_lexicon_is_checked_when_the_units_are_made(tmp_path):
    with pytest.raises(Refusal, match="no lexicon to be read") as caught:
        Phonemes(lexicon=tmp_path / "absent.tsv")
    assert "name a file" in caught.value.mend
    (tmp_path / "bad.tsv").write_bytes(b"\xff\tK")
    with pytest.raises(Refusal, match="not UTF-8"):
        Phonemes(lexicon=tmp_path / "bad.tsv")
