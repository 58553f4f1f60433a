"""Recordings inside packages: bytes to mono samples at one rate."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr

__all__ = ["decode", "g722"]


def decode(name: str, content: bytes, rate: int) -> np.ndarray:
    """Return a recording as (n,) float32, full scale 1.0, its channels averaged.

    Args:
        name: its suffix tells what it is: .g722 (64 kbit/s); .au without a header, mu-law at
            8 kHz; anything else that libsndfile knows by its content.
        content: of the file.
        rate: wanted, in Hz.
    """
    if name.endswith(".g722"):
        mono, own = g722(content), 16000
    elif name.endswith(".au") and not content.startswith(b".snd"):
        mono, own = soundfile.read(
            io.BytesIO(content),
            format="RAW",
            subtype="ULAW",
            samplerate=8000,
            channels=1,
            dtype="float32",
        )
    else:
        samples, own = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
        mono = samples.mean(axis=1)
    resampled: np.ndarray = soxr.resample(mono, own, rate, "HQ")
    return resampled


def g722(content: bytes) -> np.ndarray:
    """Decode G.722 (64 kbit/s) to (n,) float32 at 16 kHz."""
    import av  # of the extra `corpus`

    with av.open(io.BytesIO(content), format="g722") as stream:
        frames = [frame.to_ndarray().reshape(-1) for frame in stream.decode(audio=0)]
    samples: np.ndarray = np.concatenate(frames).astype(np.float32) / 32768
    return samples
