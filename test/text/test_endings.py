import pytest

from diffaudio.text.endings import apart, derived, ended, plural

WORDS = {
    "reboot": "R IY0 B UW1 T",
    "repress": "R IY0 P R EH1 S",
    "parse": "P AA1 R S",
    "plug": "P L AH1 G",
    "teapot": "T IY1 P AA2 T",
    "hated": "HH EY1 T AH0 D",
    "scar": "S K AA1 R",
    "scare": "S K EH1 R",
    "unto": "AH0 N T UW0",
}


def listed(word):
    return tuple(WORDS.get(word, "").split())


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("bird's", ("bird", "'s")),
        ("bird'll", ("bird", "'ll")),
        ("o'clock", ("o'clock", "")),
        ("'s", ("'s", "")),
        ("birds", ("birds", "")),
    ],
)
def test_an_apostrophe_parts_an_ending_that_is_known(word, parts):
    assert apart(word) == parts


@pytest.mark.parametrize(
    ("last", "ending", "more"),
    [
        ("S", "'s", "IH0 Z"),
        ("JH", "'s", "IH0 Z"),
        ("T", "'s", "S"),
        ("TH", "'s", "S"),
        ("B", "'s", "Z"),
        ("IY0", "'s", "Z"),
        ("B", "'ll", "AH0 L"),
        ("UW1", "'ve", "AH0 V"),
    ],
)
def test_an_ending_is_said_as_the_sound_before_it_wants(last, ending, more):
    assert ended((last,), ending) == (last, *more.split())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("teapots", "T IY1 P AA2 T S"),
        ("represses", "R IY0 P R EH1 S IH0 Z"),
        ("pluggers", "P L AH1 G ER0 Z"),
        ("plugs", "P L AH1 G Z"),
        ("untos", ""),  # no stress: a little word, or letters
        ("zorblaxes", ""),
        ("repres", ""),
    ],
)
def test_a_plural_is_that_of_a_listed_word(word, said):
    assert plural(word, listed) == tuple(said.split())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("rebooted", "R IY0 B UW1 T IH0 D"),
        ("repressed", "R IY0 P R EH1 S T"),
        ("parsed", "P AA1 R S T"),
        ("parsable", "P AA1 R S AH0 B AH0 L"),
        ("plugged", "P L AH1 G D"),
        ("plugging", "P L AH1 G IH0 NG"),
        ("scared", ""),  # of scar or of scare
        ("hateder", "HH EY1 T AH0 D ER0"),
        ("unto", ""),
    ],
)
def test_other_endings_take_a_lost_e_and_a_doubled_letter_back(word, said):
    assert derived(word, listed) == tuple(said.split())
