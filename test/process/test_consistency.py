"""Consistency training: its stages, and that the flow's own end points are its fixed point."""

import math

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import VE, VP, Consistency, RectifiedFlow


def places(path, times):
    return path.at(torch.tensor(times, dtype=torch.float64))


def flow_time(path, t):
    at = path.at(t)
    return at.sigma / (at.alpha + at.sigma)


@pytest.mark.parametrize("path", [VE(), VP(), RectifiedFlow()], ids=str)
@pytest.mark.parametrize("stage", [1, 2, 5])
def test_the_place_asked_again_lies_a_share_nearer(path, stage):
    consistency, at = Consistency(10, base=3.0, near=0.0), places(path, [0.1, 0.4, 0.9])
    distance = consistency.distance(at, 10 * stage + 3)
    torch.testing.assert_close(distance, torch.full_like(at.t, 3.0**-stage))
    share = flow_time(path, consistency.earlier(at, path, distance)) / flow_time(path, at.t)
    torch.testing.assert_close(share, 1 - distance, rtol=1e-6, atol=0)


def test_it_begins_as_denoising_and_the_last_stage_stays():
    at = places(VE(), [0.5])
    consistency = Consistency(every=10, stages=3, near=0.0)
    assert consistency.distance(at, 9) is None
    assert consistency.distance(at, 10**6).item() == 0.125
    later = Consistency(every=10, stages=3, first=2, near=0.0)
    assert [later.distance(at, step).item() for step in (0, 10, 20)] == [0.25, 0.125, 0.125]


def test_near_the_clean_end_the_distance_is_larger_up_to_all_of_the_way():
    """n = 1 + 8 / (1 + e^sigma): 5 at no noise, 1 at pure noise."""
    path = VE()
    at = places(path, [0.01, 1.0, 60.0])
    reach = [1 + 8 / (1 + math.exp(sigma)) for sigma in at.sigma.tolist()]
    for stage in (1, 3, 6):
        distance = Consistency(every=1).distance(at, stage)
        assert distance.tolist() == pytest.approx([min(1.0, n / 2**stage) for n in reach])
    all_the_way = Consistency(every=1).distance(at, 1)
    assert all_the_way.tolist()[:2] == [1.0, 1.0]
    assert Consistency(every=1).earlier(at, path, all_the_way)[0].item() == pytest.approx(
        path.t_min
    )


def test_pure_noise_has_a_place():
    path, consistency = RectifiedFlow(), Consistency(every=1)
    at = places(path, [1.0])
    assert consistency.earlier(at, path, consistency.distance(at, 1)).item() == pytest.approx(0.5)


def test_the_flow_s_end_is_a_fixed_point_and_the_mean_is_not():
    """x_0 ~ N(0, s^2) on VE: the flow maps z to z s / hypot(s, sigma), E[x_0 | z] is smaller.

    The expected gradient in the gain at one level vanishes, to the first order in the distance, if
    the gain is the flow's; if it is the mean's it does not.
    """
    s, stage, n = 0.5, 7, 400_000
    consistency, path = Consistency(every=1), VE()
    at = places(path, [1.5])
    distance = consistency.distance(at, stage)
    earlier = path.at(consistency.earlier(at, path, distance))
    torch.manual_seed(0)
    x0, eps = s * torch.randn(n, dtype=torch.float64), torch.randn(n, dtype=torch.float64)
    z, before = at.z(x0, eps), earlier.z(x0, eps)

    def slope(gain):
        error = gain(at.sigma) * z - gain(earlier.sigma) * before
        return (error * z / distance).mean().item() / s**2

    flow = slope(lambda sigma: s / torch.hypot(torch.tensor(s), sigma))
    mean = slope(lambda sigma: s**2 / (s**2 + sigma**2))
    assert abs(flow) < 0.05 * abs(mean)
    assert mean < -1.0  # it shrinks too far: a larger gain is wanted


def test_stages_that_are_none_are_refused():
    with pytest.raises(Refusal, match="base above 1"):
        Consistency(every=100, base=1.0)
    with pytest.raises(Refusal, match="first between 0 and stages"):
        Consistency(every=100, stages=2, first=3)
