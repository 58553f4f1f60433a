"""Audio files: what a model wants of them, and how they are read, resampled and written.

An array is (n, a), sample and channel, float32, full scale 1.0.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from diffaudio.files import atomic
from diffaudio.log import Refusal, log

__all__ = ["AudioSpec", "load", "probe", "resample", "save"]

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")  # RIFF, fmt and data chunk of a plain WAV file
_PCM, _FLOAT = 1, 3  # format tags


@dataclass(frozen=True)
class AudioSpec:
    """The YAML section `audio`: what the shards hold and the model works on.

    Args:
        rate: samples per second.
        target: the role that the model learns to make, a key of a row's `audio`.
        given: the role that it is given, None for none.
        channels: of every role.
        min_seconds: a shorter item is rejected.
        max_seconds: a longer item is rejected.
    """

    rate: int
    target: str
    given: str | None = None
    channels: int = 1
    min_seconds: float = 0.2
    max_seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.rate < 1 or self.channels < 1:
            raise ValueError(f"rate {self.rate} and channels {self.channels} must be at least 1")
        if self.given == self.target:
            raise ValueError(f"target and given are both {self.target!r}")
        if not 0 < self.min_seconds < self.max_seconds:
            raise ValueError(
                f"min_seconds {self.min_seconds} must be above 0 and below "
                f"max_seconds {self.max_seconds}"
            )

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that a row must have."""
        return (self.target,) if self.given is None else (self.target, self.given)


def probe(path: Path) -> tuple[int, int]:
    """Return the samples and the rate in Hz that a file's header states; nothing is decoded.

    Raises:
        Refusal: there is no such file, or it is not audio.
    """
    with _open(path) as file:
        return file.frames, file.samplerate


def load(
    path: Path, *, start: float | None = None, end: float | None = None
) -> tuple[np.ndarray, int]:
    """Read an audio file, or the part between `start` and `end` seconds.

    Returns:
        (n, a) float32 and the rate in Hz.

    Raises:
        Refusal: there is no such file, it cannot be decoded, or it ends before `end`.
    """
    with _open(path) as file:
        rate = file.samplerate
        first = 0 if start is None else round(start * rate)
        last = file.frames if end is None else round(end * rate)
        if not 0 <= first <= last <= file.frames:
            raise Refusal(
                f"{path}: no samples {first} to {last}, it has {file.frames} at {rate} Hz",
                mend="correct start and end, which are in seconds",
            )
        file.seek(first)
        x = file.read(last - first, dtype="float32", always_2d=True)
        if len(x) != last - first:
            what = f"cut off after {first + len(x)} of {file.frames} samples"
            raise Refusal(f"{path}: {what}", mend="copy it again")
        return x, rate


@contextlib.contextmanager
def _open(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            yield file
    except (OSError, soundfile.SoundFileError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> Refusal:
    if not path.is_file():
        return Refusal(f"{path}: no such file", mend="check the path and that the disk is mounted")
    if path.stat().st_size == 0:
        return Refusal(f"{path}: the file is empty (0 bytes)", mend="copy it again")
    reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
    return Refusal(f"{path}: not readable as audio ({reason})", mend="copy or convert it again")


def resample(x: np.ndarray, rate_in: int, rate_out: int) -> np.ndarray:
    """Change the rate of (n, a) audio with soxr's high quality; equal rates change nothing."""
    if rate_in == rate_out:
        return x
    resampled: np.ndarray = soxr.resample(x, rate_in, rate_out, "HQ")
    return resampled


def save(path: Path, x: np.ndarray, rate: int) -> None:
    """Write a WAV file, whole or not at all, whose bytes depend on the samples only.

    16 bit, so that 16-bit material that was loaded is saved unchanged; 32-bit float when a sample
    exceeds full scale, which the log then says.

    Args:
        path: the file; its folder is made.
        x: (n,) or (n, a).
        rate: in Hz.

    Raises:
        Refusal: a sample is not finite, the disk is full, or the audio is too long for a WAV file.
    """
    x = x[:, None] if x.ndim == 1 else x
    peak = float(np.abs(x).max(initial=0.0))
    if not np.isfinite(peak):
        raise Refusal(f"{path}: not written, the audio holds NaN or infinity")
    if peak > 1.0:
        log.warning("%s: peak %.2f exceeds full scale, written as 32-bit float", path, peak)
        tag, data = _FLOAT, x.astype("<f4")
    else:
        tag, data = _PCM, np.minimum(np.rint(x * 32768.0), 32767).astype("<i2")
    size, width = data.nbytes, data.dtype.itemsize
    if size + _HEADER.size > 0xFFFFFFFF:
        raise Refusal(f"{path}: {size} bytes are too many for a WAV file", mend="write it in parts")
    frame = x.shape[1] * width
    head = (b"RIFF", size + _HEADER.size - 8, b"WAVE", b"fmt ", 16, tag, x.shape[1], rate)
    with atomic(path) as file:
        file.write(_HEADER.pack(*head, rate * frame, frame, 8 * width, b"data", size))
        file.write(np.ascontiguousarray(data).data)
