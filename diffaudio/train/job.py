"""What a training run is made of, as `bin/train.py` puts it together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from accelerate import Accelerator

from diffaudio.data.batch import Batch
from diffaudio.model import Model
from diffaudio.origins import Usual, none_usual
from diffaudio.train.checkpoint import Checkpoints
from diffaudio.train.signals import Stop
from diffaudio.train.spec import TrainSpec

__all__ = ["Job", "Outcome", "Scores", "Validate"]

Outcome = Literal["done", "interrupted"]


@dataclass(frozen=True)
class Scores:
    """What a validation found, the same on every rank.

    Attributes:
        means: of the loss and of each metric, over what could be measured; one that nothing has
            is absent.
        counts: how many values each mean is of.
        broken: ids of utterances that the model makes nothing of, in order. They are in no mean,
            so a validation that has some would look better than it is, and chooses no best.
    """

    means: Mapping[str, float]
    counts: Mapping[str, int]
    broken: Sequence[str] = ()


class Validate(Protocol):
    """Scores the model as it stands; every rank calls it, and all get the same scores."""

    @property
    def higher(self) -> bool:
        """Whether a higher value of the metric that chooses the best checkpoint is better."""

    @property
    def protocol(self) -> str:
        """A digest of all that scores depend on beside the weights: equal ones may be compared."""

    def __call__(self, model: Model, accelerator: Accelerator, stop: Stop) -> Scores | None:
        """Return what was found; None if any rank was asked to stop meanwhile."""


@dataclass(frozen=True)
class Job:
    """What a run is made of.

    Args:
        exp: the experiment's folder.
        spec: the section `train`.
        model: `model(batch)` gives each item's loss (b,) and its parts, each (b,).
        batches: from the step to start with to this rank's micro-batches, for ever.
        rate: of the audio, in Hz.
        fingerprint: flat keys that must not change while the run goes on.
        validate: scores the model; None never does.
        usual: whether a key of the fingerprint has its default.
    """

    exp: Path
    spec: TrainSpec
    model: Model
    batches: Callable[[int], Iterator[Batch]]
    rate: int
    fingerprint: Mapping[str, Any]
    validate: Validate | None = None
    usual: Usual = none_usual

    def checkpoints(self) -> Checkpoints:
        """Return the checkpoints of this run."""
        return Checkpoints(
            self.exp,
            keep=self.spec.keep,
            steps=self.spec.steps,
            fingerprint=self.fingerprint,
            usual=self.usual,
        )
