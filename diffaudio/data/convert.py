"""One item's audio as shards hold it: decoded, downmixed, resampled, 16 bit, FLAC."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

from diffaudio.data.audio import AudioSpec, load, resample
from diffaudio.log import Refusal

__all__ = ["convert", "encode", "quantise"]


def convert(
    path: Path, spec: AudioSpec, *, start: float | None = None, end: float | None = None
) -> tuple[np.ndarray, int]:
    """Read a file, or the part between `start` and `end` seconds, as `spec` wants it.

    Returns:
        (n, a) int16 at the rate of `spec`, and the number of values that had to be clipped.

    Raises:
        Refusal: the file cannot be read, has other channels, or holds values that are not finite.
    """
    x, rate = load(path, start=start, end=end)
    if spec.channels == 1 and x.shape[1] == 2:
        x = (x[:, :1] + x[:, 1:]) * np.float32(0.5)  # several times as fast as a mean
    elif spec.channels == 1:
        x = x.mean(1, keepdims=True)
    if x.shape[1] != spec.channels:
        raise Refusal(f"{path}: {x.shape[1]} channels, audio.channels is {spec.channels}")
    if not np.isfinite(x.sum()):
        raise Refusal(f"{path}: holds values that are not finite", mend="convert it again")
    return quantise(resample(x, rate, spec.rate))


def quantise(x: np.ndarray) -> tuple[np.ndarray, int]:
    """Round audio to 16 bit; what exceeds full scale is clipped.

    Returns:
        (n, a) int16, which times 2^-15 is what was stored, and the number of clipped values.
    """
    scaled = np.rint(x * np.float32(1 << 15))
    low, high = -(1 << 15), (1 << 15) - 1
    clipped = int(np.count_nonzero((scaled < low) | (scaled > high)))
    return np.clip(scaled, low, high).astype(np.int16), clipped


def encode(x: np.ndarray, rate: int) -> bytes:
    """Return (n, a) int16 audio as a FLAC file."""
    file = io.BytesIO()
    soundfile.write(file, x, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
