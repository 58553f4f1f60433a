"""Mean flow: a network that is told where a jump ends learns the velocity's mean on the way.

On every path z / (alpha + sigma) is the state of rectified flow at the place s = sigma / (alpha +
sigma), so the velocity is v = eps - x_0 and its mean U from s down to r makes one exact step,

    w_r = w_s - (s - r) U(w_s; s, r)        w = z / (alpha + sigma)

An estimate D stands for it by U = (w - D) / s, and DDIM's update is that step. Trained as
consistency is, by asking again a little nearer, at m, on the same trajectory:

    U(w_s; s, r) -> d v + (1 - d) U(w_m; m, r),    d = (s - m) / (s - r)

d = 1 is flow matching, r = 0 is consistency, and d -> 0 the mean flow's own identity, without its
derivative along the trajectory.

Sources: Geng et al., Mean Flows for One-step Generative Modeling, 2025, eq. 4; Zhang et al.,
AlphaFlow, 2025 (d from 1 to 0); Frans et al., One Step Diffusion via Shortcut Models, 2024 (one
network for every length of step).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process.path import Marginal

__all__ = ["MeanFlow"]


@dataclass(frozen=True)
class MeanFlow:
    """How far the jumps lead that a network is trained for, as shares 1 - r / s of the way.

    Args:
        plain: share of the items that stay where they are: flow matching, v alone.
        clean: share that leads to the clean end; the others end uniformly on the way.
    """

    plain: float = 0.25
    clean: float = 0.25

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing."""
        if not (self.plain >= 0.0 and self.clean >= 0.0 and self.plain + self.clean <= 1.0):
            raise Refusal(
                f"MeanFlow: plain = {self.plain:g}, clean = {self.clean:g}",
                mend="both must be at least 0, and together at most 1",
            )

    def jumps(self, u: Tensor) -> Tensor:
        """Turn uniform draws into jumps, same shape: 0 stays, 1 leads to the clean end."""
        between = max(1.0 - self.plain - self.clean, 1e-9)
        return ((u - self.plain) / between).clamp(0.0, 1.0)

    @staticmethod
    def rest(jump: Tensor, distance: Tensor) -> Tensor:
        """Return the jump that is left, 1 - r / m, after a share of it: m = s (1 - distance jump).

        Args:
            jump: 1 - r / s.
            distance: d.
        """
        left = 1.0 - distance * jump
        return torch.where(left > 0.0, 1.0 - (1.0 - jump) / left, 1.0).clamp(0.0, 1.0)

    @staticmethod
    def estimate(
        x0: Tensor, eps: Tensor, at: Marginal, nearer: Marginal, found: Tensor, distance: Tensor
    ) -> Tensor:
        """Return the estimate at s whose jump is a share along v, then what was found at m.

        Args:
            x0: the clean state.
            eps: the noise.
            at: the path at s.
            nearer: the path at m.
            found: the estimate there.
            distance: d, shape of at.t.
        """
        s, m, v = at.place, nearer.place, eps - x0
        later = (x0 + m * v - found) / m
        return x0 + s * (1.0 - distance) * (v - later)
