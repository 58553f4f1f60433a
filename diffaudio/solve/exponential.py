"""Exponential integrators: the one answer that stands for the denoiser over a whole step.

Along the probability flow z / alpha moves by the noise that it holds, and z / sigma by the clean
estimate, both weighted by an exponential of the half-log-SNR l. So a step is exact if the network's
answer is replaced by its mean under that weight, and a method of order p takes the mean of the
polynomial through p answers. With x = 0 at the start of the step and 1 at its end, the weight is

    clean estimates over l     exp(r h x)       r = 1; above 1 where noise is drawn afresh
    the same over e^l          1
    noises over l              exp(-h x)        h = the step in l
    noises over sigma / alpha  1

Nothing else tells DPM-Solver++, DPM-Solver, DEIS, UniPC and the linear multistep method apart.

Sources: Hochbruck and Ostermann, Exponential Integrators, 2010; Lu et al., DPM-Solver++, 2022;
Zhang and Chen, DEIS, 2022; Zhao et al., UniPC, 2023; Gonzalez et al., SEEDS, 2023 (with noise).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from diffaudio.process import Marginal
from diffaudio.shapes import State

NODES, MASSES = (array.tolist() for array in np.polynomial.legendre.leggauss(12))
_SMALL = 1.0  # rates below it are summed as a series, since the recursion would cancel
_LEAST = -700.0  # exp(700) is about the largest number there is


def moments(rate: float, count: int) -> list[float]:
    """Return the means of 1, x, x^2, ... over [0, 1] under the weight exp(rate x)."""
    if rate == math.inf:
        return [1.0] * count
    if abs(rate) < _SMALL:
        raw = [_series(rate, power) for power in range(count)]
        return [value / raw[0] for value in raw]
    end = -1.0 / math.expm1(-max(rate, _LEAST))  # the weight at 1, over its integral and rate
    found = [1.0]
    for power in range(1, count):
        found.append(end - power / rate * found[-1])  # by parts
    return found


def _series(rate: float, power: int) -> float:
    """Return the integral of x^power exp(rate x) over [0, 1]."""
    term, total = 1.0, 0.0
    for n in range(20):
        total += term / (power + n + 1)
        term *= rate / (n + 1)
    return total


def weights(places: Sequence[float], rate: float) -> list[float]:
    """Return how much each of the answers at `places` counts in their weighted mean over [0, 1].

    Args:
        places: where the polynomial goes through the answers, all different, 0 the step's start.
        rate: of the weight exp(rate x).
    """
    means = moments(rate, len(places))
    found = []
    for i, own in enumerate(places):
        polynomial = [1.0]  # Lagrange's, lowest power first
        for other in (*places[:i], *places[i + 1 :]):
            higher, lower = [0.0, *polynomial], [*polynomial, 0.0]
            scale = 1.0 / (own - other)
            polynomial = [scale * (h - other * c) for h, c in zip(higher, lower, strict=True)]
        found.append(sum(c * mean for c, mean in zip(polynomial, means, strict=True)))
    return found


def lagrange(places: Sequence[float], x: Tensor) -> list[Tensor]:
    """Return at x, for each place, the polynomial that is 1 there and 0 at all others."""
    found = []
    for i, own in enumerate(places):
        value = torch.ones_like(x)
        for other in (*places[:i], *places[i + 1 :]):
            value = value * (x - other) / (own - other)
        found.append(value)
    return found


def mean_shares(
    places: Sequence[Marginal], now: Marginal, then: Marginal, rate: float = 1.0
) -> list[float]:
    """Return how much each answer counts in what stands for the network from `now` to `then`.

    The polynomial is in half-log-SNR l. Pure noise, l = -inf, is infinitely far from everything
    else there; where a step begins at it or remembers it, the polynomial is in alpha / sigma = e^l,
    which is 0 there, and over which clean estimates have the same weight everywhere.

    Args:
        places: where the network was called.
        now: the path at the start of the step.
        then: the path at its end.
        rate: 1 for clean estimates, -1 for noises, above 1 where noise is drawn afresh; times the
            length of the step it is the rate of the weight.
    """
    logs = [at.log_snr.item() for at in places]
    start, end = now.log_snr.item(), then.log_snr.item()
    if -math.inf in (start, *logs):
        logs, rate = [math.exp(log) for log in logs], 0.0
        start, end = math.exp(start), math.exp(end)
    h = end - start
    return weights([(log - start) / h for log in logs], rate * h)


def mean_answer(
    answers: Sequence[tuple[Marginal, State]], now: Marginal, then: Marginal, rate: float = 1.0
) -> State:
    """Return what stands for the network's answer over a step: the mean that `mean_shares` says."""
    places, states = zip(*answers, strict=True)
    return combined(mean_shares(places, now, then, rate), states)


def flow_shares(places: Sequence[Marginal], now: Marginal, then: Marginal) -> list[float]:
    """Return the shares of clean estimates with a polynomial in rectified flow's time.

    That is s = sigma / (alpha + sigma), 1 for pure noise and 0 for none. Estimates are smooth in it
    to both ends, where half-log-SNR is infinite: they change with s^2 near 0 and with 1 - s near 1.
    The weight, d(alpha / sigma) = ds / s^2, is integrated by Gauss and Legendre's rule in log s.
    """
    start, end = (math.log(flow_time(at)) for at in (now, then))
    logs = [0.5 * (start + end) + 0.5 * (end - start) * node for node in NODES]
    mass = [weight * math.exp(-log) for weight, log in zip(MASSES, logs, strict=True)]
    total, inner = sum(mass), [math.exp(log) for log in logs]
    times, shares = [flow_time(at) for at in places], []
    for i, own in enumerate(times):
        share, others = 0.0, (*times[:i], *times[i + 1 :])
        for s, value in zip(inner, mass, strict=True):
            for other in others:
                value *= (s - other) / (own - other)
            share += value
        shares.append(share / total)
    return shares


def flow_time(at: Marginal) -> float:
    """Return sigma / (alpha + sigma), the time at which rectified flow has this noise level."""
    return 1.0 / (1.0 + math.exp(at.log_snr.item()))


def combined(shares: Sequence[float], states: Sequence[State]) -> State:
    """Return the sum of states, each times its share, in the precision of the first."""
    total = shares[0] * states[0]
    for share, state in zip(shares[1:], states[1:], strict=True):
        total.add_(state, alpha=share)
    return total
