import io

import av
import numpy as np
import pytest
import soundfile

from diffaudio.corpus.decode import decode


def tone(seconds, rate, pitch=300.0):
    return 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)


def g722(samples):
    file = io.BytesIO()
    with av.open(file, "w", format="g722") as output:
        stream = output.add_stream("g722", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.rint(32767 * samples).astype(np.int16)[None], "s16", "mono"
        )
        frame.rate = 16000
        for packet in [*stream.encode(frame), *stream.encode()]:
            output.mux(packet)
    return file.getvalue()


def written(samples, rate, **about):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **about)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.g722", g722(tone(1.0, 16000))),
        ("a.au", written(tone(1.0, 8000), 8000, format="RAW", subtype="ULAW")),
        ("b.au", written(tone(1.0, 11025), 11025, format="AU")),
        ("a.wav", written(tone(1.0, 44100), 44100, format="WAV")),
        ("a.ogg", written(np.stack([tone(1.0, 44100)] * 2, 1), 44100, format="OGG")),
    ],
)
def test_a_tone_of_every_format_is_heard(name, content):
    x = decode(name, content, 16000)
    assert len(x) == pytest.approx(16000, abs=100)
    power = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    assert np.fft.rfftfreq(len(x), 1 / 16000)[power.argmax()] == pytest.approx(300.0, abs=2)
    assert x[1000:-1000].std() == pytest.approx(0.3 / 2**0.5, rel=0.05)


def test_channels_are_averaged():
    stereo = np.stack([tone(0.5, 16000), -tone(0.5, 16000)], 1)
    assert decode("a.wav", written(stereo, 16000, format="WAV"), 16000) == pytest.approx(
        0, abs=1e-4
    )
