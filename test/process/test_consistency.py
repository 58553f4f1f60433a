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
    consistency, at = Consistency(every=10, base=3.0), places(path, [0.1, 0.4, 0.9])
    earlier = consistency.earlier(at, path, 10 * stage + 3)
    share = flow_time(path, earlier) / flow_time(path, at.t)
    torch.testing.assert_close(share, torch.full_like(share, 1 - 3.0**-stage), rtol=1e-6, atol=0)
    assert consistency.weight(10 * stage) == 3.0**stage


def test_it_begins_as_denoising_and_the_last_stage_stays():
    consistency, at = Consistency(every=10, stages=3), places(VE(), [0.5])
    assert consistency.earlier(at, VE(), 9) is None
    assert consistency.weight(9) == 1.0
    assert consistency.weight(10**6) == 8.0


def test_pure_noise_has_a_place():
    path = RectifiedFlow()
    earlier = Consistency(every=1).earlier(places(path, [1.0]), path, 1)
    assert earlier.item() == pytest.approx(0.5)


def test_the_flow_s_end_is_a_fixed_point_and_the_mean_is_not():
    """x_0 ~ N(0, s^2) on VE: the flow maps z to z s / hypot(s, sigma), E[x_0 | z] is smaller.

    The expected gradient in the gain at one level vanishes, to the first order in the distance, if
    the gain is the flow's; if it is the mean's it does not.
    """
    s, stage, n = 0.5, 7, 400_000
    consistency, path = Consistency(every=1), VE()
    at = places(path, [1.5])
    earlier = path.at(consistency.earlier(at, path, stage))
    torch.manual_seed(0)
    x0, eps = s * torch.randn(n, dtype=torch.float64), torch.randn(n, dtype=torch.float64)
    z, before = at.z(x0, eps), earlier.z(x0, eps)

    def slope(gain):
        error = gain(at.sigma) * z - gain(earlier.sigma) * before
        return (consistency.weight(stage) * error * z).mean().item() / s**2

    flow = slope(lambda sigma: s / torch.hypot(torch.tensor(s), sigma))
    mean = slope(lambda sigma: s**2 / (s**2 + sigma**2))
    assert abs(flow) < 0.05 * abs(mean)
    assert mean < -1.0  # it shrinks too far: a larger gain is wanted


def test_stages_that_are_none_are_refused():
    with pytest.raises(Refusal, match="base above 1"):
        Consistency(every=100, base=1.0)
    assert math.isfinite(Consistency(every=1).weight(100))
