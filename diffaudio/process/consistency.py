"""Consistency: every place on a trajectory is mapped to its clean end, so one call may do.

The clean state that the network is to find is replaced by what it finds itself, without gradient,
a little closer to the clean end, from the same noise. How much closer falls in stages, from all of
the way, which is plain denoising, to almost nothing. Weights of a trained model are the start.

    D(z_s, s) -> D(z_r, r),    1 - r / s = min(1, n / base^stage)
    n = 1 + near / (1 + e^(sigma / alpha))

s is sigma / (alpha + sigma), so that it is the same on every path and pure noise has a place. Near
the clean end the distance is n times as far, so that training audio itself is the answer there for
some stages more: without that, nothing holds the answers of later stages. The weight, one over the
relative distance, keeps the size of the gradient, since the error shrinks with the distance. So
losses of unlike stages do not compare: take the last checkpoint, not the one of the least loss.

Source: Song et al., Consistency Models, 2023, eq. 10; Geng et al., Consistency Models Made Easy,
2024, section 3 and appendix A (stages that begin with denoising; n, with near = 8).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process.mean_flow import MeanFlow
from diffaudio.process.path import Marginal, Path

__all__ = ["Consistency"]


@dataclass(frozen=True)
class Consistency:
    """How near to the present place the network is asked again.

    Args:
        every: training steps of a stage.
        base: by which the distance is divided from stage to stage.
        stages: the last one lasts for ever.
        first: the stage to begin with; 0 is plain denoising.
        near: how much farther the distance reaches near the clean end; 0: no farther.
        mean_flow: trajectories may end before the clean end, and the network is told where; null
            maps all to the clean end.
    """

    every: int
    base: float = 2.0
    stages: int = 8
    first: int = 0
    near: float = 8.0
    mean_flow: MeanFlow | None = None

    def __post_init__(self) -> None:
        """Refuse stages that are none."""
        if self.every < 1 or not self.base > 1.0:
            raise Refusal(
                f"Consistency: every = {self.every}, base = {self.base:g}",
                mend="every must be at least 1, base above 1",
            )
        if self.stages < 1 or not 0 <= self.first <= self.stages or not self.near >= 0.0:
            raise Refusal(
                f"Consistency: stages = {self.stages}, first = {self.first}, near = {self.near:g}",
                mend="stages must be at least 1, first between 0 and stages, near at least 0",
            )

    def distance(self, at: Marginal, step: int) -> Tensor | None:
        """Return 1 - r / s, shape of at.t, above 0 and up to 1; None: 1 everywhere.

        Args:
            at: the path where the network is trained.
            step: of training, from 0.
        """
        stage = min(self.first + step // self.every, self.stages)
        if stage == 0:
            return None
        reach = 1.0 + self.near * torch.sigmoid(-torch.exp(-at.log_snr.double()))
        return (reach * self.base**-stage).clamp_max(1.0)

    def earlier(self, at: Marginal, path: Path, distance: Tensor) -> Tensor:
        """Return the times r on the same trajectories, shape of at.t.

        Args:
            at: the path where the network is trained.
            path: the path.
            distance: 1 - r / s.
        """
        place = at.place * (1.0 - distance)
        nearer = path.time_of(-torch.logit(place))
        return nearer.clamp_min(path.t_min).to(at.t)
