"""The sampler: calls asked for are calls made, one end for all, nothing lost on the way."""

from dataclasses import dataclass

import pytest
import torch
from family import noise_end
from oracle import PATHS
from posterior import moments, prior_of

from diffaudio.log import Refusal
from diffaudio.process import OUVE, VE, FlowSE, GradTTS, RectifiedFlow, SchroedingerBridgeVE
from diffaudio.solve import (
    DDIM,
    DEIS,
    LMS,
    Ancestral,
    Churn,
    DPMSolverMultistep,
    DPMSolverSinglestep,
    Euler,
    Heun,
    KarrasGrid,
    KeyedNoise,
    LogSNRGrid,
    PredictorCorrector,
    Sampler,
    UniformGrid,
    UniPC,
)

ONE_END = [  # the result is the estimate at the last knot
    DDIM(),
    DDIM(1.0),
    Euler(),
    Heun(),
    Heun(0.5),
    DPMSolverSinglestep(2),
    DPMSolverSinglestep(2, "eps"),
    DPMSolverSinglestep(2, eta=1.0),
    DPMSolverSinglestep(3),
    DPMSolverMultistep(1),
    DPMSolverMultistep(2),
    DPMSolverMultistep(3, eta=1.0),
    UniPC(),
    LMS(),
    DEIS(),
    Ancestral(DPMSolverSinglestep(2)),
    Churn(Heun()),
]
SOLVERS = [*ONE_END, PredictorCorrector(corrector_steps=0)]
GRIDS = [UniformGrid(), KarrasGrid(), LogSNRGrid()]


def noise(seed=1):
    return KeyedNoise([seed, seed + 1], (2, 3), [5, 5])


class Network:
    """A denoiser that notes every call."""

    def __init__(self):
        self.seen, self.answers = [], []

    def __call__(self, z, at):
        self.seen.append((at.t.item(), z.dtype))
        self.answers.append(0.3 * torch.tanh(z) + 0.5)
        return self.answers[-1]


@pytest.mark.parametrize("solver", SOLVERS, ids=str)
@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("calls", [*range(1, 10), 24])
def test_calls_made_are_calls_asked_for(solver, grid, calls):
    network = Network()
    result = Sampler(solver, grid, calls)(network, OUVE(), None, noise())
    assert len(network.seen) == calls
    assert {dtype for _, dtype in network.seen} == {torch.float32}
    assert result.shape == (2, 2, 3, 5)
    assert result.isfinite().all()


@pytest.mark.parametrize("corrector_steps", [1, 2])
def test_calls_of_the_corrector_count(corrector_steps):
    network = Network()
    solver = PredictorCorrector(corrector_steps=corrector_steps)
    Sampler(solver, UniformGrid(), 12)(network, OUVE(), None, noise())
    assert len(network.seen) == 12
    assert len({t for t, _ in network.seen}) == 12 // (1 + corrector_steps)


@pytest.mark.parametrize("solver", ONE_END, ids=str)
@pytest.mark.parametrize(
    "path", [VE(), RectifiedFlow(0.01, t_max=0.99), FlowSE(t_max=0.99), OUVE()], ids=str
)
def test_the_result_is_the_estimate_at_the_last_knot(solver, path):
    """Also where sigma > 0 at t_min or at 0: no rest of noise reaches the codec."""
    network = Network()
    grid = KarrasGrid()
    result = Sampler(solver, grid, 7)(network, path, None, noise())
    assert result is network.answers[-1]
    knots = len(solver.plan(7)) + 1
    assert network.seen[-1][0] == grid.times(path, knots)[-1]


@pytest.mark.parametrize("solver", ONE_END, ids=str)
def test_one_call_is_plain_regression_from_the_start(solver):
    network = Network()
    path, y = FlowSE(t_max=0.99), torch.ones(2, 2, 3, 5)
    seen = []
    Sampler(solver, UniformGrid(), 1)(
        lambda z, at: seen.append(z) or network(z, at), path, y, noise()
    )
    torch.testing.assert_close(seen[0], noise_end(path).start(noise()(), y))
    assert network.seen[0][0] == 0.99


@pytest.mark.parametrize("solver", [DDIM(), Euler(), Heun(), DPMSolverMultistep()], ids=str)
def test_deterministic_solvers_draw_the_start_alone(solver):
    drawn = []

    def counted(source=noise()):  # noqa: B008
        drawn.append(source())
        return drawn[-1]

    first = Sampler(solver, UniformGrid(), 6)(Network(), RectifiedFlow(), None, counted)
    assert len(drawn) == 1
    again = Sampler(solver, UniformGrid(), 6)(Network(), RectifiedFlow(), None, noise())
    assert (first == again).all()


@pytest.mark.parametrize("solver", [*SOLVERS, PredictorCorrector()], ids=str)
def test_an_item_does_not_depend_on_its_batch(solver):
    def run(keys, frames):
        source = KeyedNoise(keys, (1, 2), frames)
        network = Network()
        return Sampler(solver, UniformGrid(), 6)(network, OUVE(), None, source)

    alone, together = run([7], [4]), run([5, 7, 9], [6, 4, 2])
    assert (alone[0] == together[1, ..., :4]).all()


@pytest.mark.parametrize("solver", [DDIM(), DDIM(0.7), DPMSolverMultistep()], ids=str)
def test_a_bridge_runs_from_y_itself(solver):
    y = torch.ones(2, 2, 3, 5)
    result = Sampler(solver, UniformGrid(), 5)(Network(), SchroedingerBridgeVE(), y, noise())
    assert result.isfinite().all()


