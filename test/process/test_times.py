"""Training times: inverse distribution functions, checked against the distributions themselves."""

import pytest
import torch

from diffaudio.process import OUVE, VE, AtEnd, LogitNormal, LogNormal, RectifiedFlow, Uniform

U = torch.linspace(0, 1, 1001, dtype=torch.float64)[:-1]


@pytest.mark.parametrize("path", [VE(), RectifiedFlow(), OUVE()], ids=str)
@pytest.mark.parametrize("times", [Uniform(), LogNormal(), LogitNormal(), AtEnd()], ids=str)
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
