"""The one update that DDIM, DDPM ancestral, DPM-Solver++ and both bridge samplers share.

From z at a noisier knot (alpha, sigma) to a cleaner one (A, S), given the estimate D of x_0:

    eps_hat = (z - alpha D) / sigma
    z' = A D + sqrt(S^2 - c^2) eps_hat + c noise,    c = eta S sqrt(1 - (S alpha / (A sigma))^2)

It is exact where D does not change on the way. eta = 0 follows the probability flow: DDIM,
DPM-Solver++ of first order, exponential Euler, the bridge ODE. eta = 1 draws from the posterior:
DDPM ancestral, the bridge SDE. Methods of higher order only put a better D in its place.

Sources: Song et al., Denoising Diffusion Implicit Models, 2021, eqs. 12 and 16; Lu et al.,
DPM-Solver++, 2022, eq. 8; Jukic et al., 2024, eqs. 8 and 10 (bridge SDE and ODE).
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.problem import Noise


def held_noise(z: State, x0: State, now: Marginal, noise: Noise, *, noisy_start: bool) -> State:
    """Return eps_hat, the noise that z holds besides x0.

    A bridge starts at y itself: sigma = 0, and z holds none. Then noise is drawn, which puts the
    first step on the path's marginal, or zero is taken, as the published bridge ODE does.

    Args:
        z: state.
        x0: estimate of the clean state.
        now: the path where z is.
        noise: source of a fresh draw.
        noisy_start: what to do where sigma = 0.
    """
    if now.sigma > 0:
        return now.eps(z, x0)
    return noise() if noisy_start else torch.zeros_like(z)


def flow(now: Marginal, then: Marginal) -> tuple[float, float]:
    """Return (k, g) of the update without fresh noise, z' = k z + g D; needs sigma > 0.

    k = S / sigma, g = A - alpha S / sigma: the same update, in two passes over memory.
    """
    kept = then.sigma.item() / now.sigma.item()
    return kept, then.alpha.item() - now.alpha.item() * kept


def shares(now: Marginal, then: Marginal, eta: float) -> tuple[Tensor, Tensor]:
    """Return (sqrt(S^2 - c^2), c): how much noise of the next knot is kept, how much is fresh."""
    fresh = eta * then.sigma * torch.sqrt(-torch.expm1(2.0 * (now.log_snr - then.log_snr)))
    return torch.sqrt(then.sigma**2 - fresh**2), fresh


def rate(now: Marginal, then: Marginal, eta: float) -> float:
    """Return how fast the weight of estimates grows in half-log-SNR: 1, and 2 where eta = 1.

    What is kept of the noise shrinks by exp(-h) because of the flow, and more where some is drawn
    afresh; the estimates, which replace it, count towards the end of the step accordingly.
    """
    if eta == 0.0 or not now.log_snr.isfinite():
        return 1.0
    kept, _ = shares(now, then, eta)
    return 1.0 + (torch.log(then.sigma / kept) / (then.log_snr - now.log_snr)).item()


def update(
    x0: State, eps: State, now: Marginal, then: Marginal, noise: Noise, *, eta: float = 0.0
) -> State:
    """Return z at `then`.

    Args:
        x0: estimate of the clean state.
        eps: noise that z holds at `now`.
        now: the path at the noisier knot.
        then: the path at the cleaner knot.
        noise: source of the fresh draw; not called where eta = 0.
        eta: share of the posterior's spread that is drawn afresh, 0 to 1.
    """
    if eta == 0.0:
        return then.z(x0, eps)
    kept, fresh = shares(now, then, eta)
    return then.alpha * x0 + kept * eps + fresh * noise()


def x0_of(z: State, eps: State, now: Marginal) -> State:
    """Return the clean state that z holds besides the noise eps; needs alpha > 0."""
    return (z - now.sigma * eps) / now.alpha
