"""Spectrograms as PNG images, from numpy and zlib alone."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.mel import mel_filters

__all__ = ["level", "mel_level", "png", "spectrogram"]

_SECONDS = 0.032  # length of a frame
_MEL_SECONDS = 0.056  # of one whose bins tell the lowest bands apart
_COLUMNS, _ROWS, _BANDS = 480, 128, 80
_RANGE = 72.0  # dB from the brightest to the darkest colour
_COLOURS = 64  # few enough that zlib finds repetitions
_RAMP = {  # share of the range to red, green, blue: night to paper through plum and ember
    0.0: (13, 14, 30),
    0.22: (43, 32, 84),
    0.45: (120, 45, 108),
    0.66: (205, 74, 84),
    0.84: (246, 150, 78),
    1.0: (255, 244, 208),
}


def level(x: npt.NDArray[np.floating], rate: int) -> npt.NDArray[np.float64]:
    """Return the short-time spectrum of (n,) in dB, (rows, columns), low frequencies last."""
    power = _power(x, rate, 1 << round(np.log2(_SECONDS * rate)))
    bands = power[:, 1:].reshape(len(power), _ROWS, -1).max(axis=2)
    return 10 * np.log10(bands.T[::-1] + 1e-12)


def mel_level(x: npt.NDArray[np.floating], rate: int) -> npt.NDArray[np.float64]:
    """Return the mel spectrum of (n,) in dB, columns as of `level`: 80 bands, low ones last."""
    size = 1 << round(np.log2(_MEL_SECONDS * rate))
    bands = _power(x, rate, size) @ mel_filters(_BANDS, size, rate).T
    return 10 * np.log10(bands.T[::-1] + 1e-12)


def _power(x: npt.NDArray[np.floating], rate: int, size: int) -> npt.NDArray[np.float64]:
    """Return power in frames of (n,), (columns, size // 2 + 1): a hundred a second, or fewer."""
    hop = max(1, rate // 100, -(-len(x) // _COLUMNS))
    padded = np.pad(x.astype(np.float64), size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    power: npt.NDArray[np.float64] = np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2 / size
    return power


def spectrogram(levels: npt.NDArray[np.float64], top: float) -> bytes:
    """Return levels in dB as a PNG; `top` and above get the brightest colour."""
    share = np.clip((levels - top) / _RANGE + 1, 0, 1)
    return png((share * (_COLOURS - 1)).round().astype(np.uint8), _palette())


def png(pixels: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8]) -> bytes:
    """Return an image as PNG.

    Args:
        pixels: (height, width), row numbers of the palette.
        palette: (colours, 3), red, green, blue; at most 256.

    Source: PNG specification, colour type 3.
    """
    height, width = pixels.shape
    rows = np.pad(pixels, ((0, 0), (1, 0)))  # a zero before each row: no filter
    chunks = (
        (b"IHDR", struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _palette() -> npt.NDArray[np.uint8]:
    shares = np.linspace(0, 1, _COLOURS)
    stops = np.array(list(_RAMP.values()))
    colours = [np.interp(shares, list(_RAMP), stops[:, channel]) for channel in range(3)]
    return np.stack(colours, axis=1).round().astype(np.uint8)
