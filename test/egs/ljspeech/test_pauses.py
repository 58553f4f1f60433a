"""Cutting at pauses, on recordings whose pauses are known."""

import numpy as np
import pytest

RATE = 16000


def length(text):
    return sum(letter.isalpha() for letter in text)


def seconds(piece):
    return len(piece.samples) / RATE


def test_speech_keeps_a_tenth_of_a_second_around_it(local, phrases):
    made = local.pauses.trimmed(phrases((1.0, 0.7)), RATE)
    assert len(made) / RATE == pytest.approx(1.2, abs=0.03)
    assert local.pauses.trimmed(phrases((1.0, 0.05), before=0.03), RATE).size / RATE <= 1.08


def test_pauses_are_found_where_they_are(local, phrases):
    made = phrases((1.0, 0.2), (2.0, 0.05), (1.0, 0.4), (0.5, 0.6))
    found = local.pauses.pauses(made, RATE)  # 0.05 s is no pause
    wanted = [(0.0, 0.3), (1.3, 1.5), (4.55, 4.95), (5.45, 6.05)]
    assert np.abs(np.array(found) - wanted).max() < 0.025


def test_marks_end_parts_and_a_dot_in_a_number_does_not(local):
    text = "Press 1, or 28.8.  If not: wait! Say www.asterisk.org."
    parts = local.pauses.marks(text)
    assert "".join(parts) == text
    assert [part.strip() for part in parts] == [
        *("Press 1,", "or 28.8.", "If not:", "wait!", "Say www.asterisk.org.")
    ]


def test_sentences_are_cut_where_their_lengths_say(local, phrases):
    """Eight letters a second; there are more pauses than sentences, and the longest is no end."""
    texts = [24 * "a" + ". ", 40 * "b" + ". ", 16 * "c" + "."]
    made = phrases((1.0, 0.15), (2.0, 0.25), (2.5, 0.3), (2.5, 0.25), (2.0, 0.5))
    pieces = local.pauses.cut(made, RATE, texts, length, longest=6.0)
    assert [piece.text for piece in pieces] == [text.strip() for text in texts]
    assert [seconds(piece) for piece in pieces] == pytest.approx([3.35, 5.5, 2.2], abs=0.05)
    assert not any(piece.doubtful for piece in pieces)


def test_a_long_sentence_is_cut_at_a_comma_and_a_short_one_is_not(local, phrases):
    texts = [*(16 * letter + ", " for letter in "abc"), 16 * "d" + "."]
    made = phrases(*(4 * [(2.0, 0.3)]))
    cut = local.pauses.cut(made, RATE, texts, length, longest=6.0)
    assert [piece.text.count(",") for piece in cut] == [2, 1]
    whole = local.pauses.cut(made, RATE, texts, length, longest=12.0)
    assert len(whole) == 1


def test_what_lasts_too_long_for_its_words_is_doubtful_and_so_are_its_neighbours(local, phrases):
    texts = [32 * letter + ". " for letter in "abcdefghijklmnop"]
    made = phrases(*(8 * [(4.0, 0.5)]), (14.0, 0.5), *(7 * [(4.0, 0.5)]))
    pieces = local.pauses.cut(made, RATE, texts, length, longest=8.0)
    [odd] = [at for at, piece in enumerate(pieces) if "i" in piece.text]
    doubtful = [at for at, piece in enumerate(pieces) if piece.doubtful]
    assert {odd - 1, odd, odd + 1} <= set(doubtful)
    assert 0 not in doubtful


def test_without_pauses_a_recording_stays_whole(local, phrases):
    made = phrases((9.0, 0.3))
    [piece] = local.pauses.cut(made, RATE, ["aaa. ", "bbb."], length, longest=6.0)
    assert piece.text == "aaa. bbb."
    assert seconds(piece) == pytest.approx(9.2, abs=0.05)


def test_a_sentence_that_is_too_long_is_not_cut_where_no_mark_is(local, phrases):
    texts = [32 * "a" + ". ", 64 * "b" + ". ", 32 * "c" + "."]
    made = phrases((4.0, 0.3), (4.0, 0.15), (4.0, 0.3), (4.0, 0.3))
    pieces = local.pauses.cut(made, RATE, texts, length, longest=6.0)
    assert [seconds(piece) for piece in pieces] == pytest.approx([4.2, 8.35, 4.2], abs=0.05)


def test_a_cut_that_might_be_elsewhere_makes_both_pieces_doubtful(local, phrases):
    """The last two pauses are the same, and so near each other that the text fits both."""
    texts = [32 * "a" + ". ", 32 * "b" + ". ", 32 * "c" + "."]
    made = phrases((4.0, 0.3), (3.8, 0.3), (0.4, 0.3), (3.8, 0.3))
    pieces = local.pauses.cut(made, RATE, texts, length, longest=9.0)
    assert [piece.doubtful for piece in pieces] == [False, True, True]
