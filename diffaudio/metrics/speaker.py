"""Whether two utterances sound like one speaker: cosine of two speaker embeddings.

The weights are those in the package `resemblyzer`; its features are computed here, as its own
module needs librosa. Voice activity is that of the package `webrtcvad-wheels`.

Source: Wan et al. 2018 (arXiv:1710.10467); github.com/resemble-ai/Resemblyzer.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from diffaudio.metrics.intervals import Values
from diffaudio.metrics.mel import mel_filters
from diffaudio.metrics.metric import Signal, Unmeasurable

__all__ = ["embedding", "similarity", "voiced"]

_LEVEL = -30.0  # dB of full scale, to which what is quieter is raised
_WINDOW = 480  # samples, of which voice activity speaks: 30 ms
_MEAN, _AROUND = 8, 3  # windows: over which voice is a vote, and kept around it on both sides
_SIZE, _HOP, _BANDS = 400, 160, 40
_PART, _STEP = 160, 77  # frames that the network hears at once, and between two such looks
_COVER = 0.75  # of a last look that must be there
_WIDTH, _LAYERS = 256, 3


def similarity(estimate: Signal, reference: Signal, rate: int) -> float:  # noqa: ARG001
    """Return the cosine of both embeddings, at most 1; two speakers have 0.5 to 0.75.

    Args:
        estimate: (n,).
        reference: (m,), any text.
        rate: 16000 Hz.

    Raises:
        Unmeasurable: there is no voice in one of them.
    """
    one, two = embedding(estimate, "estimate"), embedding(reference, "reference")
    return float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two)))


def embedding(x: Signal, what: str) -> Values:
    """Return the embedding, (256,), of (n,) at 16 kHz: the mean over looks of 1.6 s.

    Args:
        x: (n,).
        what: it is, for the reason.

    Raises:
        Unmeasurable: there is no voice in it.
    """
    import torch

    heard = voiced(x)
    if not heard.any():
        raise Unmeasurable(f"there is no voice in the {what}")
    frames = -(-(len(heard) + 1) // _HOP)
    starts = list(range(0, max(1, frames - _PART + _STEP + 1), _STEP))
    if len(starts) > 1 and (len(heard) - starts[-1] * _HOP) / (_PART * _HOP) < _COVER:
        starts.pop()
    end = (starts[-1] + _PART) * _HOP
    mel = _mel(np.pad(heard, (0, max(0, end - len(heard)))))
    looks = np.stack([mel[start : start + _PART] for start in starts]).astype(np.float32)
    with torch.inference_mode():
        lstm, linear = _net()
        raw = torch.relu(linear(lstm(torch.from_numpy(looks))[1][0][-1]))
        parts = raw / raw.norm(dim=1, keepdim=True)
        return parts.mean(dim=0).double().numpy()


def voiced(x: Signal) -> Values:
    """Return (n,) at 16 kHz, raised to -30 dB if it is quieter, without its longer pauses."""
    import webrtcvad

    loud: Values = x.astype(np.float64)
    level = 10 * np.log10(np.mean(loud**2) + 1e-20)
    loud = loud * 10 ** (max(0.0, _LEVEL - level) / 20)
    windows: Values = loud[: len(x) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    pcm = np.clip(np.round(windows * 32767), -32768, 32767).astype(np.int16)
    detector = webrtcvad.Vad(3)
    flags = np.array([detector.is_speech(window.tobytes(), 16000) for window in pcm], float)
    if not len(flags):
        return windows.reshape(-1)
    padded = np.pad(flags, ((_MEAN - 1) // 2, _MEAN // 2))
    votes = np.convolve(padded, np.ones(_MEAN), "valid") > _MEAN / 2
    around = np.convolve(votes, np.ones(2 * _AROUND + 1))  # longer than votes, be there few
    kept = around[_AROUND : _AROUND + len(votes)] > 0.5
    return windows[kept].reshape(-1)


def _mel(x: Values) -> Values:
    """Return powers in mel bands, (1 + n // 160, 40)."""
    padded = np.pad(x, _SIZE // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SIZE) / _SIZE)
    return np.abs(np.fft.rfft(frames * window)) ** 2 @ mel_filters(_BANDS, _SIZE, 16000).T


@functools.cache
def _net() -> tuple[Any, Any]:
    import torch
    from torch import nn

    found = importlib.util.find_spec("resemblyzer")
    assert found is not None  # as the table of metrics says
    assert found.submodule_search_locations is not None
    path = Path(next(iter(found.submodule_search_locations))) / "pretrained.pt"
    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    net = nn.ModuleDict({"lstm": nn.LSTM(_BANDS, _WIDTH, _LAYERS, batch_first=True)})
    net["linear"] = nn.Linear(_WIDTH, _WIDTH)
    net.load_state_dict({name: state[name] for name in net.state_dict()})
    net.eval()
    return net["lstm"], net["linear"]
