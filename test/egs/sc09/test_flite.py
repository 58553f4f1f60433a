"""The program is a fake: it writes a tone of the asked pitch and notes what it was asked for."""

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from diffaudio.log import Refusal

FAKE = f"""#!{sys.executable}
import os, sys
import numpy as np, soundfile
words = sys.argv[1:]
asked = dict(zip(words[::2], words[1::2]))
if asked["-voice"] == "none":
    sys.exit("no such voice")
features = dict(word.split("=") for word in words if "=" in word)
n = int(8000 * float(features["duration_stretch"]))
pitch = float(features.get("int_f0_target_mean", 100))
x = 0.3 * np.sin(2 * np.pi * pitch * np.arange(n) / 16000)
soundfile.write(asked["-o"], x, 16000)
open(asked["-o"] + ".libraries", "w").write(os.environ["LD_LIBRARY_PATH"])
"""


@pytest.fixture
def flite(local, tmp_path, monkeypatch):
    def unpack(package, folder):
        program = folder / "usr/bin/flite"
        program.parent.mkdir(parents=True)
        program.write_text(FAKE)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (folder / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)

    monkeypatch.setattr(local.flite, "unpack", unpack)
    monkeypatch.setenv("LD_LIBRARY_PATH", os.environ.get("LD_LIBRARY_PATH", "") or "/nowhere")
    return local.flite.Flite([tmp_path / "flite.deb"], tmp_path / "place")


def pitch(x):
    return np.fft.rfftfreq(len(x), 1 / 16000)[np.abs(np.fft.rfft(x * np.hanning(len(x)))).argmax()]


def test_stretch_pitch_and_speed(flite):
    plain = flite.say("slt", "two", 16000, pitch=200.0)
    assert (len(plain), pitch(plain)) == (8000, pytest.approx(200.0, abs=3))
    slow = flite.say("slt", "two", 16000, pitch=200.0, stretch=1.5)
    assert (len(slow), pitch(slow)) == (12000, pytest.approx(200.0, abs=3))
    fast = flite.say("slt", "two", 16000, pitch=200.0, speed=1.25)
    assert len(fast) == pytest.approx(8000 / 1.25, abs=2)
    assert pitch(fast) == pytest.approx(250.0, abs=3)


def test_it_finds_its_libraries_before_those_of_the_system(flite):
    flite.say("slt", "two", 16000)
    libraries = Path(f"{flite.spoken}.libraries").read_text().split(":")
    assert libraries[0] == str(flite.spoken.parent / "usr/lib/x86_64-linux-gnu")
    assert len(libraries) > 1


def test_a_program_that_fails_is_refused_with_its_words(flite):
    with pytest.raises(Refusal, match="flite none: no such voice") as caught:
        flite.say("none", "two", 16000)
    assert "--corpus synthetic" in caught.value.mend
