"""The shared update against the published steps that it claims to be, in x and with y."""

import math

import pytest
import torch

from diffaudio.process import OUVE, VE, FlowSE, RectifiedFlow, SchroedingerBridgeVE
from diffaudio.solve import DDIM, Problem
from diffaudio.solve.update import held_noise, update

PATHS = [VE(), RectifiedFlow(), FlowSE(), OUVE(), SchroedingerBridgeVE()]
TIMES = torch.tensor([0.7, 0.4], dtype=torch.float64)


def states(n):
    torch.manual_seed(0)
    return torch.randn(n, 1, 1, 2, 5, dtype=torch.float64)


def reference_variance(t):
    """r(t) of the bridge's paper, with its k and c."""
    return 0.4 * (2.6 ** (2 * t) - 1) / (2 * math.log(2.6))


def step(path, times, x, y, estimate, draw, eta):
    """One step of DDIM, which is one update, in x."""
    now, then = path.at(times).knots()
    solver = DDIM(eta, noisy_start=False)
    problem = Problem(lambda z, at: estimate, path, lambda: draw, 9)
    z, _ = solver.step(problem, x - now.mean * y, now, then, ())
    return z + then.mean * y


@pytest.mark.parametrize("start", [0.7, 1.0])
def test_bridge_sde_step_is_eta_1(start):
    """Jukic et al., 2024: x' = (r'/r) x + (1 - r'/r) D + sqrt(r' (1 - r'/r)) noise."""
    x, y, estimate, draw = states(4)
    if start == 1.0:
        x = y
    ratio = reference_variance(0.4) / reference_variance(start)
    spread = math.sqrt(reference_variance(0.4) * (1 - ratio))
    published = ratio * x + (1 - ratio) * estimate + spread * draw
    times = torch.tensor([start, 0.4], dtype=torch.float64)
    ours = step(SchroedingerBridgeVE(), times, x, y, estimate, draw, 1.0)
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-12)


def test_bridge_ode_step_is_eta_0():
    """Jukic et al., 2024, with r at t, q = R - r, and a dash at the next time."""
    x, y, estimate, draw = states(4)
    r, r_next, whole = (reference_variance(t) for t in (0.7, 0.4, 1.0))
    q, q_next = whole - r, whole - r_next
    published = (
        math.sqrt(r_next * q_next / (r * q)) * x
        + (q_next - math.sqrt(q * r_next * q_next / r)) / whole * estimate
        + (r_next - math.sqrt(r * r_next * q_next / q)) / whole * y
    )
    ours = step(SchroedingerBridgeVE(), TIMES, x, y, estimate, draw, 0.0)
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-12)


def test_first_step_of_the_bridge_ode_is_the_limit_of_the_published_one():
    """From x = y at t = 1: the next mean, without noise."""
    y, estimate, draw = states(3)
    times = torch.tensor([1.0, 0.4], dtype=torch.float64)
    share = reference_variance(0.4) / reference_variance(1.0)
    ours = step(SchroedingerBridgeVE(), times, y, y, estimate, draw, 0.0)
    torch.testing.assert_close(ours, (1 - share) * estimate + share * y, rtol=0, atol=1e-12)


def test_eta_1_is_ddpm_ancestral():
    """Ho et al., 2020, eqs. 6 and 7, written with a = alpha^2 on a variance-preserving path."""
    alpha_sq = torch.tensor([0.3, 0.6], dtype=torch.float64)
    path_like = VE().at(((1 - alpha_sq) / alpha_sq).sqrt())  # the same path, divided by alpha
    now, then = path_like.knots()
    x, estimate, draw = states(3)
    beta = 1 - alpha_sq[0] / alpha_sq[1]
    mean = (
        alpha_sq[1].sqrt() * beta / (1 - alpha_sq[0]) * estimate
        + (1 - beta).sqrt() * (1 - alpha_sq[1]) / (1 - alpha_sq[0]) * x
    )
    published = mean + ((1 - alpha_sq[1]) / (1 - alpha_sq[0]) * beta).sqrt() * draw
    eps = now.eps(x / alpha_sq[0].sqrt(), estimate)
    ours = update(estimate, eps, now, then, lambda: draw, eta=1.0) * alpha_sq[1].sqrt()
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-12)


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_update_moves_exactly_along_the_path_of_a_known_x0(path, eta):
    """Kept and fresh noise share the next knot's variance."""
    x0, eps, draw = states(3)
    now, then = path.at(TIMES).knots()
    moved = update(x0, eps, now, then, lambda: draw, eta=eta) - then.alpha * x0
    fresh = update(0 * x0, 0 * eps, now, then, lambda: torch.ones_like(eps), eta=eta)
    kept = update(0 * x0, torch.ones_like(eps), now, then, lambda: 0 * eps, eta=eta)
    torch.testing.assert_close(kept**2 + fresh**2, (then.sigma**2).expand_as(kept))
    torch.testing.assert_close(moved, kept * eps + fresh * draw)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_eta_1_is_the_posterior_of_the_path(path):
    """z' given z and x_0, from the joint normal: variance S^2 (1 - (S alpha / (A sigma))^2)."""
    x0, z, draw = states(3)
    now, then = path.at(TIMES).knots()
    # the path as a chain: z_t = (alpha / A) z_u + the noise that is left
    forward = now.alpha / then.alpha
    left = now.sigma**2 - (forward * then.sigma) ** 2
    gain = forward * then.sigma**2 / now.sigma**2
    mean = then.alpha * x0 + gain * (z - now.alpha * x0)
    variance = then.sigma**2 * left / now.sigma**2
    ours = update(x0, now.eps(z, x0), now, then, lambda: draw, eta=1.0)
    torch.testing.assert_close(ours, mean + variance.sqrt() * draw, rtol=0, atol=1e-12)


def test_held_noise_where_there_is_none():
    z, x0, draw = states(3)
    last = SchroedingerBridgeVE().at(torch.ones(1, dtype=torch.float64)).knots()[0]
    assert held_noise(z, x0, last, lambda: draw, noisy_start=True) is draw
    assert (held_noise(z, x0, last, lambda: draw, noisy_start=False) == 0).all()


def test_eta_0_draws_nothing():
    x0, eps = states(2)
    now, then = OUVE().at(TIMES).knots()

    def noise():
        raise AssertionError("a draw that nobody needs")

    torch.testing.assert_close(update(x0, eps, now, then, noise), then.z(x0, eps))
