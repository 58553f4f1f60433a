"""What is measured and how: the YAML section `score:`, and the protocol that a score names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.metrics import Metric, Recogniser, SetMetric, known, of_sets
from diffaudio.score.embedder import Embedder

__all__ = ["VERSION", "ScoreSpec", "SetsSpec", "comparable", "hashed", "protocol"]
__all__ += ["sets_protocol"]

VERSION = 2  # of scoring; raise it by hand when the same input would give other output


@dataclass(frozen=True)
class SetsSpec:
    """The YAML section `score.sets`: how what was generated from nothing is scored, as a set.

    Args:
        embedders: who listens; the first one's features also find the nearest training clips.
        label: field of a row that says which class a clip should be.
        apart: field of a row by whose values the real clips are also reported apart.
        real: the set that generated ones are held against; null: the one whose rows were generated.
            Whoever chooses by a score takes another one than the test set for it.
        train: the set that was trained on.
    """

    embedders: list[Embedder]
    label: str = "label"
    apart: str | None = None
    real: str | None = None
    train: str = "train"

    def __post_init__(self) -> None:
        names = [embedder.name for embedder in self.embedders]
        if not names or len(set(names)) < len(names):
            raise Refusal(
                f"score.sets.embedders: {', '.join(names) or 'empty'}",
                mend="name at least one, each once",
            )


@dataclass(frozen=True)
class ScoreSpec:
    """The YAML section `score`.

    Args:
        metrics: names from the table of metrics; the first one ranks utterances in the report. With
            `sets`, from the table of metrics of sets: `KAD` by all embedders, `FD (classifier)` by
            one.
        worst: utterances of each kind, worst and median, that the report lets one hear; with `sets`
            the pairs of a generated and a training clip that are closest.
        resamples: bootstrap samples behind every interval.
        seed: of the bootstrap.
        sets: how sets without a reference are scored; null compares utterances with references.
        text: field of a row that holds what should be said. Estimates then have lengths of their
            own, recordings have a row of theirs, and metrics that compare sample by sample are
            refused; null where estimate and reference agree to the sample.
        recogniser: folder of another Whisper model than tiny.en, as faster-whisper reads it.
    """

    metrics: list[str] = field(
        default_factory=lambda: ["PESQ", "ESTOI", "SI-SDR", "DNSMOS", "DistillMOS"]
    )
    worst: int = 8
    resamples: int = 10_000
    seed: int = 0
    sets: SetsSpec | None = None
    text: str | None = None
    recogniser: str | None = None

    def __post_init__(self) -> None:
        """Refuse metrics that there are not, and sizes that make no sense."""
        if not self.metrics:
            raise Refusal("score.metrics: empty", mend="for example [PESQ, ESTOI, SI-SDR]")
        if self.sets is None:
            self._check_text(known(self.metrics))
        else:
            of_sets(self.metrics)
            if self.text is not None:
                raise Refusal("score.text and score.sets: one or the other", mend="remove one")
        if len(set(self.metrics)) < len(self.metrics):
            raise Refusal(f"score.metrics: a name is given twice: {', '.join(self.metrics)}")
        if self.worst < 0 or self.resamples < 100:
            raise Refusal(
                f"score.worst: {self.worst} and score.resamples: {self.resamples} "
                "must be at least 0 and 100"
            )

    def _check_text(self, metrics: Sequence[Metric]) -> None:
        """Refuse metrics that need a text where none is named, or equal lengths where one is."""
        if self.text is None:
            unfit = [one for one in metrics if one.needs_text or not one.same_length]
            why = "of what should be said, which no field is named for"
            mend = "name the field of the manifest, `score.text: text`"
        else:
            unfit = [one for one in metrics if one.needs_reference and one.same_length]
            why = "sample by sample, but with score.text an estimate has a length of its own"
            mend = "choose from WER, CER, DistillMOS, DNSMOS and others that need no such reference"
        if unfit:
            names = ", ".join(one.name for one in unfit)
            raise Refusal(f"score.metrics: {names}: {why}", mend=mend)

    def listener(self) -> Recogniser:
        """Return who listens to what is said.

        Raises:
            Refusal: `recogniser` is no folder of a model.
        """
        return Recogniser(self.recogniser)


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
        **_of_audio(audio),
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
        **_lengths(metrics, spec),
        "test_set": test_set,
        "intervals": (
            f"95 %, bias-corrected accelerated bootstrap over utterances, {spec.resamples} "
            f"resamples, seed {spec.seed}; differences are paired; p by random sign flips of the "
            "differences, corrected for the number of metrics (Holm)"
        ),
    }


def _lengths(metrics: Sequence[Metric], spec: ScoreSpec) -> dict[str, Any]:
    """Return how lengths are dealt with, what should be said and who listens."""
    if spec.text is None:
        return {
            "lengths": "estimate and reference agree to the sample; no alignment, no level change"
        }
    listens = any(metric.needs_text for metric in metrics)
    return {
        "lengths": "estimate and recording each have their own; no level change",
        "text": spec.text,
        **({"recogniser": spec.listener().about()} if listens else {}),
    }


def sets_protocol(
    metrics: Mapping[str, SetMetric],
    sets: SetsSpec,
    audio: AudioSpec,
    spec: ScoreSpec,
    real: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what `protocol` does, of sets of clips.

    Args:
        metrics: column to metric.
        sets: who listens.
        audio: the rate, the channels, and the role of the real clips.
        spec: of the intervals.
        real: "test_set" and "train_set", each as `about.data_set` describes it, and "asked", the
            set whose rows were generated.
    """
    return {
        **_of_audio(audio),
        "metrics": {
            name: {
                "unit": metric.unit,
                "better": metric.better,
                "version": metric.version,
                "packages": {},
            }
            for name, metric in metrics.items()
        },
        "embedders": {who.name: who.about() for who in sets.embedders},
        "label": sets.label,
        "apart": sets.apart,
        "lengths": "clips as they are; how much of one is heard is in what its embedder says",
        **real,
        "intervals": (
            f"95 %, bootstrap over the clips of a set, {spec.resamples} resamples, seed "
            f"{spec.seed}, centred on the value; the real clips of the test set are held fixed"
        ),
    }


def _of_audio(audio: AudioSpec) -> dict[str, Any]:
    return {
        "version": VERSION,
        "reference": audio.target,
        "baseline": audio.given,
        "rate": audio.rate,
        "channels": audio.channels,
        "resampler": f"soxr {metadata.version('soxr')}, HQ",
    }


def comparable(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a protocol that an utterance's value depends on."""
    return {name: value for name, value in whole.items() if name != "intervals"}


def hashed(whole: dict[str, Any]) -> str:
    """Return the SHA-256 of a protocol, in hexadecimal."""
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
