import pytest

SAID = {
    "press 1 to mute, 12 or 28.8": "press one to mute, twelve or twenty-eight point eight",
    "extension 1234, dial 500": "extension one two three four, dial five zero zero",
    "3D audio, 40": "three D audio, forty",
    "press * then #, or 9.": "press star then pound, or nine.",
    "...  for ...": "for",
    "letters ... of": "letters ... of",
    "visit www.asterisk.org.": "visit W W W dot asterisk dot org.",
    "at [@]": "at",
    "Hello  world.": "Hello world.",
}


@pytest.mark.parametrize("raw", SAID)
def test_transcripts_in_words(local, raw):
    assert local.spoken.spoken(raw) == SAID[raw]
    assert local.spoken.spoken(SAID[raw]) == SAID[raw]


def test_texts_that_sound_the_same_have_one_key(local):
    key = local.spoken.key
    assert key("It's  One, two!") == key("its one two") == "its one two"
    assert key("it is one") != key("it is won")


def test_what_is_spelt_takes_longer(local):
    assert local.spoken.weight("an IVR") == 2 + 3 * 3
    assert local.spoken.weight("dial 2") == local.spoken.weight("dial two") == 7
