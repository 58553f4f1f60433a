from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Prompt, Unmeasurable
from diffaudio.metrics.transcript import cer, edits, normalised, wer

RATE = 16000


@dataclass(frozen=True)
class Parrot:
    """Hears what it was told to."""

    words: str

    def heard(self, audio):
        return self.words


def fewest(told, heard):
    """All ways to turn one into the other, tried: the definition, for short ones."""
    if not told or not heard:
        return len(told) + len(heard)
    kept = fewest(told[1:], heard[1:]) + (told[0] != heard[0])
    return min(kept, 1 + fewest(told[1:], heard), 1 + fewest(told, heard[1:]))


def test_edits_are_the_fewest_there_are():
    words = [list(word) for n in range(5) for word in itertools.product("ab", repeat=n)]
    for told, heard in itertools.product(words, repeat=2):
        assert edits(told, heard) == fewest(told, heard)
    assert edits("kitten", "sitting") == 3
    assert edits("", "abc") == 3


@pytest.mark.parametrize(
    ("heard", "words", "characters"),
    [
        ("the cat sat", 0, 0),
        ("The CAT, sat!", 0, 0),
        ("the cat", 1, 4),  # a word less, and the space before it
        ("the big cat sat", 1, 4),  # a word more
        ("the bat sat", 1, 1),
        ("cat the sat", 2, 6),
        ("", 3, 11),
        ("a b c d e f g h", 8, None),  # more errors than words
    ],
)
def test_rates_count_errors_by_what_was_told(heard, words, characters):
    prompt = Prompt("The cat sat.", Parrot(heard))
    found = wer(np.ones(RATE), prompt, RATE)
    assert (found.number, found.weight) == (pytest.approx(100 * words / 3), 3)
    assert found.heard == heard
    if characters is not None:
        found = cer(np.ones(RATE), prompt, RATE)
        assert (found.number, found.weight) == (pytest.approx(100 * characters / 11), 11)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("In nineteen sixty-three he didn't pay $3.50.", "in 1963, he did not pay $3.50"),
        ("Mr. Smith's colour", "mister Smith's color"),
        ("one hundred and five", "105"),
        ("He said: “no” — twice…", "he said no twice"),
    ],
)
def test_ways_to_write_the_same_are_the_same(one, other):
    pytest.importorskip("whisper_normalizer")
    assert normalised(one) == normalised(other)
    assert normalised(one) == " ".join(normalised(one).split())


def test_a_text_without_words_has_no_rate():
    pytest.importorskip("whisper_normalizer")
    with pytest.raises(Unmeasurable, match="no words"):
        METRICS["WER"].value(np.ones(9), np.ones(9), RATE, Prompt(" — ", Parrot("")))


def test_silence_deletes_every_word_and_what_is_not_finite_has_no_value():
    pytest.importorskip("whisper_normalizer")
    silence, prompt = np.zeros(RATE), Prompt("two words")
    assert METRICS["WER"].value(silence, np.ones(9), RATE, prompt).number == 100.0
    with pytest.raises(Unmeasurable, match="not finite"):
        METRICS["WER"].value(np.full(9, np.nan), np.ones(9), RATE, prompt)
    with pytest.raises(ValueError, match="needs a text"):
        METRICS["WER"].value(silence, silence, RATE)
