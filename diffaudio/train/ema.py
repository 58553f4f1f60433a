"""An exponential moving average of the weights, whose length grows with the run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

__all__ = ["RAMP", "Ema"]

RAMP = 0.1  # the half-life is at most this share of the updates made so far


class Ema:
    """Averages of a model's trained weights; buffers and frozen weights are the model's own.

    The random start is forgotten early: after n updates the half-life is min(half_life, RAMP n).

    Source: the ramp is that of Karras et al. 2022, appendix F.2 (arXiv:2206.00364), with 0.1 in
    place of 0.05.

    Args:
        model: averaged; its present weights are the first average.
        half_life: steps after which a weight counts half.
    """

    def __init__(self, model: nn.Module, half_life: float) -> None:
        self.half_life = half_life
        self._trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self._model = model
        self._average = {name: p.detach().clone() for name, p in self._trained.items()}

    def decay(self, update: int) -> float:
        """Return the share of the old average that stays in the `update`-th one, counted from 1."""
        return float(0.5 ** (1 / min(self.half_life, RAMP * update)))

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
