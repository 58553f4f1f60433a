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
