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

from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.solver import Noise


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
    fresh = eta * then.sigma * torch.sqrt(-torch.expm1(2.0 * (now.log_snr - then.log_snr)))
    kept = torch.sqrt(then.sigma**2 - fresh**2)
    return then.alpha * x0 + kept * eps + fresh * noise()
