"""What every path must keep: derivatives, half-log-SNR and its inverse, diffusion, ends, start."""

import math

import pytest
import torch
from family import PATHS, noise_end

from diffaudio.log import Refusal
from diffaudio.process import (
    BBED,
    OUVE,
    VE,
    VP,
    Cosine,
    FlowSE,
    RectifiedFlow,
    SchroedingerBridgeVE,
    SchroedingerBridgeVP,
)
from diffaudio.process.path import refuse_singular


def inside(path, n=9):
    """Return n times well inside the path."""
    low, high = max(path.t_min, 0.01 * path.t_max), 0.99 * path.t_max
    return torch.linspace(low, high, n, dtype=torch.float64)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_derivatives_are_those_of_alpha_and_sigma(path):
    t, h = inside(path), 1e-6
    at = path.at(t)
    for function, derivative in ((path.alpha, at.d_alpha), (path.sigma, at.d_sigma)):
        torch.testing.assert_close((function(t + h) - function(t - h)) / (2 * h), derivative,
                                   rtol=1e-7, atol=1e-7)  # fmt: skip


@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_derivatives_do_not_vanish_where_torch_records_nothing(context):
    with context():
        at = OUVE().at(torch.tensor([0.2, 0.9], dtype=torch.float64))
        assert (at.d_sigma.abs() > 0.1).all()
        assert not at.d_sigma.requires_grad


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_log_snr_falls_and_time_of_inverts_it(path):
    t = inside(path)
    log_snr = path.log_snr(t)
    torch.testing.assert_close(log_snr, torch.log(path.alpha(t)) - torch.log(path.sigma(t)))
    assert (log_snr.diff() < 0).all()
    torch.testing.assert_close(path.time_of(log_snr), t, rtol=1e-11, atol=1e-13)


def test_time_of_stays_on_the_path():
    beyond = torch.tensor([-1e3, 1e3], dtype=torch.float64)
    torch.testing.assert_close(VE().time_of(beyond), torch.tensor([80.0, 0.002]).double())


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_precision_and_shape_follow_the_times(path):
    for shape, dtype in (((3,), torch.float32), ((2, 1, 1, 1), torch.float64), ((), torch.float64)):
        t = torch.full(shape, 0.5, dtype=dtype)
        at = path.at(t)
        assert {(x.shape, x.dtype) for x in at} == {(t.shape, dtype)}
        assert path.clock(t).dtype == dtype


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_clean_at_zero_and_all_of_y_or_none(path):
    zero = torch.zeros((), dtype=torch.float64)
    assert path.alpha(zero) == 1
    assert path.mean(zero) == 0
    t = inside(path)
    whole = path.alpha(t) + path.mean(t)
    if isinstance(path, SchroedingerBridgeVP):  # over a reference that shrinks what it moves
        assert (whole < 1).all()
    elif path.uses_given:  # x moves from x_0 to y: their weights share 1
        torch.testing.assert_close(whole, torch.ones_like(t))
    else:
        assert (path.mean(t) == 0).all()


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_clock_is_of_order_one(path):
    ends = torch.tensor([path.t_min, path.t_max], dtype=torch.float64)
    clock = path.clock(ends)
    assert clock.abs().max() < 2
    assert 0.5 < clock[1] - clock[0] < 3


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_diffusion_has_the_path_as_its_solution(path):
    """Of dz = f z dt + g dw the mean obeys alpha' = f alpha, the variance v' = 2 f v + g^2."""
    t = inside(path)
    at, h = path.at(t), 1e-6
    rate = (path.sigma(t + h) ** 2 - path.sigma(t - h) ** 2) / (2 * h)
    torch.testing.assert_close(2 * at.drift * at.sigma**2 + at.diffusion_squared, rate,
                               rtol=1e-6, atol=1e-6)  # fmt: skip
    torch.testing.assert_close(at.drift * at.alpha, at.d_alpha)
    assert (at.diffusion_squared >= 0).all()


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_velocity_and_eps_are_consistent_with_z(path):
    torch.manual_seed(0)
    x0, noise = torch.randn(2, 2, 1, 3, 4, dtype=torch.float64)
    at = path.at(torch.full((2, 1, 1, 1), 0.4, dtype=torch.float64))
    z = at.z(x0, noise)
    torch.testing.assert_close(at.eps(z, x0), noise)
    torch.testing.assert_close(at.velocity(z, x0), at.d_alpha * x0 + at.d_sigma * noise)


