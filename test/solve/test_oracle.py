"""Solvers against a problem whose answer is known: orders of convergence, and moments.

What a single step costs has no exceptions: every deterministic solver on every path. Whole runs
have a first step, which may be of lower order than the rest.
"""

import math

import pytest
import torch
from oracle import (
    EPS,
    PATHS,
    SOLVERS,
    TARGETS,
    Mixture,
    Y,
    error,
    grid_of,
    local_order,
    network,
    order,
)

from diffaudio.log import Refusal
from diffaudio.process import (
    BBED,
    OUVE,
    VE,
    X0,
    FlowSE,
    RectifiedFlow,
    SchroedingerBridgeVE,
    SchroedingerBridgeVP,
    check_pair,
)
from diffaudio.solve import (
    DDIM,
    RK45,
    Ancestral,
    Churn,
    DPMSolverMultistep,
    DPMSolverSinglestep,
    Euler,
    Heun,
    KarrasGrid,
    LogSNRGrid,
    PredictorCorrector,
    Problem,
    Restart,
    Sampler,
    UniformGrid,
    UniPC,
)

STD = 0.3
BRIDGE = SchroedingerBridgeVE()
OFTEN = VE, RectifiedFlow, SchroedingerBridgeVE  # whole runs on these; steps are checked on all
WHOLE = [
    path if isinstance(path, OFTEN) else pytest.param(path, marks=pytest.mark.slow)
    for path in PATHS
]
BRIDGES = BBED, SchroedingerBridgeVE, SchroedingerBridgeVP
PURE_NOISE = [path for path in PATHS if not path.alpha(torch.tensor(path.t_max)) > 0]


def singular(solver, path):
    """Whether the solver needs a number that is infinite where this path starts."""
    end = path.at(torch.tensor(path.t_max, dtype=torch.float64))
    return not all(number.abs() < 1e6 for number in solver.needs(end).values())


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_order_of_a_step(solver, path):
    assert local_order(solver, path) == pytest.approx(solver.order, abs=0.25)


@pytest.mark.parametrize("path", WHOLE, ids=str)
@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_whole_runs_converge(solver, path):
    """To the exact result, as fast as the first step allows, which has no past: second order."""
    if singular(solver, path):
        with pytest.raises(Refusal, match="does not work on"):
            error(solver, path, X0(), grid_of(path), 9)
        return
    wanted = min(solver.order, 2) - 0.25
    if path in PURE_NOISE:  # the first step is the longest there is, infinite in log-SNR
        wanted = min(wanted, 1.2)
    if isinstance(solver, Heun) and isinstance(path, BRIDGES):  # nearly infinite velocity at t_max
        wanted = 1.0
    assert order(solver, path, X0()) > wanted


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_whatever_the_network_speaks_the_result_is_the_same(solver, path):
    if singular(solver, path):
        return  # refused, see above
    results = []
    for target in TARGETS:
        try:
            check_pair(path, target)
        except Refusal:
            continue  # test_target.py says which, and why
        sampler = Sampler(solver, grid_of(path), 8)
        results.append(sampler(network(Mixture(), path, target), path, Y, lambda: EPS))
    for result in results[1:]:
        torch.testing.assert_close(result, results[0], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    "solver", [DDIM(), DPMSolverSinglestep(2), DPMSolverMultistep(3), UniPC()], ids=str
)
@pytest.mark.parametrize("path", [BRIDGE, SchroedingerBridgeVP()], ids=str)
def test_from_a_dirac_the_first_step_is_of_first_order(solver, path):
    """It misses alpha^2 s^2 / (2 sigma^2) of the spread, which is of the size of the step in t."""
    assert order(solver, path, X0(), calls=(33, 65)) > 0.75


def test_rk45_keeps_its_tolerance_and_its_budget():
    path, grid, errors, calls = RectifiedFlow(), UniformGrid(t_last=0.05), [], []
    for rtol in (1e-3, 1e-5, 1e-7):
        asked = network(Mixture(), path, X0())
        count = []
        result = Sampler(RK45(rtol, rtol), grid, 1000)(
            lambda z, at, asked=asked, count=count: count.append(1) or asked(z, at),
            path,
            Y,
            lambda: EPS,
        )
        last = grid.times(path, 1000)[-1]
        right = Mixture().denoise(path, Mixture().flow(path, EPS, last, Y), last, Y)
        errors.append((result - right).abs().max().item())
        calls.append(len(count))
    assert calls[0] < calls[1] < calls[2] < 400
    for found, rtol in zip(errors, (1e-3, 1e-5, 1e-7), strict=True):
        assert found < 10 * rtol
    with pytest.raises(Refusal, match="spent its 12 network calls at t = 0"):
        Sampler(RK45(1e-9, 1e-9), grid, 12)(network(Mixture(), path, X0()), path, Y, lambda: EPS)


def oracle(path, mean):
    """Return the best denoiser of N(mean, STD^2): then a result is affine in all draws of noise."""

    def denoise(z, at):
        std = spread(path, at.t)
        gain = at.alpha * STD**2 / std**2 if std > 0 else 0.0
        return mean + gain * (z - at.alpha * mean)

    return denoise


def spread(path, t):
    """Return the standard deviation of z at t."""
    return torch.sqrt((path.alpha(t) * STD) ** 2 + path.sigma(t) ** 2)


def slope(errors):
    """Return the order over a doubling of the steps."""
    return math.log2(errors[0] / errors[1])


