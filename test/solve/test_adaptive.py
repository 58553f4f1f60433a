"""RK45 on a problem whose trajectories are known: x_0 normal with deviation S, on VE."""

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import VE
from diffaudio.solve import RK45, Problem

S, TIMES = 0.5, torch.tensor([10.0, 0.1], dtype=torch.float64)


def solved(solver, denoise=lambda z, at: z * S**2 / (S**2 + at.t**2)):
    """Return the start, the result and the number of calls from the first time to the second."""
    calls = []
    problem = Problem(lambda z, at: calls.append(at.t) or denoise(z, at), VE(), None, 10_000)
    now, then = problem.path.at(TIMES).knots()
    z = torch.randn(2, 1, 1, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return z, solver.step(problem, z, now, then, ())[0], len(calls)


def test_the_result_is_the_trajectory_s_end_within_the_tolerance():
    z, made, _ = solved(RK45(rtol=1e-6, atol=1e-8))
    scale = ((S**2 + TIMES[1] ** 2) / (S**2 + TIMES[0] ** 2)).sqrt()
    assert (made - scale * z).abs().max() < 1e-6


def test_a_tighter_tolerance_takes_more_calls_and_is_nearer():
    exact = solved(RK45(rtol=1e-9, atol=1e-11))[1]
    errors, calls = [], []
    for rtol in (1e-2, 1e-4, 1e-6):
        _, made, count = solved(RK45(rtol=rtol, atol=rtol / 100))
        errors.append((made - exact).abs().max().item())
        calls.append(count)
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert calls[0] < calls[1] < calls[2]


def test_a_straight_trajectory_is_exact_in_few_steps():
    z, made, calls = solved(RK45(), lambda z, _: torch.full_like(z, 0.3))
    torch.testing.assert_close(made, 0.3 + (z - 0.3) * TIMES[1] / TIMES[0])
    assert calls < 20


def test_too_few_calls_and_no_tolerance_are_refused():
    with pytest.raises(Refusal, match="needs 8 calls"):
        RK45().plan(7)
    with pytest.raises(Refusal, match="atol = 0"):
        RK45(atol=0.0)


def test_answers_that_are_no_numbers_are_refused_at_once():
    with pytest.raises(Refusal, match=r"near t = 10 are no numbers"):
        solved(RK45(), lambda z, _: torch.full_like(z, torch.nan))
