"""What a model has done: runs, calls of its network, seconds, also of the parts of a voice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

__all__ = ["Meter", "counted"]


@dataclass
class Meter:
    """What a model has done since the meter was made or reset.

    Attributes:
        runs: of the sampler, each on one batch.
        items: utterances and chunks in all of them.
        calls: of the network.
        evaluations: of the network, on one item each; guidance has several in one call.
        seconds: of processing, from what is given in memory to audio in memory.
        parts: those of them that parts took which were timed, by name.
    """

    runs: int = 0
    items: int = 0
    calls: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    def reset(self) -> None:
        """Start from nothing."""
        self.runs, self.items, self.calls, self.evaluations, self.seconds = 0, 0, 0, 0, 0.0
        self.parts = {}

    @contextlib.contextmanager
    def part(self, name: str, device: torch.device) -> Iterator[None]:
        """Count the seconds of a part; a GPU is waited for, or they would count in the next one.

        Args:
            name: of the part.
            device: where it computes.
        """
        started = time.perf_counter()
        yield
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        self.parts[name] = self.parts.get(name, 0.0) + time.perf_counter() - started


def counted(meter: Meter, net: nn.Module, args: tuple[Tensor, ...], _: object) -> None:
    """Count a call of a network; a hook of its forward pass."""
    del net
    meter.calls += 1
    meter.evaluations += len(args[0])
