"""Consistency: every place on a trajectory is mapped to its clean end, so one call may do.

The clean state that the network is to find is replaced by what it finds itself, without gradient,
a little closer to the clean end, from the same noise. How much closer falls in stages, from all of
the way, which is plain denoising, to almost nothing. Weights of a trained model are the start.

    D(z_s, s) -> D(z_r, r),    r / s = 1 - base^-stage,    weight base^stage

s is sigma / (alpha + sigma), so that it is the same on every path and pure noise has a place. The
weight keeps the size of the gradient: the error shrinks with the distance.

Source: Song et al., Consistency Models, 2023, eq. 10; Geng et al., Consistency Models Made Easy,
2024, section 3 (stages that begin with denoising).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process.path import Marginal, Path

__all__ = ["Consistency"]


@dataclass(frozen=True)
class Consistency:
    """How near to the present place the network is asked again.

    Args:
        every: training steps of a stage; the first one is plain denoising.
        base: by which the distance is divided from stage to stage.
        stages: the last one lasts for ever.
    """

    every: int
    base: float = 2.0
    stages: int = 8

    def __post_init__(self) -> None:
        """Refuse stages that are none."""
        if self.every < 1 or self.stages < 1 or not self.base > 1.0:
            raise Refusal(
                f"Consistency: every = {self.every}, stages = {self.stages}, base = {self.base:g}",
                mend="every and stages must be at least 1, base above 1",
            )

    def weight(self, step: int) -> float:
        """Return base^stage, one over the relative distance of the two places."""
        return self.base ** min(step // self.every, self.stages)

    def earlier(self, at: Marginal, path: Path, step: int) -> Tensor | None:
        """Return the times r, shape of at.t, on the same trajectories; None: the clean end itself.

        Args:
            at: the path where the network is trained.
            path: the path.
            step: of training, from 0.
        """
        weight = self.weight(step)
        if weight == 1.0:
            return None
        place = torch.sigmoid(-at.log_snr.double()) * (1.0 - 1.0 / weight)
        nearer = path.time_of(-torch.logit(place))
        return nearer.clamp_min(path.t_min).to(at.t)
