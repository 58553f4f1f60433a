"""The predictor-corrector against the published algorithm, written out in x."""

import math

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import OUVE, FlowSE, RectifiedFlow, SchroedingerBridgeVE
from diffaudio.solve import KeyedNoise, PredictorCorrector, Sampler, UniformGrid

STIFFNESS, LOW, HIGH = 1.5, 0.05, 0.5


def some_score(x, y, t):
    """Return a score that is linear in nothing."""
    return -torch.tanh(x - 0.4 * torch.tanh(y)) * (3.0 + t)


def gaussian_score(x, y, t, path=OUVE()):  # noqa: B008
    """Return the right score for x_0 ~ N(0.4 y + 0.2, 0.3^2)."""
    t = torch.as_tensor(t, dtype=torch.float64)
    mean = path.alpha(t) * (0.4 * y + 0.2) + path.mean(t) * y
    return (mean - x) / ((0.3 * path.alpha(t)) ** 2 + path.sigma(t) ** 2)


def published(y, noise, score_of, *, knots, snr, corrector_steps):
    """SGMSE+'s sampler: annealed Langevin corrector, reverse-diffusion predictor, in x."""
    growth = math.log(HIGH / LOW)

    def std(t):
        scale = LOW**2 * math.exp(-2 * STIFFNESS * t) * growth / (STIFFNESS + growth)
        return math.sqrt(scale * (math.exp(2 * (STIFFNESS + growth) * t) - 1))

    times = torch.linspace(1.0, 0.03, knots, dtype=torch.float64).tolist()
    x = y + std(1.0) * noise()
    mean = x
    for t, u in zip(times, [*times[1:], 0.0], strict=True):
        for _ in range(corrector_steps):
            size = 2 * (snr * std(t)) ** 2
            x = x + size * score_of(x, y, t) + math.sqrt(2 * size) * noise()
        g = LOW * (HIGH / LOW) ** t * math.sqrt(2 * growth)
        drift = STIFFNESS * (y - x) - g**2 * score_of(x, y, t)
        mean = x - drift * (t - u)
        x = mean + g * math.sqrt(t - u) * noise() if u > 0 else mean
    return mean


def ours(y, noise, score_of, *, knots, snr, corrector_steps):
    path = OUVE(STIFFNESS, LOW, HIGH)

    def denoise(z, at):
        return (z + at.sigma**2 * score_of(z + at.mean * y, y, at.t)) / at.alpha

    solver = PredictorCorrector(snr=snr, corrector_steps=corrector_steps)
    sampler = Sampler(solver, UniformGrid(t_last=0.03), knots * (1 + corrector_steps))
    return sampler(denoise, path, y, noise)


def draws():
    noise = KeyedNoise([3], (2, 3), [5])
    return lambda: noise().double()


@pytest.mark.parametrize(("snr", "corrector_steps"), [(0.5, 1), (0.3, 2), (0.5, 0)])
def test_without_y_it_is_the_published_algorithm(snr, corrector_steps):
    y = torch.zeros(1, 2, 3, 5, dtype=torch.float64)
    settings = {"knots": 30, "snr": snr, "corrector_steps": corrector_steps}
    torch.testing.assert_close(
        ours(y, draws(), some_score, **settings),
        published(y, draws(), some_score, **settings),
        rtol=0,
        atol=1e-12,
    )


def test_with_y_it_is_nearer_to_the_answer_and_the_published_one_goes_to_it():
    """The published Euler step takes mean(t) to be linear: a difference of first order in dt."""
    y = torch.linspace(-1, 1, 30, dtype=torch.float64).reshape(1, 2, 3, 5)
    silent = lambda: torch.zeros_like(y)  # noqa: E731  the mean alone
    apart = []
    for knots in (30, 60, 120):
        settings = {"knots": knots, "snr": 0.5, "corrector_steps": 1}
        here = ours(y, silent, gaussian_score, **settings)
        there = published(y, silent, gaussian_score, **settings)
        right = 0.4 * y + 0.2
        assert (here - right).abs().max() < 0.8 * (there - right).abs().max()
        apart.append((here - there).abs().max().item())
    assert apart[0] < 0.015
    assert math.log2(apart[1] / apart[2]) == pytest.approx(1, abs=0.25)


def test_the_last_prediction_is_without_noise():
    """With one knot and no corrector the only draw is the start's."""
    count = []

    def noise():
        count.append(1)
        return torch.ones(1, 1, 1, 4, dtype=torch.float64)

    sampler = Sampler(PredictorCorrector(corrector_steps=0), UniformGrid(), 1)
    sampler(lambda z, at: 0 * z, OUVE(), None, noise)
    assert len(count) == 1


@pytest.mark.parametrize("path", [RectifiedFlow(), FlowSE(), SchroedingerBridgeVE()], ids=str)
def test_a_path_without_a_diffusion_at_its_start_is_refused(path):
    """alpha = 0 at t = 1: no dz = f z dt + g dw leads there with finite f."""
    sampler = Sampler(PredictorCorrector(), UniformGrid(), 2)
    with pytest.raises(Refusal, match="PredictorCorrector.* t = 1: alpha' / alpha"):
        sampler(lambda z, at: z, path, None, draws())


def test_calls_that_do_not_divide_are_refused_with_those_that_would():
    with pytest.raises(Refusal, match="2 times at each knot.* 61 calls") as refused:
        Sampler(PredictorCorrector(), UniformGrid(), 61)
    assert "62 calls" in refused.value.mend


@pytest.mark.parametrize("wrong", [{"snr": 0.0}, {"corrector_steps": -1}])
def test_settings_that_make_no_steps_are_refused(wrong):
    with pytest.raises(Refusal, match="PredictorCorrector: snr"):
        PredictorCorrector(**wrong)
