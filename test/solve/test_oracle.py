"""Solvers against a problem whose answer is known: x_0 given y is N(m(y), s^2).

Then the best denoiser, the probability flow and every marginal have closed forms. Deterministic
solvers must show their order of convergence, stochastic ones the moments, on every path and grid.
"""

import math

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import OUVE, VE, FlowSE, RectifiedFlow, SchroedingerBridgeVE
from diffaudio.solve import (
    DDIM,
    DPMpp2M,
    Euler,
    Heun,
    KarrasGrid,
    LogSNRGrid,
    PredictorCorrector,
    Sampler,
    UniformGrid,
)

STD = 0.3
Y = torch.linspace(-1.5, 2.0, 12, dtype=torch.float64).reshape(1, 2, 2, 3)
MEAN = 0.4 * Y + 0.2
EPS = torch.cos(7.0 * Y)  # the one draw of noise of the deterministic tests

BRIDGE, OPEN_BRIDGE = SchroedingerBridgeVE(), SchroedingerBridgeVE(t_max=0.98)
PATHS = [VE(), RectifiedFlow(), RectifiedFlow(0.01), FlowSE(), OUVE(), BRIDGE, OPEN_BRIDGE]
GRIDS = [UniformGrid(t_last=0.05), KarrasGrid(sigma_min=0.01), LogSNRGrid(sigma_min=0.01)]
SOLVERS = [DDIM(), Euler(), Heun(), DPMpp2M()]

REFUSED = {  # a bridge that starts at y itself: alpha = sigma = 0 and sigma' = -inf
    (BRIDGE, Euler()),
    (BRIDGE, Heun()),
}
LOWER_ORDER = {  # (path, grid, solver): order, and why
    # The first step from the Dirac at y is of first order whatever the solver: it misses
    # alpha^2 s^2 / (2 sigma^2) of the spread, which is of the size of the first step in t. (On the
    # other grids the first step reaches a fixed noise level, so this share does not depend on n.)
    (BRIDGE, GRIDS[0], DPMpp2M()): 1,
}
SHORTER = {  # equal steps in sigma: below 80 / s of them nothing is resolved, so start from 3
    (VE(), GRIDS[0]): VE(t_max=3.0),
}


def spread(path, t):
    """Return the standard deviation of z at t."""
    return torch.sqrt((path.alpha(t) * STD) ** 2 + path.sigma(t) ** 2)


def oracle(path, mean=MEAN):
    """Return the best denoiser."""

    def denoise(z, t):
        alpha, std = path.alpha(t), spread(path, t)
        gain = alpha * STD**2 / std**2 if std > 0 else 0.0
        return mean + gain * (z - alpha * mean)

    return denoise


def flow(path, t):
    """Return where the probability flow carries the start with noise EPS to."""
    end = torch.tensor(path.t_max, dtype=torch.float64)
    alpha, std = path.alpha(end), spread(path, end)
    place = (path.start(EPS, Y) - alpha * MEAN) / std if std > 0 else EPS
    return path.alpha(t) * MEAN + spread(path, t) * place


def error(path, grid, solver, steps):
    """Return the largest error of the result after so many steps."""
    calls = (2 if isinstance(solver, Heun) else 1) * steps + 1
    result = Sampler(solver, grid, calls)(oracle(path), path, Y, lambda: EPS)
    last = grid.times(path, steps + 1)[-1]
    return (result - oracle(path)(flow(path, last), last)).abs().max().item()


def order(errors):
    """Return the slope over a doubling of the steps."""
    return math.log2(errors[0] / errors[1])


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_order_of_convergence(path, grid, solver):
    if (path, solver) in REFUSED:
        with pytest.raises(Refusal, match="sigma' is nan"):
            error(path, grid, solver, 4)
        return
    wanted = LOWER_ORDER.get((path, grid, solver), solver.order)
    path = SHORTER.get((path, grid), path)
    errors = [error(path, grid, solver, steps) for steps in (48, 96)]
    assert errors[1] < 0.07
    assert order(errors) == pytest.approx(wanted, abs=0.25)


@pytest.mark.parametrize("calls", [24, 25])
def test_heun_spends_even_budgets_at_its_order(calls):
    path = RectifiedFlow()
    errors = []
    for n in (calls, 2 * calls, 4 * calls):
        result = Sampler(Heun(), UniformGrid(), n)(oracle(path), path, Y, lambda: EPS)
        errors.append((result - flow(path, torch.zeros(()).double())).abs().max().item())
    assert order(errors[1:]) == pytest.approx(2, abs=0.25)


