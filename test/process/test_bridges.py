"""Schroedinger bridges against their papers."""

import math

import pytest
import torch

from diffaudio.process import SchroedingerBridgeVE, SchroedingerBridgeVP

T = torch.tensor([0.05, 0.3, 0.8], dtype=torch.float64)


def test_bridge_is_the_published_marginal():
    path = SchroedingerBridgeVE()
    reference = lambda t: 0.4 * (2.6 ** (2 * t) - 1) / (2 * math.log(2.6))  # noqa: E731
    r, whole = reference(T), reference(1.0)
    torch.testing.assert_close(path.alpha(T), (whole - r) / whole)
    torch.testing.assert_close(path.mean(T), r / whole)
    torch.testing.assert_close(path.sigma(T) ** 2, r * (whole - r) / whole)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bridge_ends_are_exact(dtype):
    path, (start, end) = SchroedingerBridgeVE(), torch.tensor([0.0, 1.0], dtype=dtype)
    assert (path.alpha(start), path.mean(start), path.sigma(start)) == (1, 0, 0)
    assert (path.alpha(end), path.mean(end), path.sigma(end)) == (0, 1, 0)
    assert path.log_snr(start) == math.inf
    assert path.log_snr(end) == -math.inf


def test_bridge_loses_no_digits_near_its_end():
    """Single precision agrees with double where 1 - alpha and 1 - mean would cancel."""
    t = 1 - torch.logspace(-6, -1, 6)
    path = SchroedingerBridgeVE()
    for function in (path.alpha, path.sigma, path.log_snr):
        torch.testing.assert_close(function(t), function(t.double()).float(), rtol=2e-6, atol=0)


def test_vp_bridge_is_the_published_marginal():
    """With the reference's variance over a^2 gathered by numbers, not by a formula."""
    path, n = SchroedingerBridgeVP(), 200_000
    times = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    rate = 0.01 + 19.99 * times
    decay = torch.exp(-0.5 * torch.cumsum(rate, 0) / n)
    gathered = torch.cumsum(0.3 * rate / decay**2, 0) / n
    at, places = path.at(T), (T * n).long() - 1
    a, r, whole = decay[places], gathered[places], gathered[-1]
    torch.testing.assert_close(at.alpha, a * (whole - r) / whole, rtol=1e-3, atol=0)
    torch.testing.assert_close(at.mean, a / decay[-1] * r / whole, rtol=1e-3, atol=0)
    torch.testing.assert_close(at.sigma**2, a**2 * r * (whole - r) / whole, rtol=1e-3, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_vp_bridge_ends_are_exact(dtype):
    path, (start, end) = SchroedingerBridgeVP(), torch.tensor([0.0, 1.0], dtype=dtype)
    assert (path.alpha(start), path.mean(start), path.sigma(start)) == (1, 0, 0)
    assert (path.alpha(end), path.mean(end), path.sigma(end)) == (0, 1, 0)
    assert path.log_snr(end) == -math.inf
