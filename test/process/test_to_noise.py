"""VE and rectified flow against what their papers state."""

import torch

from diffaudio.process import VE, RectifiedFlow

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
