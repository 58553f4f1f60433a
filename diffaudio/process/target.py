"""Target: what the network speaks, and how its words become a clean estimate.

A target is one row (p, q): the network F is trained to say

    F = p x_0 + q eps

with mean square error of weight one. Since z = alpha x_0 + sigma eps, that fixes the denoiser

    D(z) = c_skip z + c_out F(c_in z),    c_skip = q / k, c_out = -sigma / k, k = alpha q - sigma p

so no target needs a second formula. Weight one in F is the loss that the papers below use,
whatever weight that amounts to in x_0 (1 / c_out^2).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process.path import Marginal, Path, refuse_singular


class Target(ABC):
    """What the network speaks; a leaf states the row (p, q).

    Attributes:
        sigma_data: standard deviation of the states, to which the network's input is scaled.
    """

    sigma_data: float

    def __post_init__(self) -> None:
        """Refuse a deviation that is none."""
        if not self.sigma_data > 0.0:
            raise Refusal(f"{type(self).__name__}: sigma_data = {self.sigma_data:g} is not above 0")

    @abstractmethod
    def row(self, m: Marginal) -> tuple[Tensor, Tensor]:
        """Return (p, q): the shares of x_0 and of eps in the network's answer."""

    def coefficients(self, m: Marginal) -> tuple[Tensor, Tensor]:
        """Return (c_skip, c_out) of the denoiser."""
        p, q = self.row(m)
        k = m.alpha * q - m.sigma * p
        return q / k, -m.sigma / k

    def c_in(self, m: Marginal) -> Tensor:
        """Return the scale of the network's input: finite on every path, at a bridge's ends too."""
        return torch.rsqrt(self.sigma_data**2 + m.sigma**2)

    def of(self, x0: Tensor, eps: Tensor, m: Marginal) -> Tensor:
        """Return what the network should say: p x_0 + q eps."""
        p, q = self.row(m)
        return p * x0 + q * eps

    def answer(self, z: Tensor, x0: Tensor, m: Marginal) -> Tensor:
        """Return what the network must say of z for its denoised state to be x0."""
        c_skip, c_out = self.coefficients(m)
        return (x0 - c_skip * z) / c_out

    def x0(self, z: Tensor, answer: Tensor, m: Marginal) -> Tensor:
        """Return the denoised state that the network's answer to z means."""
        c_skip, c_out = self.coefficients(m)
        return c_skip * z + c_out * answer


@dataclass(frozen=True)
class X0(Target):
    """The clean state itself: finite on every path. Schroedinger bridges are trained so.

    Args:
        sigma_data: standard deviation of the states.
    """

    sigma_data: float = 0.5

    def row(self, m: Marginal) -> tuple[Tensor, Tensor]:
        """F = x_0."""
        return torch.ones_like(m.t), torch.zeros_like(m.t)

    def coefficients(self, m: Marginal) -> tuple[Tensor, Tensor]:
        """D = F, also where sigma = 0 and the general formula is 0 / 0."""
        return torch.zeros_like(m.t), torch.ones_like(m.t)


@dataclass(frozen=True)
class Epsilon(Target):
    """The noise; the score is -F / sigma. Source: Ho et al., 2020; SGMSE+ is trained so.

    Args:
        sigma_data: standard deviation of the states.
    """

    sigma_data: float = 0.5

    def row(self, m: Marginal) -> tuple[Tensor, Tensor]:
        """F = eps."""
        return torch.zeros_like(m.t), torch.ones_like(m.t)


@dataclass(frozen=True)
class Velocity(Target):
    """The time derivative of z, as flow matching. Source: Lipman et al., 2022; Liu et al., 2022.

    Args:
        sigma_data: standard deviation of the states.
    """

    sigma_data: float = 0.5

    def row(self, m: Marginal) -> tuple[Tensor, Tensor]:
        """F = alpha' x_0 + sigma' eps."""
        return m.d_alpha, m.d_sigma


@dataclass(frozen=True)
class EDM(Target):
    """The mixture of x_0 and eps that keeps input and answer at unit variance at every noise level.

    With n^2 = alpha^2 sigma_data^2 + sigma^2, the variance of z,

        c_skip = alpha sigma_data^2 / n^2        c_out = sigma sigma_data / n        c_in = 1 / n

    Source: Karras et al., 2022, table 1 (alpha = 1). On a variance-preserving path with
    sigma_data = 1 it is -v of Salimans and Ho, 2022.

    Args:
        sigma_data: standard deviation of the states.
    """

    sigma_data: float = 0.5

    def row(self, m: Marginal) -> tuple[Tensor, Tensor]:
        """F = (sigma x_0 - alpha sigma_data^2 eps) / (sigma_data n)."""
        scale = self.c_in(m) / self.sigma_data
        return scale * m.sigma, -scale * m.alpha * self.sigma_data**2

    def c_in(self, m: Marginal) -> Tensor:
        """Return 1 / n: the network's input has unit variance."""
        return torch.rsqrt((m.alpha * self.sigma_data) ** 2 + m.sigma**2)


def check_pair(path: Path, target: Target) -> None:
    """Refuse a pair whose coefficients are not finite at both ends of the path.

    The noise cannot be told from z alone where alpha = 0, nor can a velocity where sigma' is
    infinite: a clean estimate made from such an answer would be a division by zero.

    Raises:
        Refusal: naming path, target, time, coefficient and the mend.
    """
    ends = path.at(torch.tensor([path.t_min, path.t_max], dtype=torch.float64))
    for end in ends.knots():
        p, q = target.row(end)
        c_skip, c_out = target.coefficients(end)
        numbers = {"c_skip": c_skip, "c_out": c_out, "c_in": target.c_in(end)}
        refuse_singular(str(target), path, end, {**numbers, "share of x0": p, "share of eps": q})
