import numpy as np
import pytest

WAYS = [("", "", 0), ("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b", "b a", 2), ("", "a", 1)]
WAYS += [("a b c d", "x b d e", 3)]


@pytest.mark.parametrize(("told", "heard", "off"), WAYS)
def test_words_that_differ_are_counted(local, told, heard, off):
    assert local.heard.distance(told.split(), heard.split()) == off
    assert local.heard.distance(heard.split(), told.split()) == off


def test_words_are_compared_without_marks_and_numbers_in_words(local):
    assert local.heard.words("It's 2, Twenty-one: 21.") == local.heard.words(
        "its TWO twenty one twenty-one"
    )


def test_windows_hold_all_in_order_and_no_more_than_whisper_hears(local):
    lengths = [10.0, 12.0, 8.0, 29.5, 1.0, 1.0]
    clips = [(np.full(round(16000 * n), i, np.float32), i) for i, n in enumerate(lengths)]
    found = list(local.heard.windows(clips))
    assert [told for _, told in found] == [[0, 1], [2], [3], [4, 5]]
    assert sum(len(samples) for samples, _ in found) == 16000 * sum(lengths) + 6 * 12800
    assert all(len(samples) <= 30.4 * 16000 for samples, _ in found)