@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_the_default_grid_ends_at_x0_itself(solver):
    """No rest of noise: with more calls the result goes to the flow's end at t = 0."""
    path = RectifiedFlow()
    clean = flow(path, torch.zeros(()).double())
    error = [
        (Sampler(solver, UniformGrid(), n)(oracle(path), path, Y, lambda: EPS) - clean).abs().max()
        for n in (40, 160)
    ]
    assert error[0] / error[1] > 3


def moments(path, grid, solver, calls):
    """Return mean and standard deviation of the result, exactly.

    The oracle makes the result an affine function of all draws of noise. So give element k of the
    state an impulse at draw k and nothing else, and the last element nothing: the last is the
    mean, and the others' distances from it are the gains of the draws.
    """
    end = torch.tensor(path.t_max, dtype=torch.float64)
    draws = []

    def noise():
        impulse = torch.zeros(1, 1, 1, 2 * calls + 2, dtype=torch.float64)
        # the start is alpha m + sigma eps: lift its spread to the marginal's
        at_start = not draws and path.sigma(end) > 0
        impulse[..., len(draws)] = spread(path, end) / path.sigma(end) if at_start else 1.0
        draws.append(1)
        return impulse

    m = torch.full((1, 1, 1, 2 * calls + 2), 0.75, dtype=torch.float64)
    result = Sampler(solver, grid, calls)(oracle(path, m), path, m, noise).flatten()
    return result[-1] - 0.75, torch.linalg.vector_norm(result - result[-1])


def denoised_spread(path, t):
    """Return the standard deviation of the best estimate at t."""
    return path.alpha(t) * STD**2 / spread(path, t)


MOMENT_GRIDS = [
    (VE(), KarrasGrid()),
    (VE(), LogSNRGrid()),
    (RectifiedFlow(), UniformGrid(t_last=0.02)),
    (RectifiedFlow(), LogSNRGrid()),
    (FlowSE(), UniformGrid(t_last=0.05)),
    (FlowSE(), KarrasGrid()),
    (OUVE(), UniformGrid(t_last=0.03)),
    (OUVE(), LogSNRGrid()),
    (BRIDGE, UniformGrid(t_last=0.02)),
    (BRIDGE, LogSNRGrid(sigma_min=0.02)),
]


@pytest.mark.parametrize(("path", "grid"), MOMENT_GRIDS, ids=str)
@pytest.mark.parametrize("solver", [DDIM(), DDIM(0.5), DDIM(1.0)], ids=str)
def test_moments_of_ddim_converge_at_first_order(path, grid, solver):
    errors = []
    for steps in (32, 64):
        mean, std = moments(path, grid, solver, steps + 1)
        assert abs(mean) < 1e-9  # exact at any number of steps
        last = grid.times(path, steps + 1)[-1]
        errors.append(abs(std - denoised_spread(path, last)).item())
    assert errors[1] < 0.03
    assert order(errors) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(("path", "grid"), [MOMENT_GRIDS[0], MOMENT_GRIDS[6]], ids=str)
def test_moments_of_the_predictor_converge_at_first_order(path, grid):
    """The last prediction is affine, z + (g^2 score - f z) t: its moments have a closed form."""
    errors = []
    for steps in (64, 128):
        mean, std = moments(path, grid, PredictorCorrector(corrector_steps=0), steps + 1)
        at = path.at(grid.times(path, steps + 1)[-1])
        gain = 1 - (at.diffusion_squared / spread(path, at.t) ** 2 + at.drift) * at.t
        right_mean = 0.75 * at.alpha * (1 - at.drift * at.t)
        errors.append(abs(std - gain * spread(path, at.t)).item())
        assert abs(mean + 0.75 - right_mean) < 1 / steps
    assert order(errors) == pytest.approx(1, abs=0.25)


def test_sgmse_settings_give_the_right_spread():
    """60 calls, snr 0.5: within 2 % of x_0's spread, though corrector and steps are large."""
    mean, std = moments(OUVE(), UniformGrid(t_last=0.03), PredictorCorrector(), 60)
    assert abs(mean) < 0.02
    assert std == pytest.approx(STD, rel=0.02)


@pytest.mark.parametrize("solver", [DDIM(), DPMpp2M()], ids=str)
def test_from_a_dirac_only_a_noisy_start_gives_draws_from_the_posterior(solver):
    """Without noise the result is the posterior's mean: no spread at all. Hence the default."""
    grid = UniformGrid()
    mean, std = moments(BRIDGE, grid, solver, 33)
    assert abs(mean) < 1e-12
    assert std == pytest.approx(STD, rel=0.1)
    mean, std = moments(BRIDGE, grid, type(solver)(noisy_start=False), 33)
    assert abs(mean) < 1e-12
    assert std == 0
