"""Weighted means of answers against integrals worked out by hand."""

import math

import pytest
import torch

from diffaudio.process import VE, RectifiedFlow
from diffaudio.solve.exponential import flow_shares, flow_time, mean_shares


def knots(path, times):
    return path.at(torch.tensor(times, dtype=torch.float64)).knots()


@pytest.mark.parametrize(("now", "then"), [(1.0, 0.4), (0.4, 0.25), (0.25, 0.001), (0.3, 0.2999)])
@pytest.mark.parametrize("path", [RectifiedFlow(), VE()], ids=str)
def test_a_polynomial_in_flow_time_is_averaged_exactly(path, now, then):
    """With w = alpha / sigma = 1 / s - 1, the mean of s^k is an integral of s^(k - 2) ds."""
    if now == 1.0 and isinstance(path, VE):
        now = 0.999  # the path ends before pure noise
    to_path = path.time_of(RectifiedFlow().log_snr(torch.tensor([now, then, 0.9, 0.5]).double()))
    *step, one, other = knots(path, to_path.tolist())
    places = [step[0], one, other, step[1]]
    shares = flow_shares(places, *step)
    s, u = (flow_time(at) for at in step)
    whole = 1 / u - 1 / s
    means = [1.0, math.log(s / u) / whole, (s - u) / whole, (s * s - u * u) / 2 / whole]
    for power, mean in enumerate(means):
        found = sum(a * flow_time(at) ** power for a, at in zip(shares, places, strict=True))
        assert found == pytest.approx(mean, rel=1e-7, abs=1e-12)


def test_flow_time_is_that_of_rectified_flow():
    times = [1.0, 0.7, 0.2, 0.01]
    assert [flow_time(at) for at in knots(RectifiedFlow(), times)] == pytest.approx(times)
    assert [flow_time(at) for at in knots(VE(), [4.0, 0.25])] == pytest.approx([0.8, 0.2])


@pytest.mark.parametrize("rate", [1.0, -1.0, 2.0])
def test_a_line_in_half_log_snr_is_averaged_exactly(rate):
    now, then, before = knots(VE(), [2.0, 0.5, 5.0])
    shares = mean_shares([now, before], now, then, rate)
    h = math.log(4.0)
    mean = h / -math.expm1(-rate * h) - 1 / rate  # of x exp(rate x) over [0, h]
    back = math.log(2.0 / 5.0)
    assert sum(shares) == pytest.approx(1.0)
    assert shares[1] * back == pytest.approx(mean)
