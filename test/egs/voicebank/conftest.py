"""The recipe's own modules, imported as its scripts import them: by name, from their folder."""

import gzip
import io

import av
import numpy as np
import pytest
from recipe import modules_of

NAMES = ("data", "mini", "mixtures", "official", "sounds", "synthetic")


@pytest.fixture(scope="session")
def local():
    """Return the modules of egs/voicebank/local by name."""
    return modules_of("voicebank", NAMES)


def g722(samples):
    file = io.BytesIO()
    with av.open(file, "w", format="g722") as output:
        stream = output.add_stream("g722", rate=16000, layout="mono")
        pcm = np.rint(32767 * samples).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(pcm, "s16", "mono")
        frame.rate = 16000
        for packet in [*stream.encode(frame), *stream.encode()]:
            output.mux(packet)
    return file.getvalue()


def tone(seconds, rate, pitch=300.0):
    return 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)


@pytest.fixture
def prompt_packages():
    """Return a maker of the two packages of a language, as read: transcript and prompts."""

    def packages(tongue, pitches):
        """Return the two packages of a language: transcript and prompts."""
        text = "\ufeff; a comment\n\nbeep: [a beep]\nquiet: nothing\n"
        name, folder = f"asterisk-core-sounds-{tongue}", f"./x/sounds/{tongue}_X"
        files = {}
        for number, pitch in enumerate(pitches):
            text += f"digits/{number}: number {number}\n"
            files[f"{folder}/digits/{number}.g722"] = g722(tone(2.5, 16000, pitch=pitch))
        files[f"{folder}/beep.g722"] = g722(tone(2.0, 16000, pitch=1000.0))
        files[f"{folder}/unheard.g722"] = g722(tone(2.0, 16000, pitch=1000.0))
        files[f"{folder}/quiet.g722"] = g722(1e-4 * tone(2.0, 16000))
        files[f"{folder}/copy.g722"] = files[f"{folder}/digits/0.g722"]
        text += "copy: number 0\n"
        packed = gzip.compress(text.encode())
        return {name: {f"./doc/core-sounds-{tongue}.txt.gz": packed}, f"{name}-g722": files}

    return packages
