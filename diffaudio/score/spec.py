"""What is measured and how: the YAML section `score:`, and the protocol that a score names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.metrics import Metric, known

__all__ = ["VERSION", "ScoreSpec", "comparable", "hashed", "protocol"]

VERSION = 2  # of scoring; raise it by hand when the same input would give other output


@dataclass(frozen=True)
class ScoreSpec:
    """The YAML section `score`.

    Args:
        metrics: names from the table of metrics; the first one ranks utterances in the report.
        worst: utterances of each kind, worst and median, that the report lets one hear.
        resamples: bootstrap samples behind every interval.
        seed: of the bootstrap.
    """

    metrics: list[str] = field(
        default_factory=lambda: ["PESQ", "ESTOI", "SI-SDR", "DNSMOS", "DistillMOS"]
    )
    worst: int = 8
    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse metrics that there are not, and sizes that make no sense."""
        if not self.metrics:
            raise Refusal("score.metrics: empty", mend="for example [PESQ, ESTOI, SI-SDR]")
        known(self.metrics)
        if len(set(self.metrics)) < len(self.metrics):
            raise Refusal(f"score.metrics: a name is given twice: {', '.join(self.metrics)}")
        if self.worst < 0 or self.resamples < 100:
            raise Refusal(
                f"score.worst: {self.worst} and score.resamples: {self.resamples} "
                "must be at least 0 and 100"
            )


def protocol(
    metrics: Sequence[Metric], audio: AudioSpec, spec: ScoreSpec, test_set: dict[str, Any]
) -> dict[str, Any]:
    """Return everything that two scores must share to be comparable, as plain JSON.

    Args:
        metrics: those that are computed.
        audio: the rate, the channels, and which role is the reference.
        spec: of the intervals.
        test_set: corpus, split, numbers of utterances and speakers, digests of the manifest and
            of the audio.
    """
    return {
        "version": VERSION,
        "metrics": {
            metric.name: {
                "unit": metric.unit,
                "better": metric.better,
                "rate": metric.rate or audio.rate,
                "version": metric.version,
                "packages": metric.versions(),
            }
            for metric in metrics
        },
        "reference": audio.target,
        "baseline": audio.given,
        "rate": audio.rate,
        "channels": audio.channels,
        "resampler": f"soxr {metadata.version('soxr')}, HQ",
        "lengths": "estimate and reference agree to the sample; no alignment, no level change",
        "test_set": test_set,
        "intervals": (
            f"95 %, bias-corrected accelerated bootstrap over utterances, {spec.resamples} "
            f"resamples, seed {spec.seed}; differences are paired; p by random sign flips of the "
            "differences, corrected for the number of metrics (Holm)"
        ),
    }


def comparable(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a protocol that an utterance's value depends on."""
    return {name: value for name, value in whole.items() if name != "intervals"}


def hashed(whole: dict[str, Any]) -> str:
    """Return the SHA-256 of a protocol, in hexadecimal."""
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
