"""Paths to y against their papers, in x and with y."""

import math

import pytest
import torch

from diffaudio.process import (
    BBED,
    OUVE,
    FlowSE,
    GradTTS,
    SchroedingerBridgeVE,
    SchroedingerBridgeVP,
)

T = torch.tensor([0.05, 0.3, 0.8], dtype=torch.float64)


def states(n):
    torch.manual_seed(0)
    return torch.randn(n, 1, 1, 1, 3, dtype=torch.float64)


def slope(function, t):
    return torch.func.jvp(function, (t,), (torch.ones_like(t),))[1]


def test_flowse_moves_at_constant_velocity():
    """The velocity in x is y - x_0 + sigma_max eps at every time."""
    path, (x0, y, eps) = FlowSE(), states(3)
    at = path.at(T)
    v = at.velocity(at.z(x0, eps), x0) + slope(path.mean, T) * y
    torch.testing.assert_close(v, (y - x0 + 0.487 * eps).expand_as(v), rtol=1e-12, atol=1e-12)


def test_ouve_sigma_solves_its_diffusion():
    """g is the paper's: sigma_min (sigma_max / sigma_min)^t sqrt(2 log(sigma_max / sigma_min))."""
    growth = math.log(10.0)
    g = 0.05 * 10.0**T * math.sqrt(2 * growth)
    torch.testing.assert_close(OUVE().at(T).diffusion_squared, g**2, rtol=1e-12, atol=0)


def test_ouve_probability_flow_is_the_published_one():
    """dx/dt = stiffness (y - x) - g^2 score / 2, with score = -eps_hat / sigma."""
    path, (x, y, estimate) = OUVE(), states(3)
    at = path.at(T)
    z = x - at.mean * y
    g2 = 2 * math.log(10.0) * (0.05 * 10.0**T) ** 2
    published = 1.5 * (y - x) + 0.5 * g2 * at.eps(z, estimate) / at.sigma
    ours = at.velocity(z, estimate) + slope(path.mean, T) * y
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-12)


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


def test_grad_tts_solves_its_diffusion():
    """dx = (mu - x) beta / 2 dt + sqrt(beta) dw, Popov et al., eq. 1 with unit covariance."""
    path, beta = GradTTS(), 0.05 + 19.95 * T
    at = path.at(T)
    torch.testing.assert_close(at.diffusion_squared, beta)
    torch.testing.assert_close(at.drift, -0.5 * beta)
    torch.testing.assert_close(slope(path.mean, T), 0.5 * beta * (1 - path.mean(T)))


def test_bbed_solves_its_diffusion():
    """dx = (y - x) / (1 - t) dt + sqrt(c) k^t dw."""
    path = BBED(k=2.6, c=0.51, t_min=0.0)
    at = path.at(T)
    torch.testing.assert_close(at.drift, -1 / (1 - T))
    torch.testing.assert_close(at.diffusion_squared, 0.51 * 2.6 ** (2 * T), rtol=1e-10, atol=0)
    torch.testing.assert_close(slope(path.mean, T), torch.ones_like(T))
    assert path.sigma(torch.zeros(())) == 0


def test_bbed_without_growth_is_a_brownian_bridge():
    path = BBED(k=1.0 + 1e-9, c=0.5)
    torch.testing.assert_close(path.sigma(T) ** 2, 0.5 * T * (1 - T), rtol=1e-6, atol=0)


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
