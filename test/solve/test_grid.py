"""Grids: one convention of ends, the published spacings, and refusals."""

import math

import pytest
import torch
from family import PATHS

from diffaudio.log import Refusal
from diffaudio.process import (
    OUVE,
    VE,
    VP,
    RectifiedFlow,
)
from diffaudio.solve import KarrasGrid, LogSNRGrid, PathGrid, ShiftGrid, SwayGrid, UniformGrid

GRIDS = [
    UniformGrid(),
    KarrasGrid(),
    LogSNRGrid(),
    ShiftGrid(3.0),
    ShiftGrid(0.5),
    SwayGrid(-1.0),
    SwayGrid(1.0),
    PathGrid(VP()),
    PathGrid(RectifiedFlow()),
    PathGrid(RectifiedFlow(), finer_from=10),
]


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("n", [1, 2, 3, 30])
def test_n_knots_fall_from_t_max_and_stay_above_zero(path, grid, n):
    times = grid.times(path, n)
    assert times.shape == (n,)
    assert times.dtype == torch.float64
    assert times[0] == path.t_max
    assert (times.diff() < 0).all()
    assert times[-1] > 0
    assert times[-1] >= path.t_min - 1e-12


def test_uniform_ends_one_step_above_zero_unless_the_network_was_not_trained_there():
    fifths = torch.tensor([1.0, 0.8, 0.6, 0.4, 0.2], dtype=torch.float64)
    torch.testing.assert_close(UniformGrid().times(RectifiedFlow(), 5), fifths)
    assert UniformGrid().times(OUVE(t_min=0.3), 5)[-1] == 0.3


def test_uniform_with_a_last_knot_is_that_of_sgmse():
    times = UniformGrid(t_last=0.03).times(OUVE(), 30)
    torch.testing.assert_close(times, torch.linspace(1, 0.03, 30).double(), rtol=1e-6, atol=0)


def test_karras_on_ve_is_equation_5():
    times = KarrasGrid().times(VE(), 18)
    i = torch.arange(18, dtype=torch.float64) / 17
    published = (80 ** (1 / 7) + i * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    torch.testing.assert_close(times, published, rtol=1e-9, atol=1e-12)


def test_log_snr_steps_are_equal_where_the_path_is_within_the_range():
    for path in (VE(), OUVE()):
        steps = path.log_snr(LogSNRGrid().times(path, 12)).diff()
        torch.testing.assert_close(steps, steps.mean().expand(11), rtol=1e-8, atol=0)


@pytest.mark.parametrize("grid", [KarrasGrid(3.0, 0.01, 5.0), LogSNRGrid(0.01, 5.0)], ids=str)
def test_ranges_hold_on_every_path_but_for_the_first_knot(grid):
    for path in PATHS:
        times = grid.times(path, 10)
        level = torch.exp(-path.log_snr(times[1:]))
        least = torch.exp(-path.log_snr(torch.tensor(path.t_min, dtype=torch.float64)))
        assert level.max() < 5.0
        assert level[-1].item() == pytest.approx(max(0.01, least.item()))


@pytest.mark.parametrize("t_last", [0.0, 0.01, 1.0, 1.5, float("nan")])
def test_a_last_knot_off_the_path_is_refused(t_last):
    with pytest.raises(Refusal, match="t_last = .* is outside OUVE") as refused:
        UniformGrid(t_last=t_last).times(OUVE(), 5)
    assert "0.03" in refused.value.mend


def test_a_last_knot_at_zero_is_refused_though_the_path_goes_there():
    with pytest.raises(Refusal, match="t_last = 0 "):
        UniformGrid(t_last=0.0).times(RectifiedFlow(), 5)


@pytest.mark.parametrize(
    ("grid", "path"),
    [
        (KarrasGrid(sigma_min=2.0, sigma_max=1.0), OUVE()),
        (LogSNRGrid(sigma_min=5.0), OUVE()),
        (LogSNRGrid(sigma_min=0.0), RectifiedFlow()),
        (LogSNRGrid(sigma_max=-1.0), VE()),
    ],
    ids=str,
)
def test_a_range_that_the_path_does_not_have_is_refused(grid, path):
    with pytest.raises(Refusal, match="no knots on .* where sigma / alpha is") as refused:
        grid.times(path, 5)
    assert type(path).__name__ in str(refused.value)


def test_shift_is_equation_23():
    """t' = m t / (1 + (m - 1) t): log-SNR falls by 2 log m everywhere on rectified flow."""
    path, u = RectifiedFlow(), torch.arange(8, 0, -1, dtype=torch.float64) / 8
    times = ShiftGrid(3.0).times(path, 8)
    torch.testing.assert_close(times, 3 * u / (1 + 2 * u))
    torch.testing.assert_close(path.log_snr(times[1:]), path.log_snr(u[1:]) - math.log(3.0))


def test_sway_is_the_published_one_with_time_turned_round():
    flow = torch.arange(8, dtype=torch.float64) / 8  # 0 is noise there
    published = flow - (torch.cos(math.pi / 2 * flow) - 1 + flow)
    torch.testing.assert_close(SwayGrid(-1.0).times(RectifiedFlow(), 8), 1 - published)


def test_a_path_s_grid_on_itself_is_uniform_and_elsewhere_has_its_noise_levels():
    for other in (VP(), RectifiedFlow(0.01)):
        own = UniformGrid().times(other, 9)
        torch.testing.assert_close(PathGrid(other).times(other, 9), own, rtol=1e-9, atol=1e-12)
    path = VE(t_max=VP().sigma(torch.ones(())).item() / VP().alpha(torch.ones(())).item())
    levels = path.log_snr(PathGrid(VP()).times(path, 9))
    published = VP().log_snr(torch.linspace(1, 1 / 9, 9, dtype=torch.float64))
    torch.testing.assert_close(levels, published, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "wrong", [lambda: ShiftGrid(0.0), lambda: SwayGrid(-1.1), lambda: SwayGrid(2.0)]
)
def test_warps_that_turn_time_round_are_refused(wrong):
    with pytest.raises(Refusal, match="shift|sway"):
        wrong()


@pytest.mark.parametrize(("n", "last"), [(5, 1 / 5), (10, 1 / 10), (20, 10 / 400), (100, 10 / 1e4)])
def test_with_many_calls_the_last_knot_falls_as_their_square(n, last):
    times = PathGrid(RectifiedFlow(), finer_from=10).times(RectifiedFlow(), n)
    torch.testing.assert_close(times, torch.linspace(1, last, n, dtype=torch.float64))
