"""Real digits out of packages: fakes of the packages, the tables are the real ones."""

import re

import numpy as np
import pytest

from diffaudio.log import Refusal


def test_recordings_are_forty_english_digits_by_four_people(local, packages):
    found = list(local.recordings.digits(packages))
    assert len(found) == 40
    assert {digit.speaker.voice for digit in found} == {
        *("allison", "dawson", "tuxpaint", "tuxpaint-gb")
    }
    assert {(digit.speaker.split, digit.speaker.source) for digit in found} == {("test", "real")}
    for digit in found[10:]:
        power = np.abs(np.fft.rfft(digit.samples))
        heard = np.fft.rfftfreq(len(digit.samples), 1 / 16000)[power.argmax()]
        assert heard == pytest.approx(500 + 100 * local.data.WORDS.index(digit.word), abs=5)


def test_the_patterns_take_what_is_used_and_no_other_language(local, packages):
    for name, pattern in local.recordings.PACKAGES.items():
        taken = {path for path in packages[name] if re.search(pattern, path)}
        assert taken == {path for path in packages[name] if "ru" not in path and "doc" not in path}


def test_a_digit_that_is_missing_is_named(local, packages):
    del packages["saytime"]["./usr/share/saytime/7.au"]
    with pytest.raises(Refusal, match="saytime: has no recording of 7"):
        list(local.recordings.digits(packages))
