"""Metrics that model a listener: PESQ, ESTOI, DNSMOS, DistillMOS.

Every weight lies inside an installed package; nothing is fetched.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.resources
import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.mel import mel_filters
from diffaudio.metrics.metric import Signal, Unmeasurable

__all__ = ["distillmos", "dnsmos", "estoi", "pesq_wb"]

_DNSMOS_RATE = 16000
_DNSMOS_SECONDS = 9.01  # what one look of the networks covers; looks are one second apart
_DNSMOS_SCALES = {  # quadratics from the network's answer to opinion scores, as published
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}


def pesq_wb(estimate: Signal, reference: Signal, rate: int) -> float:
    """Return wide-band PESQ as MOS-LQO, 1.0 to 4.64: the value of the package `pesq`.

    Args:
        estimate: (n,).
        reference: (n,).
        rate: 16000 Hz.

    Raises:
        Unmeasurable: shorter than a quarter of a second, or no utterance found.

    Source: ITU-T P.862.2.
    """
    import pesq

    if not estimate.any():
        raise Unmeasurable("the estimate is silent")
    try:
        return float(pesq.pesq(rate, reference, estimate, "wb"))
    except pesq.PesqError as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise Unmeasurable(text or type(error).__name__) from error


def estoi(estimate: Signal, reference: Signal, rate: int) -> float:
    """Return extended short-time objective intelligibility, at most 1: that of `pystoi`.

    `pystoi` adds noise of the size of a rounding error; it is seeded here, so that silence in the
    estimate scores the same every time.

    Args:
        estimate: (n,).
        reference: (n,).
        rate: in Hz; the package resamples to 10 kHz.

    Raises:
        Unmeasurable: fewer than 30 frames (0.4 s) of the reference are speech.

    Source: Jensen and Taal 2016.
    """
    import pystoi

    before = np.random.get_state()
    np.random.seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            return float(pystoi.stoi(reference, estimate, rate, extended=True))
    except (RuntimeWarning, np.exceptions.AxisError) as error:  # the latter without any frame
        raise Unmeasurable("less than 0.4 s of speech in the reference") from error
    finally:
        np.random.set_state(before)


def dnsmos(estimate: Signal, rate: int, *, scale: str) -> float:
    """Return a predicted opinion score, 1 to 5, of DNSMOS P.835 or P.808.

    The networks of the package `speechmos` are run; the features are computed here. An estimate
    beyond full scale is divided by its peak first.

    Args:
        estimate: (n,).
        rate: 16000 Hz.
        scale: "ovrl", "sig" or "bak" (P.835), or "p808".

    Source: Reddy et al. 2022 (arXiv:2110.01763); Reddy et al. 2021 (arXiv:2010.15258).
    """
    peak = max(1.0, float(np.abs(estimate).max()))
    return _dnsmos((estimate / peak).astype(np.float32).tobytes(), rate)[scale]


@functools.lru_cache(maxsize=1)  # four columns of a table come from one run
def _dnsmos(samples: bytes, rate: int) -> dict[str, float]:
    """Score (n,) float32 samples on all four scales: the mean over the looks."""
    audio = np.frombuffer(samples, np.float32)
    length = int(_DNSMOS_SECONDS * rate)
    while len(audio) < length:  # short clips are heard again and again
        audio = np.append(audio, audio)
    p835, p808 = _dnsmos_sessions()
    found: dict[str, list[float]] = {"p808": [], **{name: [] for name in _DNSMOS_SCALES}}
    for start in range(int(len(audio) // rate - _DNSMOS_SECONDS) + 1):
        look = audio[start * rate : int((start + _DNSMOS_SECONDS) * rate)]
        if len(look) < length:  # rounding made it one sample short; the published script skips it
            continue
        answers = p835.run(None, {"input_1": look[None]})[0][0]
        for (name, curve), answer in zip(_DNSMOS_SCALES.items(), answers, strict=True):
            found[name].append(float(np.polyval(curve, answer)))
        mel = dnsmos_features(look[:-160])
        found["p808"].append(float(p808.run(None, {"input_1": mel[None]})[0][0, 0]))
    return {name: float(np.mean(values)) for name, values in found.items()}


@functools.cache
def _dnsmos_sessions() -> tuple[Any, Any]:
    """Load both networks for one thread each: utterances are what runs in parallel."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    folder = importlib.resources.files("speechmos") / "dnsmos_models"
    with contextlib.ExitStack() as stack:
        paths = [
            str(stack.enter_context(importlib.resources.as_file(folder / name)))
            for name in ("sig_bak_ovr.onnx", "model_v8.onnx")
        ]
        first, second = (
            onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            for path in paths
        )
    return first, second


def dnsmos_features(audio: Signal) -> npt.NDArray[np.float32]:
    """Return the P.808 network's input: 120 mel bands in dB below the maximum, (1 + n // 160, 120).

    Frames of 321 samples (Hann), 160 apart, zeros beyond both ends; (dB + 40) / 40.
    """
    padded = np.pad(audio.astype(np.float64), 160)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 321)[::160]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(321) / 321)
    power = np.abs(np.fft.rfft(frames * window)) ** 2 @ mel_filters(120, 321, _DNSMOS_RATE).T
    level = 10 * np.log10(np.maximum(power, 1e-10))
    level -= level.max()
    return ((np.maximum(level, -80.0) + 40) / 40).astype(np.float32)


def distillmos(estimate: Signal, rate: int) -> float:  # noqa: ARG001 (one signature)
    """Return a predicted opinion score, 1 to 5, of the network in the package `distillmos`.

    Args:
        estimate: (n,), any scale.
        rate: 16000 Hz.

    Source: Stahl and Gamper 2025 (arXiv:2502.05356).
    """
    import torch

    with torch.inference_mode():
        samples = torch.from_numpy(estimate.astype(np.float32))
        return float(_distillmos_net()(samples[None]))


@functools.cache
def _distillmos_net() -> Any:
    import distillmos as package

    with contextlib.redirect_stdout(io.StringIO()):  # it prints the path of its weights
        return package.ConvTransformerSQAModel().eval()
