"""RePaint: what is known stays known, and repeated steps bring the rest to agree with it."""

import pytest
import torch
from oracle import PATHS
from posterior import KEPT, STD, N, known_of, moments, name, observed, prior_of

from diffaudio.codec import CompressedSTFT
from diffaudio.inverse import Clip, LowPass, Mask, Measurement, RePaint
from diffaudio.log import Refusal
from diffaudio.process import CFGPlusPlus, FlowSE, RectifiedFlow
from diffaudio.solve import DDIM, Heun, LogSNRGrid, Sampler, UniformGrid

COLOURED = prior_of(0.8)
MASK, LOW = Mask(KEPT), LowPass(220.0, 1000)


def source(shape, seed=1):
    """Return a source of draws."""
    random = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(shape, generator=random, dtype=torch.float64)


@pytest.mark.parametrize(
    ("operator", "path"), [*((MASK, path) for path in PATHS[::3]), (LOW, RectifiedFlow())], ids=name
)
def test_moments_come_near_the_posterior_s_as_steps_are_repeated(operator, path):
    y, errors = observed(COLOURED, operator), []
    right = COLOURED.given(operator, y, 0.0)
    for times in (1, 6):
        sampler = Sampler(DDIM(1.0), LogSNRGrid(sigma_min=0.05, sigma_max=8.0), 12 * times + 1)

        def run(batch, noises, _, sampler=sampler, times=times):
            known = known_of(operator, y, batch)
            return RePaint(times).run(sampler, COLOURED, path, known, noises)

        mean, cov = moments(run)
        errors.append((mean - right.mean).abs().max() / STD)
        apart = (cov - right.cov).abs().max() / STD**2
        torch.testing.assert_close(operator.measure(mean[None, None])[0, 0], y)
    assert errors[1] < 0.6 * errors[0] or errors[1] < 0.01
    assert errors[1] < 0.25
    assert apart < 0.15


@pytest.mark.parametrize("solver", [DDIM(), DDIM(1.0), Heun()], ids=str)
@pytest.mark.parametrize("times", [1, 3])
def test_calls_made_are_calls_asked_for_and_what_is_known_is_fixed(solver, times):
    seen, known = [], known_of(MASK, observed(COLOURED, MASK), 2)

    def prior(z, at):
        seen.append(at.t.item())
        return torch.tanh(z)

    sampler = Sampler(solver, UniformGrid(t_last=0.1), 6 * times + 1)
    made = RePaint(times).run(sampler, prior, FlowSE(t_max=0.9), known, source((2, 1, 1, N)))
    assert len(seen) == 6 * times + 1
    assert len(set(seen)) < 8
    torch.testing.assert_close(MASK.measure(made[:, 0]), known.measured)


def test_the_known_part_follows_the_path_with_noise_of_its_own():
    """At each knot it is alpha y + sigma eps: of the prior's answer it holds nothing."""
    seen, path, y = [], RectifiedFlow(), observed(COLOURED, MASK)
    known = known_of(MASK, y, 4000)

    def prior(z, at):
        seen.append((z, at))
        return 9.0 + 0.0 * z

    sampler = Sampler(DDIM(1.0), UniformGrid(t_last=0.2), 3)
    RePaint(1).run(sampler, prior, path, known, source((4000, 1, 1, N)))
    for z, at in seen[1:]:
        eps = ((z[:, 0] - at.alpha * y) / at.sigma)[..., KEPT]
        assert abs(eps.mean()) < 3 * eps.numel() ** -0.5
        assert abs(eps.var() - 1) < 3 * (2 / eps.numel()) ** 0.5
        assert (z[:, 0, 0, ~KEPT].mean() - 9.0 * at.alpha).abs() < 0.1


def stft(operator, audio):
    codec = CompressedSTFT(n_fft=16, hop=4)
    decode = lambda state: codec.decode(state, audio.shape[-1])  # noqa: E731
    return Measurement(operator, audio, decode, codec.encode)


@pytest.mark.parametrize(
    ("known", "calls", "reason"),
    [
        (known_of(Clip(0.5), torch.ones(N)), 6, "Clip is not linear"),
        (known_of(MASK, torch.ones(N), noise=0.1), 6, "noise = 0.1"),
        (stft(MASK, torch.ones(1, 1, N)), 6, "this codec is not linear"),
        (known_of(MASK, torch.ones(N)), 8, "takes every step 5 times.*\n.*ask for 11"),
    ],
)
def test_what_it_cannot_do_is_refused_before_any_call(known, calls, reason):
    with pytest.raises(Refusal, match=reason):
        RePaint(5).run(Sampler(DDIM(), UniformGrid(), calls), None, RectifiedFlow(), known, None)
    ahead = Sampler(DDIM(), UniformGrid(), 6, CFGPlusPlus(1.0))
    with pytest.raises(Refusal, match="from fresh noise: no CFGPlusPlus"):
        RePaint(5).run(ahead, None, RectifiedFlow(), known_of(MASK, torch.ones(N)), None)
    with pytest.raises(Refusal, match="times = 0"):
        RePaint(0)
