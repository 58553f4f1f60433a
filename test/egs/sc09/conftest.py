"""The recipe's own modules, imported as its scripts import them: by name, from their folder."""

import io

import numpy as np
import pytest
import soundfile
from recipe import modules_of

NAMES = ("data", "clips", "flite", "mini", "official", "recordings", "synthetic")


@pytest.fixture(scope="session")
def local():
    """Return the modules of egs/sc09/local by name."""
    return modules_of("sc09", NAMES)


def tone(pitch, rate=16000):
    return 0.3 * np.sin(2 * np.pi * pitch * np.arange(rate // 2) / rate)


def sound(pitch, **about):
    file = io.BytesIO()
    soundfile.write(file, tone(pitch, 8000), 8000, **about)
    return file.getvalue()


@pytest.fixture
def packages(local, monkeypatch):
    """Ten digits of each of the four people, 500 Hz and up, a hundred a digit."""
    wav = [sound(500 + 100 * i, format="WAV") for i in range(10)]
    bare = [sound(500 + 100 * i, format="RAW", subtype="ULAW") for i in range(10)]
    monkeypatch.setattr("diffaudio.corpus.decode.g722", lambda _: tone(500.0).astype("float32"))
    math = "./usr/share/tuxpaint/stamps/symbols/math"
    return {
        "asterisk-core-sounds-en-g722": {f"./s/en/digits/{i}.g722": b"" for i in range(10)},
        "saytime": {f"./usr/share/saytime/{i}.au": bare[i] for i in range(10)},
        "tuxpaint-stamps-default": {
            **{f"{math}/{i}.ogg": wav[i] for i in range(10)},
            **{f"{math}/{i}_en_GB.ogg": wav[i] for i in range(10)},
            **{f"{math}/{i}_ru.ogg": wav[i] for i in range(10)},
            "./usr/share/doc/tuxpaint-stamps-default/copyright": b"GPL",
        },
    }
