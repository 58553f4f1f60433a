"""Path: how a clean state becomes noise. Every formulation is one Gaussian path, three functions.

    x_t = alpha(t) x_0 + mean(t) y + sigma(t) eps            eps ~ N(0, I)

Time runs from 0, clean, to t_max, noise, as in the score literature (flow-matching papers count the
other way). y is the given sound, or nothing. Targets and solvers never meet y: they see

    z_t = x_t - mean(t) y = alpha(t) x_0 + sigma(t) eps

which is a path without y, so nothing below this module is written twice for the two cases.

Sources: Kingma et al., Variational Diffusion Models, 2021 (alpha, sigma, log-SNR); Karras et al.,
Elucidating the Design Space, 2022, eq. 4 (the probability flow of any such path).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from diffaudio.log import Refusal

LARGEST = 1e6  # beyond it single precision has no digit left of what is divided
BISECTIONS = 64  # halvings of [t_min, t_max]: more than float64 can tell apart
MEND = "choose 0 <= t_min < t_max and constants that keep alpha and sigma above 0 between them"


class Marginal(NamedTuple):
    """The path at time t: all that targets and solvers know of it. All fields have t's shape.

    Attributes:
        t: time.
        alpha: weight of x_0.
        mean: weight of y.
        sigma: standard deviation of the noise.
        d_alpha: derivative of alpha by t.
        d_sigma: derivative of sigma by t.
        log_snr: log(alpha / sigma), half the logarithm of the signal-to-noise power ratio.
    """

    t: Tensor
    alpha: Tensor
    mean: Tensor
    sigma: Tensor
    d_alpha: Tensor
    d_sigma: Tensor
    log_snr: Tensor

    def z(self, x0: Tensor, eps: Tensor) -> Tensor:
        """Return z_t = alpha x_0 + sigma eps."""
        return self.alpha * x0 + self.sigma * eps

    def eps(self, z: Tensor, x0: Tensor) -> Tensor:
        """Return the noise that z holds if x0 is the clean state; needs sigma > 0."""
        return (z - self.alpha * x0) / self.sigma

    def velocity(self, z: Tensor, x0: Tensor) -> Tensor:
        """Return dz/dt = alpha' x_0 + sigma' eps of the probability flow; needs sigma > 0."""
        return self.d_alpha * x0 + self.d_sigma * self.eps(z, x0)

    def start(self, eps: Tensor, guess: Tensor | None) -> Tensor:
        """Return z where sampling starts from here, with a guess in the place of x_0.

        Where the guess is y that is x = (alpha + mean) y + sigma eps, y with the path's noise.

        Args:
            eps: standard normal noise.
            guess: what x_0 is taken to be before the first call, shape of eps; None for 0.
        """
        return self.sigma * eps if guess is None else self.z(guess, eps)

    @property
    def drift(self) -> Tensor:
        """Return f = alpha' / alpha of the diffusion dz = f z dt + g dw; needs alpha > 0."""
        return self.d_alpha / self.alpha

    @property
    def diffusion_squared(self) -> Tensor:
        """Return g^2 = (sigma^2)' - 2 f sigma^2 of the same diffusion; needs alpha > 0."""
        return 2.0 * self.sigma * (self.d_sigma - self.drift * self.sigma)

    @property
    def place(self) -> Tensor:
        """Return sigma / (alpha + sigma), 1 for pure noise: rectified flow's time of this noise."""
        return torch.sigmoid(-self.log_snr.double())

    def knots(self) -> list[Marginal]:
        """Split the path at n times, shape (n,), into n marginals of scalars."""
        return [Marginal(*scalars) for scalars in zip(*map(torch.unbind, self), strict=True)]


