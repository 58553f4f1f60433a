"""What one rank did for a training step, and the sum of it over all ranks."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from diffaudio.data.batch import Batch

__all__ = ["Share"]


@dataclass
class Share:
    """Losses and counts of one rank's micro-batches.

    Attributes:
        names: of the rows of `values`: loss, and the parts that the model names.
        values: of each micro-batch, (names, items).
        ids: of the items.
        audio: their length in seconds.
        waited: seconds until they were there.
    """

    names: list[str] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    audio: float = 0.0
    waited: float = 0.0

    def add(self, batch: Batch, losses: Tensor, parts: dict[str, Tensor]) -> None:
        """Take in a micro-batch: what the model said of it, each (b,)."""
        self.names = ["loss", *parts]
        self.values.append(torch.stack([losses.detach(), *parts.values()]))
        self.ids += batch.ids

    def totals(
        self, accelerator: Accelerator, global_batch: int, *, stop: bool, broken: bool
    ) -> dict[str, float]:
        """Add up the shares of all ranks, in one exchange: the same answer on every rank.

        Returns:
            The mean over the global batch of the loss and its parts; sums of audio and waited; how
            many ranks were asked to stop, and how many have a gradient that is not finite.
        """
        means = torch.cat(self.values, 1).double().sum(1) / global_batch
        counts = torch.tensor([self.audio, self.waited, stop, broken], dtype=torch.float64)
        total = accelerator.reduce(torch.cat([means, counts.to(means.device)]), "sum")
        names = [*self.names, "audio", "waited", "stop", "broken"]
        return dict(zip(names, total.tolist(), strict=True))

    def suspects(self) -> list[str]:
        """Return the ids, of all ranks, whose loss is not finite; all ids where every loss is."""
        finite = torch.isfinite(torch.cat(self.values, 1)[0]).tolist()
        strange = [name for name, fine in zip(self.ids, finite, strict=True) if not fine]
        found: list[str] = gather_object(strange) or gather_object(self.ids)
        return found
