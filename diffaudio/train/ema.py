"""Moving averages of the weights, whose lengths grow with the run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from diffaudio.train import power

__all__ = ["RAMP", "Decay", "Ema", "half_life", "power_function"]

RAMP = 0.1  # the half-life is at most this share of the updates made so far

Decay = Callable[[int], float]
"""The share of the old average that stays in the n-th one, counted from 1."""


def half_life(updates: float) -> Decay:
    """Return the decay after which, `updates` updates later, a weight counts half.

    The random start is forgotten early: after n updates the half-life is min(updates, RAMP n).

    Source: the ramp is that of Karras et al. 2022, appendix F.2 (arXiv:2206.00364), with 0.1 in
    place of 0.05.
    """
    return lambda update: float(0.5 ** (1 / min(updates, RAMP * update)))


def power_function(sigma_rel: float) -> Decay:
    """Return the decay of a power-function average; see power.py for what `sigma_rel` is.

    The first update replaces the start altogether.

    Raises:
        Refusal: there is no such average.
    """
    exponent = power.gamma(sigma_rel) + 1
    return lambda update: float((1 - 1 / update) ** exponent)


class Ema:
    """Averages of a model's trained weights; buffers and frozen weights are the model's own.

    Args:
        model: averaged; its present weights are the first average.
        decay: how fast old weights are forgotten.
    """

    def __init__(self, model: nn.Module, decay: Decay) -> None:
        self.decay = decay
        self._trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self._model = model
        self._average = {name: p.detach().clone() for name, p in self._trained.items()}

    @torch.no_grad()
    def update(self, update: int) -> None:
        """Take in the model's weights after its `update`-th update, counted from 1."""
        torch._foreach_lerp_(
            list(self._average.values()), list(self._trained.values()), 1 - self.decay(update)
        )

    def state_dict(self) -> dict[str, Tensor]:
        """Return the weights of the averaged model, under the names of the model's own."""
        return {**self._model.state_dict(), **self._average}

    @torch.no_grad()
    def load_state_dict(self, weights: Mapping[str, Tensor]) -> None:
        """Take the averages from `weights`, which `state_dict` once returned."""
        for name, average in self._average.items():
            average.copy_(weights[name])

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Let the model hold the averages inside the block, and exactly its own weights after."""
        own = {name: p.detach().clone() for name, p in self._trained.items()}
        try:
            self._write(self._average)
            yield
        finally:
            self._write(own)

    @torch.no_grad()
    def _write(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._trained.items():
            parameter.copy_(values[name])
