"""VE, VP, cosine and rectified flow against what their papers state."""

import math

import torch

from diffaudio.process import VE, VP, Cosine, RectifiedFlow

T = torch.tensor([0.05, 0.3, 0.8], dtype=torch.float64)


def test_ve_measures_time_in_noise():
    path = VE()
    assert (path.alpha(T) == 1).all()
    assert (path.sigma(T) == T).all()
    torch.testing.assert_close(path.clock(T), T.log() / 4)
    torch.testing.assert_close(path.at(T).diffusion_squared, 2 * T)  # g^2 = d sigma^2 / dt


def test_rectified_flow_moves_at_constant_velocity():
    for sigma_min in (0.0, 0.01):
        at = RectifiedFlow(sigma_min).at(T)
        torch.testing.assert_close(at.d_alpha, -torch.ones_like(T))
        torch.testing.assert_close(at.d_sigma, torch.full_like(T, 1 - sigma_min))
    torch.testing.assert_close(RectifiedFlow().at(T).diffusion_squared, 2 * T / (1 - T))


def test_rectified_flow_keeps_sigma_min_at_the_clean_end():
    assert RectifiedFlow(0.01).sigma(torch.zeros(())) == torch.tensor(0.01)
    assert RectifiedFlow(0.01).sigma(torch.ones(())) == 1


def test_vp_is_the_limit_of_the_discrete_chain():
    """Ho et al.: x_i = sqrt(1 - b_i) x_(i-1) + sqrt(b_i) noise, with b_i = beta(i / n) / n."""
    n = 100_000
    times = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    kept = torch.cumprod(1 - (0.1 + 19.9 * times) / n, 0)
    ends = (T * n).long() - 1
    at = VP().at(T)
    torch.testing.assert_close(at.alpha**2, kept[ends], rtol=1e-3, atol=0)
    torch.testing.assert_close(at.sigma**2, 1 - kept[ends], rtol=1e-3, atol=0)
    torch.testing.assert_close(at.diffusion_squared, 0.1 + 19.9 * T)
    torch.testing.assert_close(at.drift, -0.5 * (0.1 + 19.9 * T))


def test_cosine_is_a_quarter_of_a_circle():
    at = Cosine().at(T)
    torch.testing.assert_close(at.alpha, torch.cos(0.5 * math.pi * T))
    torch.testing.assert_close(at.sigma, torch.sin(0.5 * math.pi * T))
    torch.testing.assert_close(at.d_alpha, -0.5 * math.pi * at.sigma)


def test_shift_moves_log_snr_and_nothing_else():
    at, shifted = Cosine().at(T), Cosine(shift=-0.7).at(T)
    torch.testing.assert_close(shifted.log_snr, at.log_snr - 0.7)
    torch.testing.assert_close(shifted.alpha**2 + shifted.sigma**2, torch.ones_like(T))
    assert (shifted.sigma > at.sigma).all()
