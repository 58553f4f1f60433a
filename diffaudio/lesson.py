"""A lesson: where on the path a denoiser is asked, what it should say, and how much that counts.

Every draw of an item, its noise, training time, jump and whether it is told its condition, comes
from its own key, so neither batch, order nor number of devices changes what becomes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import functional

from diffaudio.data.batch import Batch
from diffaudio.data.plan import generator, key
from diffaudio.denoiser import Denoiser, Surroundings
from diffaudio.nets.layers import frame_mask, masked_mean
from diffaudio.process import Marginal, MeanFlow, Objective, Weight
from diffaudio.shapes import Lengths, Mask, State, Tensor
from diffaudio.solve import KeyedNoise

__all__ = ["Answered", "Lesson", "emphasis"]


class Answered(NamedTuple):
    """What a denoiser has said.

    Attributes:
        loss: (b,), as weighted.
        error: (b,), the mean square of the network's error in its own output.
        x0: (b, c, f, l), the estimate of what the process describes.
    """

    loss: Tensor
    error: Tensor
    x0: State


@dataclass(frozen=True)
class Lesson:
    """The loss of a denoiser on states.

    Args:
        denoiser: what is trained.
        objective: what for.
        weight: how much each noise level counts; it may have parameters.
        drop: share of the training items whose y the denoiser is not shown.
    """

    denoiser: Denoiser
    objective: Objective
    weight: Weight
    drop: float = 0.0

    def __call__(
        self,
        x0: State,
        y: State | None,
        frames: Lengths,
        batch: Batch,
        size: State | float = 1.0,
    ) -> Answered:
        """Ask the denoiser once.

        Args:
            x0: (b, c, f, l), what the process describes, its padding zero.
            y: (b, c, f, l), what is given.
            frames: (b,) lengths.
            batch: keys, step, fields and times of the items.
            size: what states were divided by, (b, 1, f, l).
        """
        denoiser, mask = self.denoiser, frame_mask(frames, x0.shape[-1])
        share = denoiser.condition.drop if denoiser.condition else 0.0
        told, shown = (
            self._kept(batch.keys, *one).to(x0.device)
            for one in (("drop", share), ("hide", self.drop))
        )
        y = None if y is None else y * shown.to(y)[:, None, None, None]
        beside, jump = Surroundings(y, mask, denoiser.told(batch.fields, told)), self._jumps(batch)
        at, eps = self._places(batch, x0), self._noise(batch, x0, frames)
        z = at.z(x0, eps)
        answer = denoiser.answer(z, at, denoiser.aimed(beside, jump.to(x0)))
        wanted, urgency = self._wanted(x0, eps, at, beside, batch)
        error = masked_mean(emphasis(size, mask) * (answer - wanted).square(), mask)
        level = Marginal(*(field.flatten() for field in at))
        loss = urgency * self.weight.weigh(error, level, denoiser.target)
        return Answered(loss, error, denoiser.target.x0(z, answer, at))

    def _places(self, batch: Batch, like: State) -> Marginal:
        """Return the path at each item's training time, fields (b, 1, 1, 1)."""
        u, path = batch.times, self.denoiser.path
        if u is None:
            u = torch.tensor([generator(own, "time").random() for own in batch.keys])
        return path.at(self.objective.times(u.to(like), path)[:, None, None, None])

    def _noise(self, batch: Batch, like: State, frames: Lengths) -> State:
        """Return each item's noise: its own, or what its audio was generated from."""
        seed = self.objective.coupled
        keys = batch.keys if seed is None else [key(seed, name) for name in batch.ids]
        eps = KeyedNoise(keys, like.shape[1:3], frames.tolist(), like.device)()
        return functional.pad(eps, (0, like.shape[-1] - eps.shape[-1]))

    def _kept(self, keys: Sequence[int], purpose: str, share: float) -> Tensor:
        """Say of each training item whether it is not among a share; one that is scored never is.

        Returns:
            (b,) bool.
        """
        if not share or not self.denoiser.training:
            return torch.ones(len(keys), dtype=torch.bool)
        return torch.tensor([generator(own, purpose).random() >= share for own in keys])

    def _jumps(self, batch: Batch) -> Tensor:
        """Return how far each item's estimate leads, (b,): to the clean end but for mean flow."""
        few = self.objective.consistency
        if few is None or few.mean_flow is None:
            return torch.ones(len(batch.keys))
        draws = [generator(own, "jump").random() for own in batch.keys]
        return few.mean_flow.jumps(torch.tensor(draws, dtype=torch.float64))

    def _wanted(
        self, x0: State, eps: State, at: Marginal, beside: Surroundings, batch: Batch
    ) -> tuple[State, Tensor | float]:
        """Return what the network should say at `at`, and how much that counts, (b,) or for all."""
        few, denoiser = self.objective.consistency, self.denoiser
        distance = None if few is None else few.distance(at, batch.step)
        if few is None or distance is None:
            return denoiser.target.of(x0, eps, at), 1.0
        jump = self._jumps(batch).to(distance).view_as(distance)
        distance = torch.where(jump > 0.0, distance, 1.0)  # who stays here has only the velocity
        nearer = denoiser.path.at(few.earlier(at, denoiser.path, distance * jump))
        rest = MeanFlow.rest(jump, distance).flatten().to(x0)
        with torch.no_grad():
            clean = denoiser.x0(nearer.z(x0, eps), nearer, denoiser.aimed(beside, rest))
        if few.mean_flow is not None:
            clean = MeanFlow.estimate(x0, eps, at, nearer, clean, distance).to(x0)
        # Where the distance is all of the way, the clean end itself is known.
        clean = torch.where(distance < 1.0, clean, x0)
        return denoiser.target.answer(at.z(x0, eps), clean, at), (1.0 / distance.flatten()).to(x0)


def emphasis(size: State | float, mask: Mask | None) -> State | float:
    """Return how much errors of states that were divided by `size` count: as before that.

    Args:
        size: (b, 1, f, l), or 1.0 where they were left alone.
        mask: of the padding.

    Returns:
        (b, 1, f, l), 1 on average over an item; or 1.0.
    """
    if isinstance(size, float):
        return 1.0
    power = size.square()
    return power / masked_mean(power, mask)[:, None, None, None]
