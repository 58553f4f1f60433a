"""Targets: round trips on every path, the published coefficients, and refused pairs."""

import pytest
import torch
from family import PATHS, TARGETS

from diffaudio.log import Refusal
from diffaudio.process import (
    EDM,
    VE,
    X0,
    Cosine,
    Epsilon,
    FlowSE,
    RectifiedFlow,
    SchroedingerBridgeVE,
    SchroedingerBridgeVP,
    Velocity,
    check_pair,
)


def draw(path, n=5):
    torch.manual_seed(1)
    low = max(path.t_min, 0.02 * path.t_max)
    t = torch.linspace(low, 0.98 * path.t_max, n, dtype=torch.float64).reshape(-1, 1, 1, 1)
    x0, eps = torch.randn(2, n, 2, 3, 4, dtype=torch.float64)
    return path.at(t), x0, eps


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_the_right_answer_gives_the_clean_state(path, target):
    m, x0, eps = draw(path)
    answer = target.of(x0, eps, m)
    torch.testing.assert_close(target.x0(m.z(x0, eps), answer, m), x0, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_rows_say_what_their_names_say(path):
    m, x0, eps = draw(path)
    torch.testing.assert_close(X0().of(x0, eps, m), x0)
    torch.testing.assert_close(Epsilon().of(x0, eps, m), eps)
    torch.testing.assert_close(Velocity().of(x0, eps, m), m.velocity(m.z(x0, eps), x0))


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_edm_input_and_answer_have_unit_variance(path):
    """For x_0 of variance sigma_data^2, in closed form: the shares' squares add up."""
    target = EDM(0.3)
    m, _, _ = draw(path)
    p, q = target.row(m)
    torch.testing.assert_close((0.3 * p) ** 2 + q**2, torch.ones_like(p))
    torch.testing.assert_close(
        target.c_in(m) ** 2 * ((0.3 * m.alpha) ** 2 + m.sigma**2), torch.ones_like(p)
    )
    # the answer is uncorrelated with the input: nothing in it could be skipped instead
    torch.testing.assert_close(p * m.alpha * 0.09 + q * m.sigma, torch.zeros_like(p))


def test_edm_on_ve_is_table_1_of_the_paper():
    target, (m, _, _) = EDM(0.5), draw(VE())
    c_skip, c_out = target.coefficients(m)
    total = m.t**2 + 0.25
    torch.testing.assert_close(c_skip, 0.25 / total)
    torch.testing.assert_close(c_out, m.t * 0.5 / total.sqrt())
    torch.testing.assert_close(target.c_in(m), 1 / total.sqrt())


def test_edm_of_unit_data_on_a_circle_is_minus_v():
    m, x0, eps = draw(Cosine())
    v = m.alpha * eps - m.sigma * x0
    torch.testing.assert_close(EDM(1.0).of(x0, eps, m), -v)


def test_velocity_on_rectified_flow_is_noise_minus_data_also_at_both_ends():
    m = RectifiedFlow().at(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64).reshape(-1, 1, 1, 1))
    x0, eps = torch.randn(2, 3, 1, 1, 4, dtype=torch.float64)
    torch.testing.assert_close(Velocity().of(x0, eps, m), eps - x0)
    torch.testing.assert_close(Velocity().x0(m.z(x0, eps), eps - x0, m), x0)


@pytest.mark.parametrize("target", [X0(0.3), Epsilon(0.3), Velocity(0.3)], ids=str)
def test_c_in_of_the_others_is_that_of_the_noisier_of_clean_state_and_noise(target):
    """1 / sqrt(sigma_data^2 + sigma^2), finite at a bridge's ends, where z has no variance."""
    at = SchroedingerBridgeVE().at(torch.tensor([0.3, 1.0], dtype=torch.float64))
    torch.testing.assert_close(target.c_in(at), (0.09 + at.sigma**2) ** -0.5)


# alpha = 0 at t = 1: no eps; there a bridge has sigma = 0 and sigma' = -inf: no velocity, no EDM
SINGULAR = {
    (RectifiedFlow(), Epsilon()),
    (RectifiedFlow(0.01), Epsilon()),
    (FlowSE(), Epsilon()),
    (SchroedingerBridgeVE(), Epsilon()),
    (SchroedingerBridgeVE(), Velocity()),
    (SchroedingerBridgeVE(), EDM(0.3)),
    (SchroedingerBridgeVP(), Epsilon()),
    (SchroedingerBridgeVP(), Velocity()),
    (SchroedingerBridgeVP(), EDM(0.3)),
}


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_singular_pairs_are_refused_by_name_and_no_others(path, target):
    if (path, target) not in SINGULAR:
        check_pair(path, target)
        return
    with pytest.raises(Refusal) as refused:
        check_pair(path, target)
    message = str(refused.value)
    assert type(path).__name__ in message
    assert type(target).__name__ in message
    assert "t = 1: " in message
    assert "lower t_max" in message


@pytest.mark.parametrize(("path", "target"), sorted(SINGULAR, key=str), ids=str)
def test_the_mend_mends(path, target):
    check_pair(type(path)(t_max=0.999), target)


def test_a_velocity_without_bound_at_the_clean_end_is_refused():
    with pytest.raises(Refusal, match="t = 0: .* is ") as refused:
        check_pair(SchroedingerBridgeVE(t_min=0.0, t_max=0.9), Velocity())
    assert "raise t_min" in refused.value.mend
