"""Methods against the posterior in closed form, on every path."""

import math

import pytest
import torch
from oracle import PATHS
from posterior import (
    LINEAR,
    OPERATORS,
    RATE,
    STD,
    N,
    known_of,
    moments,
    name,
    observed,
    prior_of,
)

from diffaudio.codec import CompressedSTFT
from diffaudio.inverse import DPS, Clip, LowPass, Mask, Measurement, PiGDM, Projection
from diffaudio.inverse.methods import LEAST_SIGNAL, Linearised
from diffaudio.log import Refusal
from diffaudio.process import VE, RectifiedFlow, SchroedingerBridgeVE
from diffaudio.solve import DDIM, DPMSolverMultistep, Heun, LogSNRGrid, Sampler, UniformGrid

WHITE, COLOURED = prior_of(0.0), prior_of(0.8)
METHODS = [Projection(), PiGDM(), DPS()]


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def source(shape, seed=1):
    """Return a source of draws."""
    random = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(shape, generator=random, dtype=torch.float64)


def places(path):
    """Return the path at its start, where there may be no signal, and at half-log-SNRs -2 to 2."""
    log_snr = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0], dtype=torch.float64)
    start = torch.tensor([path.t_max], dtype=torch.float64)
    return path.at(torch.cat([start, path.time_of(log_snr)])).knots()


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("operator", LINEAR, ids=name)
@pytest.mark.parametrize("path", [*PATHS, SchroedingerBridgeVE()], ids=str)
def test_pigdm_is_the_denoiser_of_the_posterior(path, operator, noise):
    """Exactly, where x_0 is white: at every noise level of every path."""
    y = observed(WHITE, operator, noise)
    right, z = WHITE.given(operator, y, noise * STD), draw(3, 1, 1, N)
    denoise = PiGDM().denoise(WHITE, known_of(operator, y, 3, noise))
    for at in places(path):
        torch.testing.assert_close(denoise(z, at), right(z, at), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_the_jacobian_is_the_covariance_whatever_the_prior(path):
    """Cov[x_0 | z] = (cov^-1 + SNR)^-1; missing powers of alpha or sigma would show here."""
    known = known_of(LINEAR[0], observed(COLOURED, LINEAR[0]))
    score, asked = draw(2, 1, 1, N), 0
    for at in places(path)[1:]:
        linear = Linearised(COLOURED, draw(2, 1, 1, N, seed=1), at, known)
        if known.signal(at) < LEAST_SIGNAL:
            continue
        snr = torch.exp(2 * at.log_snr) * torch.eye(N).double()
        right = torch.linalg.inv(torch.linalg.inv(COLOURED.cov) + snr)
        torch.testing.assert_close(linear.covariance(score), score @ right)
        asked += 1
    assert asked >= 3


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_of_one_number_pigdm_is_the_denoiser_of_the_posterior_whatever_the_prior(path):
    """Its variance along what is measured is the network's, not that of an independent prior."""
    one = Mask(torch.arange(N) == 3)
    y = observed(COLOURED, one)
    known, z = known_of(one, y, 2), draw(2, 1, 1, N)
    right, asked = COLOURED.given(one, y, 0.0), 0
    denoise = PiGDM().denoise(COLOURED, known)
    for at in places(path)[1:]:
        if known.signal(at) >= LEAST_SIGNAL:
            torch.testing.assert_close(denoise(z, at), right(z, at), rtol=1e-8, atol=1e-8)
            asked += 1
    assert asked >= 3


CONVERGING = [(DDIM(1.0), 0.6), (DPMSolverMultistep(2, eta=1.0), 0.4)]  # over twice the steps


@pytest.mark.parametrize(("solver", "shrinks"), CONVERGING, ids=str)
@pytest.mark.parametrize(
    ("operator", "path"), [*((LINEAR[0], path) for path in PATHS), (LINEAR[1], PATHS[4])], ids=name
)
def test_sampled_moments_are_the_posterior_s(operator, path, solver, shrinks):
    """Started on the posterior's path: the mean exactly, the covariance as the steps shrink."""
    y, noise, errors = observed(WHITE, operator, 0.3), 0.3, []
    right = WHITE.given(operator, y, noise * STD)
    start = path.time_of(torch.tensor(-1.0, dtype=torch.float64)).item()
    grid = LogSNRGrid(sigma_min=0.1)
    for calls in (9, 17):
        sampler = Sampler(solver, grid, calls, start=start)

        def run(batch, noises, first, sampler=sampler):
            denoise = PiGDM().denoise(WHITE, known_of(operator, y, batch, noise))
            return sampler(denoise, path, right.mean + first @ right.root().T, noises)

        mean, cov = moments(run)
        torch.testing.assert_close(mean, right.mean)
        last = path.at(grid.times(path.until(start), calls)[-1])
        errors.append((cov - right.denoised(last)).abs().max() / STD**2)
    assert errors[1] < 0.17
    assert errors[1] < shrinks * errors[0]


@pytest.mark.parametrize("solver", [DDIM(), DDIM(1.0), Heun()], ids=str)
@pytest.mark.parametrize("path", PATHS, ids=str)
def test_projection_fixes_what_is_known(path, solver):
    """Exactly, whatever the prior says."""
    for operator in (*LINEAR[:2], Clip(0.5)):
        y = observed(COLOURED, operator)
        known = known_of(operator, y, 4)
        sampler = Sampler(solver, LogSNRGrid(sigma_min=0.05), 5)
        if isinstance(solver, Heun) and not path.alpha(torch.tensor(path.t_max)) > 0:
            sampler = Sampler(solver, UniformGrid(t_last=0.05), 5)
        made = Projection().run(
            sampler, lambda z, at: torch.tanh(3.0 * z), path, known, source((4, 1, 1, N))
        )
        torch.testing.assert_close(operator.measure(made[:, 0]), known.measured)
        assert made.std(0).max() > 1e-3


def restored(method, prior, operator, *, calls=40, batch=300, path=None, noise=0.0):
    """Return draws (batch, n) for a measurement of one draw from the prior."""
    n = len(prior.mean)
    known = known_of(operator, observed(prior, operator, noise), batch, noise)
    sampler = Sampler(DDIM(1.0), LogSNRGrid(sigma_min=0.02), calls)
    made = method.run(sampler, prior, path or RectifiedFlow(), known, source((batch, 1, 1, n)))
    return made.flatten(1), known


def root_mean_square(x):
    return x.square().mean().sqrt().item()


@pytest.mark.parametrize("path", [PATHS[0], PATHS[4], PATHS[8]], ids=str)
@pytest.mark.parametrize("length", [20, 32])
def test_dps_lowers_the_residual_and_comes_near_the_posterior(path, length):
    prior = prior_of(0.8, length)
    kept = torch.ones(length, dtype=torch.bool)
    kept[7:10] = False
    for operator in (Mask(kept), LowPass(0.25 * RATE, RATE)):
        made, known = restored(DPS(), prior, operator, path=path)
        y = known.measured[0, 0]
        right = prior.given(operator, y, 0.0)
        before = root_mean_square(y - operator.measure(prior.mean[None, None]))
        after = root_mean_square(y - operator.measure(made[:, None]))
        assert after < 0.15 * before
        assert root_mean_square(made.mean(0) - right.mean) < 0.1 * STD
        assert root_mean_square(prior.mean - right.mean) > 0.4 * STD


def test_dps_steps_as_far_as_it_should_in_many_dimensions():
    """Where z, x_0 and y belong together |y - A D| is sqrt(m) r, to one part in sqrt(2 m)."""
    operator = Mask(torch.arange(4000) % 4 > 0)
    (at,) = RectifiedFlow().at(torch.tensor([0.6], dtype=torch.float64)).knots()
    x0 = STD * draw(1, 1, 1, 4000)
    z, y = at.z(x0, draw(1, 1, 1, 4000, seed=1)), operator.measure(x0[:, 0])

    def gaussian(z, at):
        return at.alpha * STD**2 / ((at.alpha * STD) ** 2 + at.sigma**2) * z

    known = known_of(operator, y[0, 0])
    found, before = DPS().denoise(gaussian, known)(z, at), gaussian(z, at)
    right = PiGDM().denoise(gaussian, known)(z, at)
    standard_error = 1 / math.sqrt(2 * known.numbers())
    length = ((found - before).norm() / (right - before).norm()).item()
    assert length == pytest.approx(1, abs=3 * standard_error)
    assert ((found - before) * (right - before)).sum() > 0


def test_the_jacobian_tells_a_gap_of_what_is_around_it():
    """A coloured prior: projection leaves a gap to the next call, PiGDM and DPS do not."""
    prior, kept, errors = prior_of(0.95, 20), torch.ones(20, dtype=torch.bool), []
    kept[8:13] = False
    for method in METHODS:
        made, known = restored(method, prior, Mask(kept))
        right = prior.given(Mask(kept), known.measured[0, 0], 0.0)
        errors.append(root_mean_square((made.mean(0) - right.mean)[~kept]))
    projection, *others = errors
    assert max(others) < 0.5 * projection
    assert max(others) < 0.2 * STD


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_declipped_audio_agrees_and_rises_above_the_level(method):
    """Of a sample that has risen above the level by mistake DPS hears nothing."""
    clip = Clip(0.5)
    made, known = restored(method, COLOURED, clip, calls=60)
    y, cut = known.measured[0, 0], known.measured[0, 0] >= 0.5
    off = root_mean_square(y - clip.measure(made[:, None]))
    before = root_mean_square(y - clip.measure(COLOURED.mean[None, None]))
    assert off < (0.3 if method == DPS() else 0.005) * before
    assert cut.any()
    assert made[:, cut].mean() > 0.55


@pytest.mark.parametrize(("method", "off"), zip(METHODS, (1e-3, 1e-3, 0.5), strict=True), ids=str)
def test_states_need_not_be_audio(method, off):
    """A compressed STFT is no linear function of audio; DPS then comes less near."""
    codec, x = CompressedSTFT(n_fft=64, hop=16), 0.1 * draw(2, 1, 400).float()
    state = codec.encode(x)
    std = state.std().item()

    def shrunk(z, at):
        return at.alpha * std**2 / ((at.alpha * std) ** 2 + at.sigma**2) * z

    mask = Mask(torch.arange(400) % 100 > 30)
    known = Measurement(mask, x, lambda z: codec.decode(z, 400), codec.encode, deviation=std)
    noises = source(state.shape)
    made = method.run(
        Sampler(DDIM(1.0), LogSNRGrid(sigma_min=0.02), 20),
        shrunk,
        RectifiedFlow(),
        known,
        lambda: noises().float(),
    )
    missed = mask.measure(codec.decode(made, 400)) - known.measured
    assert root_mean_square(missed) < off * root_mean_square(known.measured)


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("operator", OPERATORS, ids=name)
def test_one_estimate_is_one_call_and_gradients_stay_inside(method, operator):
    """Also without gradients around it, as models are run; parameters gather none."""
    weight, seen = torch.ones((), requires_grad=True), []

    def prior(z, at):
        seen.append(at.t)
        return weight * torch.tanh(z)

    known = known_of(operator, observed(WHITE, operator).float(), 2)
    sampler = Sampler(DDIM(), UniformGrid(), 7)
    with torch.no_grad():
        made = method.run(sampler, prior, RectifiedFlow(), known, lambda: draw(2, 1, 1, N).float())
    assert len(seen) == 7
    assert made.dtype == torch.float32
    assert made.isfinite().all()
    assert not made.requires_grad
    assert weight.grad is None


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_an_item_does_not_depend_on_its_batch(method):
    y, z = observed(WHITE, Clip(0.5)), draw(3, 1, 1, N)
    (at,) = VE().at(torch.tensor([0.5], dtype=torch.float64)).knots()
    together = method.denoise(COLOURED, known_of(Clip(0.5), y, 3))(z, at)
    alone = method.denoise(COLOURED, known_of(Clip(0.5), y))(z[1:2], at)
    torch.testing.assert_close(together[1:2], alone)


def test_a_step_that_goes_the_wrong_way_is_refused():
    with pytest.raises(Refusal, match="step = -1 is not above 0"):
        DPS(-1.0)
