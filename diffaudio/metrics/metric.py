"""What a metric is: a function of an estimate (and its reference) with a name and a unit."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Metric", "Signal", "Unmeasurable"]

Signal: TypeAlias = npt.NDArray[np.floating]
"""One channel of audio, (n,), full scale 1."""


class Unmeasurable(ValueError):
    """This utterance has no value for this metric; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One column of a score table.

    Args:
        name: how YAML, tables and result files call it.
        unit: the unit or the scale, for people.
        better: the side on which a value is better.
        needs_reference: whether `function` takes (estimate, reference, rate) or (estimate, rate).
        rate: in Hz; the only rate `function` accepts, None where every rate will do.
        function: signals of shape (n,) and their rate in Hz to one number; raises Unmeasurable.
        decimals: worth printing.
        packages: what has to be installed beyond numpy, by import name.
        install: the command that installs them.
        version: raised by hand when the same signals would give another value.
    """

    name: str
    unit: str
    better: Literal["higher", "lower"]
    needs_reference: bool
    rate: int | None
    function: Callable[..., float]
    decimals: int = 2
    packages: tuple[str, ...] = ()
    install: str = ""
    version: int = 1

    def measure(self, estimate: Signal, reference: Signal, rate: int) -> float:
        """Return the value of one utterance; a metric without reference ignores `reference`.

        Args:
            estimate: (n,), full scale 1.
            reference: (n,), full scale 1.
            rate: in Hz, of both.

        Raises:
            Unmeasurable: no value exists (silence, too short, not finite), with the reason.
            ValueError: the lengths differ or the rate is not the metric's.
        """
        if estimate.shape != reference.shape or estimate.ndim != 1:
            raise ValueError(f"{self.name}: shapes {estimate.shape} and {reference.shape}")
        if self.rate not in (None, rate):
            raise ValueError(f"{self.name}: needs {self.rate} Hz, got {rate} Hz")
        if not estimate.size:
            raise Unmeasurable("no samples")
        if not np.isfinite(estimate).all():
            raise Unmeasurable("the estimate holds values that are not finite")
        if not self.needs_reference and not estimate.any():  # no opinion of nothing means anything
            raise Unmeasurable("the estimate is silent")
        arguments = (estimate, reference) if self.needs_reference else (estimate,)
        value = float(self.function(*arguments, rate))
        if not np.isfinite(value):
            raise Unmeasurable(f"the result is {value}")
        return value

    def missing(self) -> list[str]:
        """Return the packages that are not installed; nothing heavy is imported."""
        return [name for name in self.packages if importlib.util.find_spec(name) is None]

    def versions(self) -> dict[str, str]:
        """Return the installed version of each package."""
        return {name: metadata.version(name) for name in self.packages}
