"""What a metric is: a function of an estimate (and its reference, or a text), name and unit."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.recogniser import Prompt

__all__ = ["Metric", "Signal", "Unmeasurable", "Value"]

Signal: TypeAlias = npt.NDArray[np.floating]
"""One channel of audio, (n,), full scale 1."""

_DISTRIBUTIONS = {"webrtcvad": "webrtcvad-wheels"}  # where they are not called as what is imported


class Unmeasurable(ValueError):
    """This utterance has no value for this metric; the message says why."""


@dataclass(frozen=True)
class Value:
    """What a metric finds in one utterance.

    Args:
        number: the value.
        weight: what the number counts for in a set, as the words of a text do in an error rate: the
            value of a set is sum(weight number) / sum(weight), a ratio of sums; None for a mean.
        heard: what a recogniser wrote, where one listened.
    """

    number: float
    weight: float | None = None
    heard: str | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One column of a score table.

    Args:
        name: how YAML, tables and result files call it.
        unit: the unit or the scale, for people.
        better: the side on which a value is better; None where it describes and does not judge.
        needs_reference: whether `function` takes (estimate, reference, rate) or (estimate, rate).
        rate: in Hz; the only rate `function` accepts, None where every rate will do.
        function: signals of shape (n,) and their rate in Hz to a number or a `Value`; raises
            Unmeasurable.
        needs_text: whether `function` takes (estimate, prompt, rate) instead.
        same_length: whether estimate and reference must agree to the sample.
        decimals: worth printing.
        packages: what has to be installed beyond numpy, by import name.
        install: the command that installs them.
        version: raised by hand when the same signals would give another value.
    """

    name: str
    unit: str
    better: Literal["higher", "lower"] | None
    needs_reference: bool
    rate: int | None
    function: Callable[..., float | Value]
    needs_text: bool = False
    same_length: bool = True
    decimals: int = 2
    packages: tuple[str, ...] = ()
    install: str = ""
    version: int = 1

    def measure(self, estimate: Signal, reference: Signal, rate: int) -> float:
        """Return the number that `value` has, of a metric that needs no text."""
        return self.value(estimate, reference, rate).number

    def value(
        self, estimate: Signal, reference: Signal, rate: int, prompt: Prompt | None = None
    ) -> Value:
        """Return the value of one utterance; what a metric does not need is ignored.

        Args:
            estimate: (n,), full scale 1.
            reference: (n,), full scale 1; of another length where `same_length` is false.
            rate: in Hz, of both.
            prompt: what should be said, and who listens.

        Raises:
            Unmeasurable: no value exists (silence, too short, not finite), with the reason.
            ValueError: the lengths differ, there is no text, or the rate is not the metric's.
        """
        self._check(estimate, reference, rate)
        if not estimate.size:
            raise Unmeasurable("no samples")
        if not np.isfinite(estimate).all():
            raise Unmeasurable("the estimate holds values that are not finite")
        if self.needs_text:
            if prompt is None:
                raise ValueError(f"{self.name}: needs a text")
            found = self.function(estimate, prompt, rate)
        elif self.needs_reference:
            found = self.function(estimate, reference, rate)
        elif estimate.any():
            found = self.function(estimate, rate)
        else:  # no opinion of nothing means anything
            raise Unmeasurable("the estimate is silent")
        value = found if isinstance(found, Value) else Value(float(found))
        if not np.isfinite(value.number):
            raise Unmeasurable(f"the result is {value.number}")
        return value

    def _check(self, estimate: Signal, reference: Signal, rate: int) -> None:
        same = estimate.shape == reference.shape or not (self.needs_reference and self.same_length)
        if estimate.ndim != 1 or reference.ndim != 1 or not same:
            raise ValueError(f"{self.name}: shapes {estimate.shape} and {reference.shape}")
        if self.rate not in (None, rate):
            raise ValueError(f"{self.name}: needs {self.rate} Hz, got {rate} Hz")

    def missing(self) -> list[str]:
        """Return the packages that are not installed; nothing heavy is imported."""
        return [name for name in self.packages if importlib.util.find_spec(name) is None]

    def versions(self) -> dict[str, str]:
        """Return the installed version of each package."""
        return {name: metadata.version(_DISTRIBUTIONS.get(name, name)) for name in self.packages}
