import pytest

from diffaudio.text.plain import fold


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("“don’t”", '"don\'t"'),
        ("Éric Šťastný, Ångström", "Eric Stastny, Angstrom"),
        ("e\u0301", "e"),
        ("Straße, œuvre, Æsir, Łódź", "Strasse, oeuvre, AEsir, Lodz"),
        ("ﬁnd ﬂat oﬃce", "find flat office"),
        ("a\u00a0b\u2003c\td", "a b c d"),
        ("1990–95", "1990-95"),
        ("yes—no – maybe -- so", "yes - no - maybe - so"),
        ("wait… . . .", "wait..."),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("[a] {b}", "(a) (b)"),
        ("ＡＢＣ", "ABC"),
        ("5½ m² 20°C №5", "5½ m² 20°C №5"),
        ("Привет 世界 😀", "Привет 世界 😀"),
    ],
)
def test_text_is_folded_to_plain_characters(written, folded):
    assert fold(written) == folded