@pytest.mark.parametrize("calls", [24, 25])
def test_heun_spends_even_budgets_at_its_order(calls):
    path, grid = RectifiedFlow(), UniformGrid(t_last=0.05)
    errors = [error(Heun(), path, X0(), grid, n)[0] for n in (2 * calls, 4 * calls)]
    assert slope(errors) == pytest.approx(2, abs=0.25)


@pytest.mark.parametrize("solver", [DDIM(), Euler(), Heun(), DPMSolverMultistep()], ids=str)
def test_the_default_grid_ends_at_x0_itself(solver):
    """No rest of noise: with more calls the result goes to the flow's end at t = 0."""
    path = RectifiedFlow()
    clean = Mixture().flow(path, EPS, torch.zeros(()).double(), Y)

    def run(n):
        answers = network(Mixture(), path, X0())
        return Sampler(solver, UniformGrid(), n)(answers, path, Y, lambda: EPS)

    found = [(run(n) - clean).abs().max() for n in (40, 160)]
    assert found[0] / found[1] > 3


def moments(path, grid, solver, calls):
    """Return mean and standard deviation of the result, exactly.

    The oracle makes the result an affine function of all draws of noise. So give element k of the
    state an impulse at draw k and nothing else, and the last element nothing: the last is the
    mean, and the others' distances from it are the gains of the draws.
    """
    end = torch.tensor(path.t_max, dtype=torch.float64)
    draws = []

    def noise():
        impulse = torch.zeros(1, 1, 1, 3 * calls + 2, dtype=torch.float64)
        # the start is alpha m + sigma eps: lift its spread to the marginal's
        at_start = not draws and path.sigma(end) > 0
        impulse[..., len(draws)] = spread(path, end) / path.sigma(end) if at_start else 1.0
        draws.append(1)
        return impulse

    m = torch.full((1, 1, 1, 3 * calls + 2), 0.75, dtype=torch.float64)
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
    assert slope(errors) == pytest.approx(1, abs=0.25)


STOCHASTIC = [
    DPMSolverMultistep(2, eta=1.0),
    DPMSolverMultistep(2, eta=0.5),
    DPMSolverMultistep(3, eta=1.0),
    DPMSolverSinglestep(2, eta=1.0),
    DPMSolverSinglestep(2, eta=0.5),
    Ancestral(DPMSolverSinglestep(2)),
    Ancestral(DPMSolverSinglestep(3), eta=0.5),
    Churn(DPMSolverSinglestep(2), churn=10.0),
    Restart(DPMSolverSinglestep(2), times=2, calls=10, low=0.2, high=1.0),
]


@pytest.mark.parametrize(
    ("path", "grid"),
    [
        pair if number % 2 else pytest.param(*pair, marks=pytest.mark.slow)
        for number, pair in enumerate(MOMENT_GRIDS)
    ],
    ids=str,
)
@pytest.mark.parametrize("solver", STOCHASTIC, ids=str)
def test_moments_of_stochastic_solvers_are_the_posterior_s(path, grid, solver):
    """Of the first order at least where noise is fresh; a wrong share of noise would stay."""
    errors = []
    for calls in (49, 97):
        mean, std = moments(path, grid, solver, calls)
        assert abs(mean) < 1e-9
        steps = len(solver.plan(calls))
        errors.append(abs(std - denoised_spread(path, grid.times(path, steps + 1)[-1])).item())
    assert errors[1] < 0.01
    assert errors[1] < 0.7 * errors[0] or errors[1] < 1e-3


def test_noise_of_the_half_step_is_part_of_the_whole_one_s():
    """DPM++ SDE with an oracle that knows x_0: one step leaves exactly the knot's own noise."""
    path, x0 = VE(), 0.3
    now, then = path.at(torch.tensor([2.0, 0.7], dtype=torch.float64)).knots()
    size, draws = 3, []

    def noise():
        draws.append(torch.eye(size, dtype=torch.float64)[len(draws) + 1].reshape(1, 1, 1, size))
        return draws[-1]

    z = x0 + now.sigma * torch.eye(size, dtype=torch.float64)[0].reshape(1, 1, 1, size)
    problem = Problem(lambda z, at: torch.full_like(z, x0), path, noise, 9)
    z, _ = DPMSolverSinglestep(2, eta=0.8).step(problem, z, now, then, ())
    torch.testing.assert_close(torch.linalg.vector_norm(z - x0), then.sigma)


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
    assert slope(errors) == pytest.approx(1, abs=0.25)


def test_sgmse_settings_give_the_right_spread():
    """60 calls, snr 0.5: within 2 % of x_0's spread, though corrector and steps are large."""
    mean, std = moments(OUVE(), UniformGrid(t_last=0.03), PredictorCorrector(), 60)
    assert abs(mean) < 0.02
    assert std == pytest.approx(STD, rel=0.02)


@pytest.mark.parametrize("solver", [DDIM(), DPMSolverMultistep(), DPMSolverSinglestep()], ids=str)
def test_from_a_dirac_only_a_noisy_start_gives_draws_from_the_posterior(solver):
    """Without noise the result is the posterior's mean: no spread at all. Hence the default."""
    grid = UniformGrid()
    mean, std = moments(BRIDGE, grid, solver, 33)
    assert abs(mean) < 1e-12
    assert std == pytest.approx(STD, rel=0.15)
    mean, std = moments(BRIDGE, grid, type(solver)(noisy_start=False), 33)
    assert abs(mean) < 1e-12
    assert std == 0
