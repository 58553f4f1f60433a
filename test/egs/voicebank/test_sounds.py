import io
import struct
import zlib

import numpy as np
import pytest
import soundfile
import zstandard


def tone(seconds, rate, pitch=300.0):
    return 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)


def wav(seconds, rate, **about):
    file = io.BytesIO()
    soundfile.write(file, tone(seconds, rate, **about), rate, format="WAV")
    return file.getvalue()


def catalogue(sounds):
    """Return an OpenTTD sound catalogue; the title stands before the sound."""
    head, body = b"", b""
    for title, content in sounds.items():
        place = 8 * len(sounds) + len(body)
        text = f'"{title}". By nobody.\0'.encode()
        head += struct.pack("<II", place | 0x80000000, len(content))
        body += bytes([len(text)]) + text + content + b"\x05file\0"
    return head + body


def resource(files):
    """Return a Qt resource file: each content plain, zlib or zstandard packed, one folder deep."""
    names, data = b"", b""
    places = {}
    for name in ["memory-sound", *files]:
        places[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    nodes = [struct.pack(">IHII", 0, 2, 1, 1), struct.pack(">IHII", 0, 2, len(files), 2)]
    for number, (name, content) in enumerate(files.items()):
        flag = (0, 1, 4)[number % 3]
        if flag == 1:
            content = struct.pack(">I", len(content)) + zlib.compress(content)
        elif flag == 4:
            content = zstandard.compress(content)
        nodes.append(struct.pack(">IHHHI", places[name], flag, 0, 0, len(data)))
        data += struct.pack(">I", len(content)) + content
    tree = b"".join(node + bytes(8) for node in nodes)
    return struct.pack(">4sIIII", b"qres", 3, 20, 20 + len(tree), 20 + len(tree) + len(data)) + (
        tree + data + names
    )


def test_noises_of_every_kind_of_package(local):
    rcc = {f"n{i}.ogg": wav(1.5, 32000, pitch=200 + 50 * i) for i in range(3)}
    packages = {
        "openttd-opensfx": {
            "a/opensfx.cat": catalogue({"Ship horn": wav(2.0, 44100), "Beep": wav(2.0, 8000)})
        },
        "gcompris-qt-data": {
            "a/memory-sound.rcc": resource(rcc),
            "a/core.rcc": b"qrez" + bytes(20),
        },
        "lincity-ng-data": {
            "s/Mill1.wav": wav(1.5, 11025),
            "s/Mill2.wav": wav(1.2, 8000),
            "s/Short.wav": wav(0.5, 11025),
            "s/Silent.wav": wav(2.0, 11025, pitch=0.0),
            "s/Again.wav": wav(1.5, 11025),
        },
    }
    found = {noise.name: noise for noise in local.sounds.noises(packages)}
    assert set(found) == {
        *("gcompris-n0", "gcompris-n1", "gcompris-n2", "lincity-again", "lincity-mill2"),
        "openttd-ship-horn",
    }
    assert found["lincity-mill2"].scene == "lincity-mill"
    assert len(found["gcompris-n2"].samples) == pytest.approx(1.5 * 16000, abs=160)


def test_a_noise_is_wide_when_it_reaches_above_6_khz(local):
    random = np.random.default_rng(0)
    assert local.sounds._is_wide(random.standard_normal(16000))
    assert not local.sounds._is_wide(tone(1.0, 16000, pitch=3000.0))


def test_rumble_is_taken_out_of_noises(local):
    mixed = tone(1.0, 16000, pitch=20.0) + 0.5 + tone(1.0, 16000, pitch=400.0)
    assert local.sounds._high_pass(mixed) == pytest.approx(tone(1.0, 16000, pitch=400.0), abs=0.01)


def test_prompts_are_those_with_words(local, prompt_packages):
    found = local.sounds.prompts(prompt_packages("en", [200.0, 400.0]), "en")
    assert len(found) == 2
    for x, pitch in zip(found, [200.0, 400.0], strict=True):
        assert len(x) == pytest.approx(2.5 * 16000, abs=400)
        spectrum = np.abs(np.fft.rfft(x))
        assert np.fft.rfftfreq(len(x), 1 / 16000)[spectrum.argmax()] == pytest.approx(pitch, abs=2)
