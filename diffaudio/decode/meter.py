"""What a model has done: runs, calls of its network, seconds."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    runs: int = 0
    items: int = 0
    calls: int = 0
    evaluations: int = 0
    seconds: float = 0.0

    def reset(self) -> None:
        """Start from nothing."""
        self.runs, self.items, self.calls, self.evaluations, self.seconds = 0, 0, 0, 0, 0.0


def counted(meter: Meter, net: nn.Module, args: tuple[Tensor, ...], _: object) -> None:
    """Count a call of a network; a hook of its forward pass."""
    del net
    meter.calls += 1
    meter.evaluations += len(args[0])