class Path(ABC):
    """A Gaussian path; a leaf states alpha, sigma and, where y belongs to the path, mean.

    Leaves are frozen dataclasses. The functions take times of any shape, in float32 or float64,
    and return tensors of that shape and precision.

    Attributes:
        t_min: least time at which the network is trained and called.
        t_max: time of pure noise, where sampling starts.
        uses_given: whether y belongs to the path (it can be a network's condition in any case).
    """

    t_min: float
    t_max: float
    uses_given: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse ends that are not a path's: a constructor's values are a user's values."""
        if not 0.0 <= self.t_min < self.t_max:
            raise Refusal(f"{self} is no path: t_min and t_max are not in order", mend=MEND)
        shares = torch.linspace(0.0, 1.0, 9, dtype=torch.float64)
        try:
            at = self.at(self.t_min + shares * (self.t_max - self.t_min))
        except (ArithmeticError, ValueError) as error:
            raise Refusal(f"{self} is no path: {error}", mend=MEND) from error
        for k, knot in enumerate(at.knots()):
            least = min(knot.alpha, knot.sigma)
            if not (
                least > 0 or (least == 0 and k in (0, len(shares) - 1))
            ):  # nan is above nothing
                raise Refusal(
                    f"{self} is no path: alpha = {knot.alpha:g}, sigma = {knot.sigma:g} "
                    f"at t = {knot.t:g}",
                    mend=MEND,
                )
        if not (at.log_snr.diff() < 0).all():
            raise Refusal(f"{self} is no path: alpha / sigma does not fall all the way", mend=MEND)

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """Return the weight of x_0."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """Return the standard deviation of the noise."""

    def mean(self, t: Tensor) -> Tensor:
        """Return the weight of y."""
        return torch.zeros_like(t)

    def log_snr(self, t: Tensor) -> Tensor:
        """Return log(alpha / sigma); it falls with t, from inf at most to -inf at most."""
        return torch.log(self.alpha(t) / self.sigma(t))

    def clock(self, t: Tensor) -> Tensor:
        """Return what the network is told of the time: of order one on every path."""
        return t

    def slopes(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return the derivatives of alpha and sigma by t; a leaf states them where it is a line."""
        with torch.inference_mode(mode=False):  # records gradients, whatever holds outside
            # a time of its own for each, so that one backward pass finds both slopes
            leaves = [t.detach().clone().requires_grad_() for _ in range(2)]
            total = self.alpha(leaves[0]) + self.sigma(leaves[1])
            d_alpha, d_sigma = torch.autograd.grad(
                total, leaves, torch.ones_like(t), allow_unused=True, materialize_grads=True
            )
        return d_alpha, d_sigma

    def at(self, t: Tensor) -> Marginal:
        """Return the path at times t (any shape), with exact derivatives."""
        t = t.detach().clone()
        alpha, mean, sigma = self.alpha(t), self.mean(t), self.sigma(t)
        return Marginal(t, alpha, mean, sigma, *self.slopes(t), log_snr=self.log_snr(t))

    def time_of(self, log_snr: Tensor) -> Tensor:
        """Return the times in [t_min, t_max] whose half-log-SNR is nearest to the one asked for."""
        early = torch.full_like(log_snr, self.t_min)
        late = torch.full_like(log_snr, self.t_max)
        for _ in range(BISECTIONS):
            middle = 0.5 * (early + late)
            too_clean = self.log_snr(middle) > log_snr
            early = torch.where(too_clean, middle, early)
            late = torch.where(too_clean, late, middle)
        return 0.5 * (early + late)

    def until(self, t_max: float) -> Path:
        """Return the same path, but with sampling started at an earlier time.

        Raises:
            Refusal: the time is not on this path.
        """
        if not self.t_min < t_max <= self.t_max:
            raise Refusal(
                f"start = {t_max:g} is outside {self}",
                mend=f"choose it above {self.t_min:g} and at most {self.t_max:g}, or leave it out",
            )
        return replace(self, t_max=t_max)  # type: ignore[type-var]  # leaves are dataclasses


def refuse_singular(who: str, path: Path, at: Marginal, numbers: dict[str, Tensor]) -> None:
    """Refuse a part that cannot work on this path at these times, naming the number to blame.

    Args:
        who: the part, as the user wrote it.
        path: the path.
        at: the path at one time or more.
        numbers: what the part needs at these times, by name.

    Raises:
        Refusal: when one of the numbers is not finite, or too large for single precision.
    """
    for name, number in numbers.items():
        for k, found in enumerate(number.flatten().tolist()):
            if abs(found) < LARGEST:
                continue
            t, alpha, sigma = (x.flatten()[k] for x in (at.t, at.alpha, at.sigma))
            late = 2.0 * t > path.t_min + path.t_max
            raise Refusal(
                f"{who} does not work on {path} at t = {t:g}: {name} is {found:g} there "
                f"(alpha = {alpha:g}, sigma = {sigma:g})",
                mend=f"{'lower t_max' if late else 'raise t_min'} of the path a little, "
                "or choose a target and a solver that are finite there (X0, DDIM)",
            )
