"""Training times: inverse distribution functions, checked against the distributions themselves."""

import math

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import (
    OUVE,
    VE,
    AtEnd,
    Cosine,
    Laplace,
    LogitNormal,
    LogNormal,
    LogUniform,
    PathTimes,
    Piecewise,
    RectifiedFlow,
    SchroedingerBridgeVE,
    Uniform,
)

U = torch.linspace(0, 1, 1001, dtype=torch.float64)[:-1]


TIMES = [
    Uniform(),
    LogNormal(),
    LogUniform(),
    LogitNormal(),
    Laplace(),
    Laplace(0.5, 0.5),
    PathTimes(Cosine()),
    Piecewise([-3.0, -0.5, 0.0, 2.0], [0.2, 3.0, 1.0]),
    AtEnd(),
]


@pytest.mark.parametrize("path", [VE(), RectifiedFlow(), OUVE(), SchroedingerBridgeVE()], ids=str)
@pytest.mark.parametrize("times", TIMES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_times_rise_with_u_and_stay_on_the_path(path, times, dtype):
    t = times(U.to(dtype), path)
    assert t.dtype == dtype
    assert t.shape == U.shape
    ends = torch.tensor([path.t_min, path.t_max], dtype=dtype)
    assert ends[0] <= t.min()
    assert t.max() <= ends[1]
    assert (t.diff() >= 0).all()


def test_uniform_spans_the_path():
    t = Uniform()(U, OUVE())
    assert t[0] == 0.03
    torch.testing.assert_close(t.diff(), torch.full_like(t[1:], 0.97 / 1000))


def test_log_normal_has_the_normal_s_quantiles_cut_to_the_path():
    path = VE(t_min=0.1, t_max=1.0)
    t = LogNormal(-1.2, 1.2)(U, path)
    place = torch.special.ndtr((torch.log(t) + 1.2) / 1.2)
    low, high = torch.special.ndtr((torch.log(torch.tensor([0.1, 1.0]).double()) + 1.2) / 1.2)
    torch.testing.assert_close((place - low) / (high - low), U)
    assert t[0] == 0.1


def test_log_normal_is_hardly_cut_on_the_default_path():
    middle = LogNormal(-1.2, 1.2)(torch.tensor([0.5], dtype=torch.float64), VE())
    torch.testing.assert_close(middle.log(), torch.tensor([-1.2]).double(), rtol=0, atol=1e-4)


def test_logit_normal_has_the_normal_s_quantiles():
    t = LogitNormal(0.3, 0.8)(U[1:], RectifiedFlow())
    torch.testing.assert_close(torch.special.ndtr((torch.logit(t) - 0.3) / 0.8), U[1:])
    assert LogitNormal()(U, OUVE())[0] == 0.03
    torch.testing.assert_close(LogitNormal()(torch.tensor(0.5), OUVE()), torch.tensor(0.515))


def test_at_end_is_the_end():
    assert (AtEnd()(U, OUVE()) == 1.0).all()


@pytest.mark.parametrize("path", [VE(), Cosine(), RectifiedFlow()], ids=str)
def test_noise_levels_are_drawn_alike_on_every_path(path):
    """The median and the quartiles, where the path's ends cut off next to nothing."""
    quarters = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    level = lambda times: -path.log_snr(times(quarters, path))  # noqa: E731  log(sigma / alpha)
    quartile = 0.6744897501960817  # of the standard normal
    normal = torch.tensor([-1.2 - 1.2 * quartile, -1.2, -1.2 + 1.2 * quartile]).double()
    torch.testing.assert_close(level(LogNormal(-1.2, 1.2)), normal, rtol=0, atol=2e-3)
    half = math.log(2.0)  # a Laplace variable is within its scale times log 2 half of the time
    laplace = torch.tensor([-0.3 - 0.25 * half, -0.3, -0.3 + 0.25 * half]).double()
    torch.testing.assert_close(level(Laplace(0.3, 0.25)), laplace, rtol=0, atol=2e-3)
    uniform = math.log(0.01) + quarters * math.log(100.0)
    torch.testing.assert_close(level(LogUniform(0.01, 1.0)), uniform)


@pytest.mark.parametrize("path", [VE(), Cosine(), RectifiedFlow()], ids=str)
def test_each_piece_is_drawn_by_its_share_and_evenly(path):
    edges, shares = [-2.0, -0.5, 0.0, 1.5], torch.tensor([1.0, 3.0, 4.0], dtype=torch.float64)
    levels = path.log_snr(Piecewise(edges, shares.tolist())(U[1:], path))
    found = torch.histogram(levels, torch.tensor(edges, dtype=torch.float64)).hist / len(levels)
    torch.testing.assert_close(found, shares / 8, rtol=0, atol=2e-3)
    inside = levels[(levels > -2) & (levels < -0.5)]
    assert inside.mean().item() == pytest.approx(-1.25, abs=0.02)
    assert inside.std().item() == pytest.approx(1.5 / 12**0.5, rel=0.02)


def test_pieces_are_cut_to_the_path():
    """Of [-2, 0] with share 1 the path has half, of [0, 1] with share 3 a quarter."""
    path = VE(t_min=math.exp(-0.25), t_max=math.e)
    levels = path.log_snr(Piecewise([-2.0, 0.0, 1.0], [1.0, 3.0])(U, path))
    torch.testing.assert_close(
        levels[[0, -1]], torch.tensor([0.25, -1.0]).double(), atol=3e-3, rtol=0
    )
    assert (levels > 0).double().mean().item() == pytest.approx(0.75 / 1.25, abs=2e-3)


def test_times_of_a_path_on_itself_are_uniform_and_elsewhere_have_its_levels():
    torch.testing.assert_close(PathTimes(Cosine())(U, Cosine()), Uniform()(U, Cosine()))
    path = RectifiedFlow()
    t = PathTimes(Cosine())(U[1:], path)
    torch.testing.assert_close(path.log_snr(t), Cosine().log_snr(Uniform()(U[1:], Cosine())))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: LogNormal(std=0.0),
        lambda: LogitNormal(std=-1.0),
        lambda: Laplace(scale=0.0),
        lambda: LogUniform(0.0, 1.0),
        lambda: LogUniform(2.0, 1.0),
        lambda: Piecewise([0.0, 1.0, 1.0], [1.0, 1.0]),
        lambda: Piecewise([0.0, 1.0, 2.0], [1.0, 0.0]),
    ],
)
def test_distributions_that_are_none_are_refused(wrong):
    with pytest.raises(Refusal, match="is not above 0"):
        wrong()


def test_pieces_and_shares_that_do_not_match_are_refused():
    with pytest.raises(Refusal, match="2 edges around 2 shares"):
        Piecewise([0.0, 1.0], [1.0, 1.0])