@pytest.mark.parametrize("solver", [Euler(), Heun(), PredictorCorrector()], ids=str)
def test_what_needs_a_finite_velocity_is_refused_on_a_bridge_before_any_call(solver):
    network = Network()
    sampler = Sampler(solver, UniformGrid(), 6)
    with pytest.raises(Refusal, match="SchroedingerBridgeVE.* at t = 1: ") as refused:
        sampler(network, SchroedingerBridgeVE(), None, noise())
    assert "lower t_max" in refused.value.mend
    assert network.seen == []
    assert Sampler(solver, UniformGrid(), 6)(
        network, SchroedingerBridgeVE(t_max=0.99), None, noise()
    ).isfinite().all()  # fmt: skip


def test_no_calls_are_refused():
    with pytest.raises(Refusal, match="calls = 0"):
        Sampler(DDIM(), UniformGrid(), 0)


def test_a_solver_whose_plan_is_wrong_is_found_out():
    @dataclass(frozen=True)
    class Miser(Euler):
        def plan(self, calls):
            return super().plan(calls - 1)

    with pytest.raises(RuntimeError, match="made 2 calls"):
        Sampler(Miser(), UniformGrid(), 3)(Network(), VE(), None, noise())


def test_single_precision_states_stay_so_and_double_ones_too():
    for dtype in (torch.float32, torch.float64):
        source = noise()
        result = Sampler(DDIM(0.5), LogSNRGrid(), 4)(
            lambda z, at: z * at.t,
            VE(),
            None,
            lambda source=source, dtype=dtype: source().to(dtype),
        )
        assert result.dtype == dtype


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("log_snr", [-1.5, 0.0, 1.5])
def test_from_any_start_the_marginals_are_right(log_snr, path):
    """With a draw of x_0 as the guess: the mean exactly, the covariance as the steps shrink."""
    prior, errors, grid = prior_of(0.8, 3), [], LogSNRGrid(sigma_min=0.05)
    start = path.time_of(torch.tensor(log_snr, dtype=torch.float64)).item()
    for calls in (11, 21):
        sampler = Sampler(DPMSolverMultistep(), grid, calls, start=start)

        def run(batch, noises, first, sampler=sampler):
            return sampler(prior, path, prior.mean + first @ prior.root().T, noises)

        mean, cov = moments(run, 3)
        torch.testing.assert_close(mean, prior.mean)
        last = path.at(grid.times(path.until(start), calls)[-1])
        errors.append((cov - prior.denoised(last)).abs().max() / prior.cov.max())
    assert errors[1] < 0.02
    assert errors[1] < 0.5 * errors[0] or errors[1] < 1e-4


def test_a_start_is_the_first_knot_and_the_guess_keeps_what_it_holds_there():
    network, guess, path = Network(), torch.ones(2, 2, 3, 5), RectifiedFlow()
    seen = []
    Sampler(Heun(), UniformGrid(), 5, start=0.4)(
        lambda z, at: seen.append(z) or network(z, at), path, guess, noise()
    )
    torch.testing.assert_close(seen[0], 0.6 * guess + 0.4 * noise()())
    assert network.seen[0][0] == 0.4
    assert len(seen) == 5
    samplers = [Sampler(DDIM(), UniformGrid(), 5, start=start) for start in (None, path.t_max)]
    whole, same = (sampler(network, path, guess, noise()) for sampler in samplers)
    assert (whole == same).all()


@pytest.mark.parametrize("path", [RectifiedFlow(), GradTTS(), OUVE()], ids=str)
def test_temperature_is_of_the_noise_at_the_start_alone(path):
    guess, end, seen = torch.ones(2, 2, 3, 5), noise_end(path), []
    for temperature in (1.0, 0.5, 0.0):
        sampler = Sampler(DDIM(), UniformGrid(), 3, temperature=temperature)
        sampler(lambda z, at: seen.append(z) or Network()(z, at), path, guess, noise())
    warm, half, cold = seen[::3]
    torch.testing.assert_close(cold, end.start(torch.zeros_like(guess), guess))
    torch.testing.assert_close(half - cold, 0.5 * (warm - cold))
    torch.testing.assert_close(warm, end.start(noise()(), guess))


@pytest.mark.parametrize("temperature", [-0.1, float("nan"), float("inf")])
def test_a_temperature_below_zero_or_without_end_is_refused(temperature):
    with pytest.raises(Refusal, match="temperature = .* is not a number from 0"):
        Sampler(DDIM(), UniformGrid(), 5, temperature=temperature)


@pytest.mark.parametrize("start", [0.0, 1.1, -1.0, float("nan")])
def test_a_start_that_is_not_on_the_path_is_refused(start):
    sampler = Sampler(DDIM(), UniformGrid(), 5, start=start)
    with pytest.raises(Refusal, match="start = .* is outside RectifiedFlow") as refused:
        sampler(Network(), RectifiedFlow(), torch.ones(2, 2, 3, 5), noise())
    assert "above 0 and at most 1" in refused.value.mend
    with pytest.raises(Refusal, match="nothing to start from"):
        Sampler(DDIM(), UniformGrid(), 5, start=0.5)(Network(), RectifiedFlow(), None, noise())


@pytest.mark.gpu
@pytest.mark.parametrize("solver", [*SOLVERS, PredictorCorrector()], ids=str)
def test_states_may_live_on_a_gpu(solver):
    def run(device):
        source = KeyedNoise([1], (2, 3), [5], device)
        return Sampler(solver, LogSNRGrid(), 6)(Network(), OUVE(), None, source).cpu()

    torch.testing.assert_close(run("cuda"), run("cpu"), rtol=1e-5, atol=1e-5)
