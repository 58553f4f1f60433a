from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from diffaudio.score import picture


def read_png(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Read back what `picture.png` writes: pixels and palette, every checksum verified."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, place = {}, 8
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + size]
        (crc,) = struct.unpack_from(">I", data, place + 8 + size)
        assert crc == zlib.crc32(kind + body)
        chunks[kind] = body
        place += size + 12
    width, height, depth, colour = struct.unpack_from(">2I2B", chunks[b"IHDR"])
    assert (depth, colour) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)


def test_png_round_trip():
    rng = np.random.default_rng(0)
    pixels = rng.integers(5, size=(3, 7)).astype(np.uint8)
    palette = rng.integers(256, size=(5, 3)).astype(np.uint8)
    found, colours = read_png(picture.png(pixels, palette))
    assert (found == pixels).all()
    assert (colours == palette).all()


def test_a_tone_is_a_line_at_its_frequency():
    rate, frequency = 16000, 2000
    tone = np.sin(2 * np.pi * frequency * np.arange(rate) / rate)
    levels = picture.level(tone, rate)
    rows, columns = levels.shape
    assert (rows, columns) == (128, 101)
    brightest = levels[:, columns // 2].argmax()
    assert abs((rows - 0.5 - brightest) / rows * rate / 2 - frequency) < rate / 2 / rows * 1.5
    pixels, palette = read_png(picture.spectrogram(levels, float(levels.max())))
    assert pixels.max() == len(palette) - 1
    assert pixels[0, columns // 2] == 0  # 72 dB below and more


def test_a_long_file_stays_small():
    levels = picture.level(np.random.default_rng(0).normal(size=16000 * 60), 16000)
    assert levels.shape[1] <= 481


def test_short_and_silent_audio_has_a_picture():
    levels = picture.level(np.zeros(10), 8000)
    assert len(read_png(picture.spectrogram(levels, 0.0))[0]) == 128


def test_colours_rise_in_brightness():
    _, palette = read_png(picture.spectrogram(np.zeros((1, 1)), 0.0))
    light = palette.astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > 0).all()


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_a_tone_lies_where_the_mel_scale_has_it(rate):
    """Slaney's scale by its own words: to 1 kHz 15 mel, then a factor of 6.4 in 27."""

    def mel(frequency):
        return min(frequency, 1000) * 0.015 + 27 * np.log(max(frequency, 1000) / 1000) / np.log(6.4)

    for frequency in (400, 1000, 2500):
        tone = np.sin(2 * np.pi * frequency * np.arange(rate) / rate)
        levels = picture.mel_level(tone, rate)
        assert levels.shape == (80, 1 + rate // (rate // 100))
        band = 80 - levels[:, 50].argmax()  # from 1, the lowest
        assert band == pytest.approx(81 * mel(frequency) / mel(rate / 2), abs=0.6)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000])
def test_no_band_of_the_mels_is_empty(rate):
    levels = picture.mel_level(np.random.default_rng(0).normal(size=rate), rate)
    assert np.ptp(levels.mean(axis=1)) < 6.0
