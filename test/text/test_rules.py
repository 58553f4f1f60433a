import re

from diffaudio.text.rules import apply, rule, words_of

RULES = (
    rule("swap", r"(?P<a>\w)\ (?P<b>\w)", r"\g<b> \g<a>"),
    rule("double", r"\d", lambda match: match[0] * 2),
)


def test_rules_are_applied_in_turn_and_say_whether_they_did_anything():
    fired = set()
    assert apply(RULES, "a 1", fired) == "11 a"
    assert fired == {"swap", "double"}
    fired.clear()
    assert apply(RULES, "a", fired) == "a"
    assert fired == set()


def test_the_longest_of_some_words_comes_first_and_signs_are_taken_literally():
    assert words_of("a", "a.b", "ab") == r"a\.b|ab|a"
    assert re.fullmatch(words_of("sq ft"), "sq ft", re.X)
