"""Wrappers that add noise: where one is another solver, and where it adds none."""

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import VE, VP, RectifiedFlow
from diffaudio.solve import DDIM, Ancestral, Churn, Heun, Problem, Restart, Sampler, UniformGrid

TIMES = torch.tensor([0.8, 0.5], dtype=torch.float64)


def taken(solver, path, draws=None):
    """Return one step of a solver, its noise counted in `draws`."""
    noise = torch.Generator().manual_seed(1)
    start = torch.randn(1, 1, 2, 5, dtype=torch.float64, generator=noise)

    def drawn():
        if draws is None:
            pytest.fail("noise was drawn")
        draws.append(1)
        return torch.randn(start.shape, dtype=torch.float64, generator=noise)

    problem = Problem(lambda z, at: torch.tanh(z) * (1 - 0.3 * at.t), path, drawn, 9)
    now, then = path.at(TIMES).knots()
    return solver.step(problem, start, now, then, ())[0]


@pytest.mark.parametrize("path", [VE(), VP(), RectifiedFlow()], ids=str)
@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_ancestral_around_ddim_is_ddim_with_eta(path, eta):
    torch.testing.assert_close(taken(Ancestral(DDIM(), eta), path, []), taken(DDIM(eta), path, []))


@pytest.mark.parametrize("solver", [DDIM(), Heun()], ids=str)
def test_without_churn_or_outside_its_range_the_solver_is_alone(solver):
    plain = taken(solver, VE())
    assert torch.equal(taken(Churn(solver, churn=0.0), VE()), plain)
    assert torch.equal(taken(Churn(solver, low=1.0), VE()), plain)
    assert torch.equal(taken(Churn(solver, high=0.7), VE()), plain)


def test_churn_on_ve_is_the_published_step():
    """Karras et al., 2022, algorithm 2: t^ = t + gamma t, z + sqrt(t^2 rise) noise, then a step."""
    t, u = TIMES
    raised = 1.2 * t
    noise = torch.Generator().manual_seed(1)
    z, eps = (torch.randn(1, 1, 2, 5, dtype=torch.float64, generator=noise) for _ in range(2))
    hat = z + 1.003 * (raised**2 - t**2).sqrt() * eps
    x0 = torch.tanh(hat) * (1 - 0.3 * raised)
    by_hand = hat + (u - raised) * (hat - x0) / raised
    made = taken(Churn(DDIM(), churn=0.2, noise=1.003), VE(), draws := [])
    torch.testing.assert_close(made, by_hand)
    assert len(draws) == 1


def test_shares_and_churns_that_are_none_are_refused():
    with pytest.raises(Refusal, match="eta = 1.5"):
        Ancestral(DDIM(), 1.5)
    with pytest.raises(Refusal, match="churn = -1"):
        Churn(DDIM(), churn=-1.0)


def test_a_restart_from_more_noise_than_it_goes_back_to_is_refused():
    """Five calls less three leave the flow's last knot at t = 1/2, where sigma / alpha is 1."""
    sampler = Sampler(Restart(DDIM()), UniformGrid(), 5)
    with pytest.raises(Refusal, match=r"last knot is at 1 already\n.*more calls"):
        sampler(lambda z, _: z, RectifiedFlow(), None, lambda: torch.randn(1, 1, 1, 4))
