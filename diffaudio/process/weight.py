"""Weight: how much the loss of each noise level counts.

A network's loss is the mean square of the error in its own answer F, and F's error is that of x_0
divided by c_out. So a weight w on the error of x_0 is w c_out^2 on that of F, and one on the error
of the noise is w SNR on that of x_0, SNR = (alpha / sigma)^2. Weights below are stated for x_0.

Sources: Hang et al., Efficient Diffusion Training via Min-SNR Weighting Strategy, 2023; Kingma and
Gao, Understanding Diffusion Objectives as the ELBO with Simple Data Augmentation, 2023; Karras et
al., 2022, table 1, and 2024 (EDM2), eqs. 15 and 16.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from diffaudio.process.path import Marginal
from diffaudio.process.target import Target


class Weight(ABC):
    """A weight of the loss."""

    @abstractmethod
    def weigh(self, loss: Tensor, at: Marginal, target: Target) -> Tensor:
        """Return the weighted loss (b,).

        Args:
            loss: (b,), mean square of the error in the network's own answer.
            at: the path at each item's time, every field (b,).
            target: what the network speaks.
        """


class OnX0(Weight):
    """A weight that is stated for the error of x_0."""

    @abstractmethod
    def of(self, snr: Tensor) -> Tensor:
        """Return the weight of the squared error of x_0 where the power ratio is `snr`."""

    def weigh(self, loss: Tensor, at: Marginal, target: Target) -> Tensor:
        """Return w c_out^2 loss; 0 where c_out is: there x_0 is known."""
        _, c_out = target.coefficients(at)
        weight = self.of(torch.exp(2.0 * at.log_snr)) * c_out.square()
        return torch.where(c_out == 0, 0.0, weight).to(loss) * loss


@dataclass(frozen=True)
class Unit(Weight):
    """All errors of the network's own answer count alike: the usual loss of the papers."""

    def weigh(self, loss: Tensor, at: Marginal, target: Target) -> Tensor:  # noqa: ARG002
        """Return the loss."""
        return loss


@dataclass(frozen=True)
class EDMWeight(OnX0):
    """SNR + 1 / sigma_data^2, which is unit weight for the EDM target.

    Args:
        sigma_data: standard deviation of the states.
    """

    sigma_data: float = 0.5

    def of(self, snr: Tensor) -> Tensor:
        """Return SNR + 1 / sigma_data^2."""
        return snr + self.sigma_data**-2


@dataclass(frozen=True)
class MinSNR(OnX0):
    """The smaller of SNR and gamma: unit weight of the noise, but no more than gamma of x_0.

    Args:
        gamma: power ratio from which on the weight of x_0 is constant; 5 in the paper.
        soft: SNR gamma / (SNR + gamma) instead, without a corner; with gamma = 1 that is
            1 / (1 + SNR) for the noise.
    """

    gamma: float = 5.0
    soft: bool = False

    def of(self, snr: Tensor) -> Tensor:
        """Return min(SNR, gamma), or its soft form."""
        if self.soft:
            return self.gamma / (1.0 + self.gamma / snr)
        return snr.clamp_max(self.gamma)


@dataclass(frozen=True)
class Sigmoid(OnX0):
    """sigmoid(bias - log SNR) for the noise, that is SNR times it for x_0.

    Args:
        bias: log-SNR at which the weight of the noise is a half; 2 in the paper. With 0 that weight
            is 1 / (1 + SNR).
    """

    bias: float = 2.0

    def of(self, snr: Tensor) -> Tensor:
        """Return SNR / (1 + SNR exp(-bias))."""
        return 1.0 / (1.0 / snr + math.exp(-self.bias))


class Learned(nn.Module, Weight):
    """Each noise level's loss divided by what is usual there: loss exp(-u) + u, u learned.

    u is a linear function of Fourier features of half-log-SNR. It is trained beside the network
    and counts for nothing afterwards.

    Args:
        features: how many.
        bandwidth: of their frequencies, standard deviation per unit of half-log-SNR.
    """

    frequencies: Tensor
    phases: Tensor

    def __init__(self, features: int = 64, bandwidth: float = 1.0) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.register_buffer("frequencies", bandwidth * torch.randn(features, generator=random))
        self.register_buffer("phases", 2.0 * math.pi * torch.rand(features, generator=random))
        self.usual = nn.Linear(features, 1)
        nn.init.zeros_(self.usual.weight)
        nn.init.zeros_(self.usual.bias)

    def weigh(self, loss: Tensor, at: Marginal, target: Target) -> Tensor:  # noqa: ARG002
        """Return loss exp(-u) + u."""
        level = at.log_snr.clamp(-20.0, 20.0).to(loss)
        features = math.sqrt(2.0) * torch.cos(level[:, None] * self.frequencies + self.phases)
        u = self.usual(features)[:, 0]
        return loss * torch.exp(-u) + u
