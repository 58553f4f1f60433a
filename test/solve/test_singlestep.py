"""Single-step DPM-Solver against the papers' own formulas, and where it calls within a step."""

import math

import pytest
import torch

from diffaudio.process import OUVE, VE, VP, RectifiedFlow
from diffaudio.solve import DPMSolverSinglestep, Problem

PATHS = [VE(), VP(), OUVE(), RectifiedFlow()]


def no_noise():
    raise AssertionError("a deterministic step draws nothing")


def take(solver, path, times, answers, z):
    """Return z after a step whose network gives these answers in turn, and where it was called."""
    queue, places = list(answers), []
    problem = Problem(lambda z, at: places.append(at) or queue.pop(0), path, no_noise, 9)
    now, then = path.at(torch.tensor(times, dtype=torch.float64)).knots()
    return solver.step(problem, z, now, then, ())[0], places, now, then


def draws(n):
    torch.manual_seed(0)
    return torch.randn(n, 1, 1, 2, 5, dtype=torch.float64)


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("predict", ["x0", "eps"])
@pytest.mark.parametrize("order", [2, 3])
def test_calls_divide_the_step_evenly_in_half_log_snr(order, predict, path):
    z, *answers = draws(1 + order)
    solver = DPMSolverSinglestep(order, predict)
    _, places, now, then = take(solver, path, [0.7, 0.4], answers, z)
    h = then.log_snr - now.log_snr
    wanted = [(now.log_snr + k / order * h).item() for k in range(order)]
    assert [at.log_snr.item() for at in places] == pytest.approx(wanted)


def test_from_pure_noise_they_divide_alpha_over_sigma():
    z, *answers = draws(4)
    _, places, *_ = take(DPMSolverSinglestep(3), RectifiedFlow(), [1.0, 0.25], answers, z)
    assert [math.exp(at.log_snr.item()) for at in places] == pytest.approx([0.0, 1.0, 2.0])


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_2s_is_the_published_one_with_all_of_the_weight(path):
    """x' = (S / s) x - A (e^-h - 1) D + 2 A ((e^-h - 1) / h + 1) (D' - D), D' half way.

    Lu et al., DPM-Solver++, 2022, algorithm 1 with r = 1/2; its last bracket is (1 - e^-h) / 2.
    """
    z, one, other = draws(3)
    ours, _, now, then = take(DPMSolverSinglestep(2), path, [0.7, 0.4], [one, other], z)
    h = then.log_snr - now.log_snr
    published = then.sigma / now.sigma * z - then.alpha * torch.expm1(-h) * one
    published = published + 2 * then.alpha * (torch.expm1(-h) / h + 1) * (other - one)
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-12)
