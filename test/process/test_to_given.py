"""Paths to y against their papers, in x and with y."""

import math

import torch

from diffaudio.process import (
    BBED,
    OUVE,
    FlowSE,
    GradTTS,
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
