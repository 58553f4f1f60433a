"""Power-function averages of weights: how long they are, and any one as a mix of a few.

After t updates such an average weighs the weights of update s by its profile, (gamma + 1) s^gamma /
t^(gamma + 1) for s in [0, t]: it grows with the run and forgets the random start. Its length is
told by sigma_rel, the profile's standard deviation divided by t. A profile that was not followed
while training is a least-squares mix of profiles that were, and the same mix of their averages is
its average.

Weights stand still between updates, so over (s - 1, s] the profile's integral counts. That is what
the recursion with the decay (1 - 1/t)^(gamma + 1) gives exactly, and continuous formulas hold.

Source: Karras et al., Analyzing and Improving the Training Dynamics of Diffusion Models, 2024
(arXiv:2312.02696), section 3 and appendix C.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from diffaudio.log import Refusal

__all__ = ["LONGEST", "Profile", "fit", "gamma", "inner"]

LONGEST = 12**-0.5  # sigma_rel of gamma = 0, the plain mean of all weights


class Profile(NamedTuple):
    """What an average consists of.

    Attributes:
        sigma_rel: standard deviation of the profile, relative to its end.
        end: updates until then.
    """

    sigma_rel: float
    end: int


def gamma(sigma_rel: float) -> float:
    """Return the exponent of a profile.

    It is the largest root of sigma_rel^2 (gamma + 2)^2 (gamma + 3) = gamma + 1.

    Raises:
        Refusal: no exponent of 0 or more gives this.
    """
    if not 0.0 < sigma_rel <= LONGEST:
        raise Refusal(
            f"sigma_rel: {sigma_rel:g} is not above 0 and at most {LONGEST:.4f}",
            mend="0.05 is a short average, 0.1 is usual, 0.2 is long",
        )
    inverse = sigma_rel**-2
    return max(float(np.roots([1.0, 7.0, 16.0 - inverse, 12.0 - inverse]).real.max()), 0.0)


def inner(some: Sequence[Profile], others: Sequence[Profile]) -> np.ndarray:
    """Return the inner products of profiles, the integrals of their products: (some, others)."""
    (a, t), (b, u) = _columns(some), _columns(others)
    a, t = a[:, None], t[:, None]
    shared = np.minimum(t, u)
    powers = (shared / t) ** a * (shared / u) ** b
    return (a + 1.0) * (b + 1.0) / (a + b + 1.0) * powers / np.maximum(t, u)


def fit(wanted: Profile, stored: Sequence[Profile]) -> tuple[np.ndarray, float]:
    """Return the shares of stored profiles whose mix is nearest to the one wanted.

    The shares add up to 1, beyond the source: weights that never move then come out as they are.

    Returns:
        (stored,) shares, and the distance that is left, relative to the norm of the one wanted.
    """
    products, right = inner(stored, stored), inner(stored, [wanted])[:, 0]
    norms = np.sqrt(np.diag(products))
    ones = 1.0 / norms  # of profiles of norm 1, which keeps the equations well conditioned
    matrix = np.block([[products / np.outer(norms, norms), ones[:, None]], [ones, 0.0]])
    solution = np.linalg.lstsq(matrix, np.append(right / norms, 1.0), rcond=None)[0]
    shares = solution[:-1] / norms
    whole = inner([wanted], [wanted])[0, 0]
    left = whole - 2.0 * shares @ right + shares @ products @ shares
    return shares, math.sqrt(max(left / whole, 0.0))


def _columns(profiles: Sequence[Profile]) -> tuple[np.ndarray, np.ndarray]:
    """Return exponents and ends."""
    exponents = {sigma_rel: gamma(sigma_rel) for sigma_rel, _ in profiles}
    ends = np.array([end for _, end in profiles], dtype=np.float64)
    return np.array([exponents[sigma_rel] for sigma_rel, _ in profiles]), ends
