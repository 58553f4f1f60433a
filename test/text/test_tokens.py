from diffaudio.text.tokens import tokens


def shown(text):
    return [("_" if token.apart else "") + token.text for token in tokens(text)]


def test_words_and_marks_and_where_boundaries_are():
    found = " ".join(shown('"Well," he said; yes...'))
    assert found == '" Well , " _he _said ; _yes ...'
    assert [token.word for token in tokens("a, b!")] == [True, False, True, False]


def test_a_hyphen_is_a_boundary_in_a_word_and_a_mark_between_words():
    assert shown("twenty-one well-to-do") == ["twenty", "_one", "_well", "_to", "_do"]
    assert shown("he - she") == ["he", "_-", "_she"]


def test_apostrophes_belong_to_words_and_stand_nowhere_else():
    assert shown("' a") == ["a"]
    assert shown("'tis don't boys' ' x") == ["'tis", "_don't", "_boys'", "_x"]


def test_a_fragment_may_begin_with_a_mark():
    assert shown("  ...press one...") == ["...", "press", "_one", "..."]


def test_what_is_no_symbol_stands_as_it_is():
    assert shown("a5 Ж") == ["a", "5", "_Ж"]