def test_knots_are_the_path_at_single_times():
    at = OUVE().at(torch.tensor([0.9, 0.5], dtype=torch.float64))
    first, second = at.knots()
    assert first.alpha.shape == ()
    assert (first.t, second.t) == (0.9, 0.5)
    assert second.sigma == at.sigma[1]


def test_start_is_the_last_marginal_around_the_guess():
    eps, y = torch.randn(2, 1, 2, 3, 4)
    path = OUVE()
    end = torch.tensor(1.0, dtype=torch.float64)
    x = noise_end(path).start(eps, y) + path.mean(end) * y
    torch.testing.assert_close(x, y + path.sigma(end) * eps)  # the published start, in x
    torch.testing.assert_close(noise_end(path).start(eps, None), path.sigma(end) * eps)
    assert noise_end(path).start(eps, y).dtype == torch.float32
    assert (noise_end(SchroedingerBridgeVE()).start(eps, y) == 0).all()  # x = y, exactly


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: VE(t_min=-1.0),
        lambda: VE(t_min=3.0, t_max=2.0),
        lambda: RectifiedFlow(t_max=1.5),
        lambda: OUVE(sigma_min=0.5, sigma_max=0.05),
        lambda: SchroedingerBridgeVE(t_max=1.01),
        lambda: FlowSE(sigma_max=math.nan),
        lambda: FlowSE(sigma_max=0.0),
        lambda: OUVE(sigma_min=0.0),
        lambda: OUVE(sigma_min=0.5),
        lambda: SchroedingerBridgeVE(k=1.0),
        lambda: SchroedingerBridgeVE(k=-2.0),
        lambda: RectifiedFlow(sigma_min=-0.5),
        lambda: RectifiedFlow(sigma_min=-2.0),
        lambda: VP(beta_min=-1.0),
        lambda: Cosine(t_max=1.2),
        lambda: BBED(t_max=1.1),
        lambda: BBED(c=0.0),
        lambda: SchroedingerBridgeVP(beta_max=-1.0),
    ],
)
def test_ends_that_are_no_paths_are_refused(wrong):
    with pytest.raises(Refusal, match="is no path") as refused:
        wrong()
    assert "t_min" in refused.value.mend


def test_a_singular_number_is_named_with_its_time():
    path = RectifiedFlow()
    early, late = path.at(torch.tensor([0.0, 1.0], dtype=torch.float64)).knots()
    refuse_singular("Part()", path, late, {"sigma": late.sigma})
    with pytest.raises(Refusal, match=r"Part\(\) .*RectifiedFlow.* t = 1: drift is -inf") as end:
        refuse_singular("Part()", path, late, {"drift": late.drift})
    assert "lower t_max" in end.value.mend
    with pytest.raises(Refusal, match="t = 0: ") as start:
        refuse_singular("Part()", path, early, {"1 / sigma": 1 / early.sigma})
    assert "raise t_min" in start.value.mend


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_a_path_may_end_earlier_and_is_the_same_until_there(path):
    middle = 0.5 * (path.t_min + path.t_max)
    shorter, t = path.until(middle), torch.linspace(path.t_min, middle, 5, dtype=torch.float64)
    for one, other in zip(path.at(t)[1:], shorter.at(t)[1:], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    assert shorter.t_max == middle
    for outside in (path.t_min, 1.1 * path.t_max):
        with pytest.raises(Refusal, match=f"start = {outside:g} is outside"):
            path.until(outside)
