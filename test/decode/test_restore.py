"""Measured audio through a trained model: it agrees with what was measured, and is its own."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from diffaudio.codec import CompressedSTFT, LogMel, MelSpec, Waveform
from diffaudio.decode.meter import Meter, counted
from diffaudio.decode.restore import restore
from diffaudio.inverse import DPS, Clip, LowPass, Mask, PiGDM, Projection, RePaint, Restoration
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import BandTransformer
from diffaudio.process import EDM, VE, Objective, RectifiedFlow, Uniform, Velocity
from diffaudio.solve import DDIM, KarrasGrid, Sampler, UniformGrid

GAPS = Mask(torch.arange(600) % 200 > 60)
KINDS = {
    "stft": (CompressedSTFT(n_fft=126, hop=32), RectifiedFlow(), Velocity(), 8),
    "wave": (Waveform(), VE(t_max=10.0), EDM(), 1),
}


def measured(batch=1):
    random = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(batch, 1, 600, generator=random)


@pytest.fixture
def prior(tiny_exp, loaded):
    """Return a maker of priors that know nothing, but are complete."""

    def make(kind, **spec):
        torch.manual_seed(0)
        codec, path, target, bands = KINDS[kind]
        net = partial(BandTransformer, bands=bands, width=16, depth=1, heads=2)
        model = Model(codec, path, target, net, Objective(Uniform()))
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        whole, meter = loaded(tiny_exp), Meter()
        model.requires_grad_(False).eval()
        model.denoiser.net.register_forward_hook(partial(counted, meter))
        spec = replace(whole.spec, **spec)
        return replace(whole, model=model, spec=spec, meter=meter)

    return make


@pytest.mark.parametrize("method", [Projection(), PiGDM(), DPS()], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_restored_audio_is_an_item_s_own_and_agrees_with_what_was_measured(prior, kind, method):
    """Whatever the network says, and whatever the state is."""
    how, sampler = Restoration(GAPS, method), Sampler(DDIM(), UniformGrid(), 4)
    model, both = prior(kind, sampler=sampler), measured(2)
    made = restore(model, both, how, [7, 8])
    torch.testing.assert_close(GAPS.measure(made), GAPS.measure(both))
    assert made.shape == both.shape
    assert made.isfinite().all()
    assert made[..., ~GAPS.kept].abs().min() > 0
    alone = restore(model, both[1:], how, [8])
    torch.testing.assert_close(alone, made[1:], atol=1e-3 * made.abs().max(), rtol=1e-3)
    other = restore(model, both[1:], how, [9])
    assert (other - alone).abs().max() > 1e-3
    noisy = restore(model, both[1:], replace(how, noise=0.3), [8])
    assert (GAPS.measure(noisy) - both[1:]).abs().max() > 1e-3


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_estimate_is_one_call_and_all_are_metered(prior, precision):
    model, clip = prior("stft", precision=precision), Clip(0.15)
    made = restore(model, measured(3), Restoration(clip, PiGDM()), [1, 2, 3])
    assert made.dtype == torch.float32
    assert not made.requires_grad
    torch.testing.assert_close(clip.measure(made), clip.measure(measured(3)))
    meter = model.meter
    assert (meter.runs, meter.items, meter.calls, meter.evaluations) == (1, 3, 2, 6)
    assert meter.seconds > 0


def test_repaint_restores_waveforms(prior):
    model = prior("wave", sampler=Sampler(DDIM(1.0), KarrasGrid(), 5))
    made = restore(model, measured(), Restoration(GAPS, RePaint(2)), [7])
    torch.testing.assert_close(GAPS.measure(made), GAPS.measure(measured()))
    assert model.meter.calls == 5


def test_a_start_near_the_end_keeps_most_of_what_was_measured(prior):
    """The guess is the pseudo-inverse: 0 in the gaps."""
    peaks = []
    for start in (1.0, 0.02):
        model = prior("stft", sampler=Sampler(DDIM(), UniformGrid(), 2, start=start))
        made = restore(model, measured(), Restoration(GAPS, Projection()), [7])
        peaks.append(made[..., ~GAPS.kept].abs().max())
    assert peaks[1] < 0.2 * peaks[0]


def test_a_model_that_is_given_audio_is_no_prior(tiny_exp, loaded):
    with pytest.raises(Refusal, match="cannot tell what is likely by itself"):
        restore(loaded(tiny_exp), measured(), Restoration(GAPS, PiGDM()), [7])


@pytest.mark.parametrize("operator", [GAPS, LowPass(1500.0, 8000), Clip(0.15)], ids=str)
def test_of_a_codec_without_phases_what_was_measured_is_kept_and_the_rest_is_the_model_s(
    prior, monkeypatch, operator
):
    """Its state is restored where nothing is known of it, then phases are found beside the rest."""
    mel = LogMel(MelSpec(8000, n_fft=128, hop=32, bands=16))
    monkeypatch.setitem(KINDS, "mel", (mel, RectifiedFlow(), Velocity(), 1))
    model, both = prior("mel"), measured(2)
    how = Restoration(operator, PiGDM())
    made = restore(model, both, how, [7, 8])
    assert made.shape == both.shape
    torch.testing.assert_close(operator.measure(made), operator.measure(both), atol=1e-5, rtol=0)
    alone = restore(model, both[1:], how, [8])
    torch.testing.assert_close(alone, made[1:], atol=1e-5, rtol=0)
    assert (restore(model, both[1:], how, [9]) - alone).abs().max() > 1e-3
    with pytest.raises(Refusal, match=r"noise 0.1: .*LogMel"):
        restore(model, both, replace(how, noise=0.1), [7, 8])
