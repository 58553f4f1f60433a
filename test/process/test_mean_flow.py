"""Mean flow: where its jumps lead, and that the exact flow map is its fixed point."""

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import VE, VP, Consistency, MeanFlow, RectifiedFlow

SPREAD = 0.5  # deviation of x_0


def gain(path, at, jump):
    """Return D / z of the exact flow map for x_0 ~ N(0, SPREAD^2): the flow scales w with its own
    deviation n(s)^2 = ((1 - s) SPREAD)^2 + s^2, and w_r = (1 - jump) w_s + jump D.
    """
    s = at.place
    r = s * (1.0 - jump)

    def deviation(place):
        return torch.hypot((1.0 - place) * SPREAD, place)

    mean = (1.0 - s) * SPREAD**2 / deviation(s) ** 2  # of E[x_0 | w], where the jump is none
    far = (deviation(r) / deviation(s) - (1.0 - jump)) / jump.clamp_min(1e-12)
    return torch.where(jump > 0.0, far, mean) / (at.alpha + at.sigma)


def slopes(path, jump, stage, of_s, of_m):
    """Return the gradient of the loss in the gain at one place, for estimates of two kinds."""
    few, n = Consistency(every=1, near=0.0, mean_flow=MeanFlow()), 400_000
    at = path.at(torch.tensor([0.6 * path.t_max if path.t_max <= 1 else 1.5], dtype=torch.float64))
    jump = torch.tensor([jump], dtype=torch.float64)
    distance = few.distance(at, stage)
    nearer = path.at(few.earlier(at, path, distance * jump))
    torch.manual_seed(0)
    x0, eps = SPREAD * torch.randn(n, dtype=torch.float64), torch.randn(n, dtype=torch.float64)
    z, before = at.z(x0, eps), nearer.z(x0, eps)
    found = of_m(path, nearer, MeanFlow.rest(jump, distance)) * before
    wanted = MeanFlow.estimate(x0, eps, at, nearer, found, distance)
    error = of_s(path, at, jump) * z - wanted
    return (error * z / distance).mean().item() / SPREAD**2


@pytest.mark.parametrize("path", [VE(), VP(), RectifiedFlow()], ids=str)
@pytest.mark.parametrize("jump", [0.3, 0.7, 1.0])
def test_the_exact_flow_map_is_a_fixed_point_and_the_mean_is_not(path, jump):
    def mean(path, at, jump):
        return gain(path, at, torch.zeros_like(jump))

    exact = slopes(path, jump, 7, gain, gain)
    plain = slopes(path, jump, 7, mean, mean)
    assert abs(exact) < 0.1 * abs(plain)


def test_all_of_the_way_it_is_flow_matching():
    """d = 1: the estimate is x_0 itself, whatever was found."""
    path = RectifiedFlow()
    at, nearer = (path.at(torch.tensor([t], dtype=torch.float64)) for t in (0.8, 0.3))
    x0, eps, found = torch.randn(3, 5, dtype=torch.float64)
    made = MeanFlow.estimate(x0, eps, at, nearer, found, torch.ones(1, dtype=torch.float64))
    assert torch.equal(made, x0)


@pytest.mark.parametrize("path", [VE(), VP(), RectifiedFlow()], ids=str)
def test_to_the_clean_end_it_is_consistency(path):
    few = Consistency(every=1, near=0.0)
    at = path.at(torch.tensor([0.7], dtype=torch.float64))
    distance = few.distance(at, 2)
    nearer = path.at(few.earlier(at, path, distance))
    x0, eps, found = torch.randn(3, 5, dtype=torch.float64)
    made = MeanFlow.estimate(x0, eps, at, nearer, found, distance)
    torch.testing.assert_close(made, found, rtol=1e-6, atol=1e-6)
    ones = torch.ones_like(distance)
    assert MeanFlow.rest(ones, distance).item() == 1.0
    assert MeanFlow.rest(ones, ones).item() == 1.0


def test_what_is_left_of_a_jump():
    """From s = 1 down to r = 0.4 by halves: at m = 0.7 there is 1 - 0.4 / 0.7 left."""
    rest = MeanFlow.rest(torch.tensor(0.6), torch.tensor(0.5))
    assert rest.item() == pytest.approx(1 - 0.4 / 0.7)
    assert MeanFlow.rest(torch.tensor(0.6), torch.tensor(1.0)).item() == pytest.approx(0.0)


def test_shares_of_jumps():
    u = torch.linspace(0, 1, 100_001, dtype=torch.float64)[:-1]
    jumps = MeanFlow(plain=0.2, clean=0.3).jumps(u)
    assert (jumps == 0).double().mean().item() == pytest.approx(0.2, abs=1e-4)
    assert (jumps == 1).double().mean().item() == pytest.approx(0.3, abs=1e-4)
    between = jumps[(jumps > 0) & (jumps < 1)]
    assert between.mean().item() == pytest.approx(0.5, abs=1e-3)
    assert set(MeanFlow(plain=0.5, clean=0.5).jumps(u).unique().tolist()) == {0.0, 1.0}


def test_shares_that_are_none_are_refused():
    with pytest.raises(Refusal, match="together at most 1"):
        MeanFlow(plain=0.6, clean=0.5)
