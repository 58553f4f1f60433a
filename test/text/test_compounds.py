import pytest

from diffaudio.text.compounds import Compounds
from diffaudio.text.pronounce import pronouncer

NONE = """
    optionally glimfrath fonttools denoiser phonemizer libertarianism unittest delaford pluggable
    pleasanter marshalling diffident represses remodelling bellarmine
"""


@pytest.fixture(scope="module")
def cmu():
    return pronouncer().g2p.cmu


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("touchscreen", "T AH1 CH S K R IY2 N"),
        ("windscreens", "W IH1 N D S K R IY2 N Z"),  # as in windmill
        ("brokenness", "B R OW1 K AH0 N AH0 S"),  # N AH0 S as in darkness, and one N
        ("backstory", "B AE1 K S T AO2 R IY0"),  # not backs and Tory
        ("liveware", "L AY1 V W EH2 R"),
        ("livestream", "L AY1 V S T R IY2 M"),
        ("superblocks", "S UW1 P ER0 B L AA2 K S"),  # not superb and locks
        ("mediasource", "M IY1 D IY0 AH0 S AO2 R S"),  # not as in mediate
        ("crowdfunding", "K R AW1 D F AH2 N D IH0 NG"),
        ("timestamp", "T AY1 M S T AE2 M P"),
        ("interlibrary", "IH2 N T ER0 L AY1 B R EH0 R IY2"),  # as in interstate
    ],
)
def test_two_words_in_one_are_said_as_both(cmu, word, phonemes):
    assert word not in cmu
    assert " ".join(Compounds(cmu).say(word)) == phonemes


@pytest.mark.parametrize("word", NONE.split())
def test_what_only_looks_like_a_word_makes_no_compound(cmu, word):
    assert word not in cmu
    assert not Compounds(cmu).say(word)
