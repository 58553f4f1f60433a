"""DDIM, Euler and Heun where one is another, and their single steps by hand."""

import math

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import OUVE, VE, FlowSE, RectifiedFlow
from diffaudio.solve import DDIM, Euler, Heun, LogSNRGrid, Problem, Renoise, Sampler

TIMES = torch.tensor([0.8, 0.5], dtype=torch.float64)


def z0():
    torch.manual_seed(0)
    return torch.randn(1, 1, 2, 5, dtype=torch.float64)


def answer(z, t):
    """Some denoiser that is neither linear in z nor constant in t."""
    return torch.tanh(z) * (1 - 0.3 * t)


def no_noise():
    raise AssertionError("a deterministic step draws nothing")


def take(solver, path):
    now, then = path.at(TIMES).knots()
    problem = Problem(lambda z, at: answer(z, at.t), path, no_noise, 9)
    z, memory = solver.step(problem, z0(), now, then, ())
    assert memory == ()
    return z


@pytest.mark.parametrize("path", [VE(), RectifiedFlow(), RectifiedFlow(0.01), FlowSE()], ids=str)
def test_euler_is_ddim_where_alpha_and_sigma_are_linear(path):
    torch.testing.assert_close(take(Euler(), path), take(DDIM(), path), rtol=0, atol=1e-12)


def test_euler_is_not_ddim_elsewhere():
    assert (take(Euler(), OUVE()) - take(DDIM(), OUVE())).abs().max() > 1e-3


def test_euler_on_rectified_flow_is_the_flow_matching_step():
    z = z0()
    velocity = (z - answer(z, TIMES[0])) / TIMES[0]  # eps - x_0 of z = (1 - t) x_0 + t eps
    torch.testing.assert_close(take(Euler(), RectifiedFlow()), z - 0.3 * velocity)


def test_heun_on_ve_is_the_published_step():
    """Karras et al., 2022, algorithm 1: d = (x - D) / sigma, at both ends."""
    z, (t, u) = z0(), TIMES
    d = (z - answer(z, t)) / t
    ahead = z + (u - t) * d
    d_next = (ahead - answer(ahead, u)) / u
    torch.testing.assert_close(take(Heun(), VE()), z + (u - t) * 0.5 * (d + d_next))


@pytest.mark.parametrize("calls", range(1, 10))
def test_heun_plans_trapezoids_and_at_most_one_ddim_step(calls):
    plan = Heun().plan(calls)
    trapezoids = plan.count(Heun())
    assert trapezoids == (calls - 1) // 2
    assert len(plan) - trapezoids == (calls - 1) % 2
    assert all(step == DDIM() for step in plan[: len(plan) - trapezoids])


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_eta_is_a_share(eta):
    with pytest.raises(Refusal, match="not between 0 and 1"):
        DDIM(eta=eta)


@pytest.mark.parametrize("calls", [1, 2, 4])
def test_a_consistency_model_draws_from_the_data_in_any_number_of_calls(calls):
    """x_0 ~ N(0, s^2) on VE: the end of z's trajectory is z s / hypot(s, sigma)."""
    s, n, path = 0.5, 40_000, VE(t_max=80.0)
    random = torch.Generator().manual_seed(0)

    def noise():
        return torch.randn(n, 1, 1, 1, generator=random, dtype=torch.float64)

    def end(z, at):
        return z * s / math.hypot(s, at.sigma)

    made = Sampler(Renoise(), LogSNRGrid(), calls)(end, path, None, noise)
    assert made.std().item() == pytest.approx(s, abs=3 * s / math.sqrt(2 * n))
