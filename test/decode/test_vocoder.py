"""A vocoder at the end of a model of mels: it is heard, it must fit, its own noise is its own."""

from dataclasses import replace

import pytest
import torch

from diffaudio.codec import CompressedSTFT, LogMel, MelSpec, SpreadMel
from diffaudio.data import plan
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.decode.meter import Meter
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained
from diffaudio.decode.vocoder import (
    GRIFFIN_LIM,
    attach,
    named_vocoder,
    tell_fallback,
    with_vocoder,
)
from diffaudio.lesson import Answered, Lesson, emphasis
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import UNet2d
from diffaudio.process import Objective, RectifiedFlow, Uniform, Velocity
from diffaudio.solve import DDIM, Sampler, UniformGrid

MEL = MelSpec(rate=8000, n_fft=256, hop=64, bands=20)


def tiny(inputs, outputs, bins):
    return UNet2d(inputs, outputs, bins, widths=(8, 16), strides=((2, 2),), depth=1)


def trained(codec, **options):
    torch.manual_seed(0)
    model = Model(codec, RectifiedFlow(), Velocity(), tiny, Objective(times=Uniform()), **options)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    spec = DecodeSpec(Sampler(DDIM(), UniformGrid(), 2))
    audio = AudioSpec(rate=8000, target="speech")
    return Trained(audio, model.eval(), spec, torch.device("cpu"), {}, Meter())


def vocoder(mel=MEL):
    return trained(CompressedSTFT(mel.n_fft, mel.hop), given="beside", through=SpreadMel(mel))


def test_mels_become_sound_as_long_as_asked_and_always_the_same(tmp_path):
    speaker = trained(LogMel(MEL))
    logs = speaker.model.codec.encode(0.1 * torch.randn(1, 1, 1500))
    found = speaker.model.codec.decode(logs, 1500)  # by Griffin and Lim
    attach(speaker, vocoder(), tmp_path)
    with torch.no_grad():
        made, again = (speaker.model.codec.decode(logs, 1500) for _ in range(2))
    assert made.shape == (1, 1, 1500)
    assert torch.equal(made, again)
    assert not torch.allclose(made, found)


def test_it_makes_of_mels_what_it_makes_of_the_audio_they_are_from(tmp_path):
    """Copy synthesis: given the audio, which ends in silence, and given its mels."""
    made = vocoder()
    audio, key = 0.1 * torch.randn(1, 1, 1500), [1]
    audio[..., -MEL.n_fft :] = 0.0
    samples = torch.tensor([1500])
    with torch.no_grad():
        copied = made.model.generate(audio, samples, key, made.spec.sampler)
        speaker = trained(LogMel(MEL))
        attach(speaker, made, tmp_path)
        codec = speaker.model.codec
        own = made.model.generate(
            audio, samples, [plan.key(made.spec.seed, "vocoder")], made.spec.sampler
        )
        through = codec.decode(codec.encode(audio), 1500)
    torch.testing.assert_close(through, own, atol=1e-4, rtol=1e-3)
    assert not torch.allclose(copied, own)


class Known(Sampler):
    """Makes the state that is known."""

    state = None

    def __call__(self, denoise, path, guess, noise):
        return self.state


def test_states_are_white_for_the_denoiser_and_sound_as_they_should(monkeypatch):
    codec, through = CompressedSTFT(256, 64, 0.5, 2**0.5), SpreadMel(MEL, power=0.5)
    made = trained(codec, given="beside", through=through)
    audio, samples = torch.randn(1, 1, 1500) * torch.linspace(1e-3, 0.5, 1500), torch.tensor([1500])
    learned = {}

    def lesson(self, x0, y, frames, batch, size):
        learned.update(x0=x0, size=size)
        return Answered(x0.new_zeros(1), x0.new_zeros(1), x0)

    monkeypatch.setattr(Lesson, "__call__", lesson)
    made.model(Batch(["a"], {"speech": audio}, samples, [1], 0, {}))
    x0 = learned["x0"]
    torch.testing.assert_close(x0, codec.encode(audio) / through.expected(through.encode(audio)))
    halves = [part.square().mean() for part in x0.chunk(2, dim=-1)]
    assert 0.5 < halves[0] / halves[1] < 2
    size = through.expected(through.encode(audio))
    torch.testing.assert_close(learned["size"], size)
    weights = emphasis(size, None)
    assert weights.mean() == pytest.approx(1.0)
    ratio = weights / size.square()
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))
    sampler = Known(DDIM(), UniformGrid(), 1)
    monkeypatch.setattr(Known, "state", x0)
    back = made.model.generate(audio, samples, [1], sampler)
    torch.testing.assert_close(back, audio, atol=1e-4, rtol=1e-3)


def test_its_sound_has_the_mels_that_are_given_alone_and_beside_a_longer_one():
    rough, made = vocoder(), vocoder()
    rough.model.through.rounds = 0
    audio = 0.1 * torch.randn(2, 1, 2400)
    audio[0, :, 1500:] = 0.0
    samples, mels = torch.tensor([1500, 2400]), LogMel(MEL)
    with torch.no_grad():
        sounds = [
            one.model.generate(audio, samples, [1, 2], one.spec.sampler) for one in (rough, made)
        ]
        alone = made.model.generate(audio[:1, :, :1500], samples[:1], [1], made.spec.sampler)
    off = [
        (mels.encode(one[:1, :, :1500]) - mels.encode(audio[:1, :, :1500])).abs().mean()
        for one in sounds
    ]
    assert off[1] < 0.6 * off[0]
    torch.testing.assert_close(sounds[1][:1, :, :1500], alone, atol=1e-4, rtol=1e-3)


def test_its_loss_reads_the_target_alone():
    made = vocoder().model
    assert made.hears
    assert not made.has_given
    made.check(AudioSpec(rate=8000, target="speech"))


def test_what_does_not_fit_is_refused_by_name(tmp_path):
    with pytest.raises(Refusal, match=r"bands 20, 16; .*high 4000.*, 3000"):
        attach(trained(LogMel(MEL)), vocoder(replace(MEL, bands=16, high=3000.0)), tmp_path)
    with pytest.raises(Refusal, match="no LogMel"):
        attach(vocoder(), vocoder(), tmp_path)
    with pytest.raises(Refusal, match="is no vocoder"):
        attach(trained(LogMel(MEL)), trained(LogMel(MEL)), tmp_path)
    with pytest.raises(Refusal, match="give both the same n_fft and hop"):
        trained(CompressedSTFT(256, 128), given="beside", through=SpreadMel(MEL))
    with pytest.raises(Refusal, match=r"model\.through: with given none"):
        trained(CompressedSTFT(256, 64), through=SpreadMel(MEL))


def test_that_there_is_none_is_said_once_when_a_model_of_mels_is_opened(caplog):
    caplog.set_level("WARNING", "diffaudio")
    speaker = trained(LogMel(MEL))
    assert with_vocoder(speaker) is speaker
    assert named_vocoder(speaker.model, speaker.spec) == GRIFFIN_LIM
    (said,) = (one.message for one in caplog.records)
    assert "no vocoder: Griffin-Lim" in said
    assert "--decode.vocoder exp/" in said
    caplog.clear()
    with_vocoder(trained(CompressedSTFT(256, 64)))
    tell_fallback(speaker.model, replace(speaker.spec, vocoder="exp/vocoder"))
    assert not caplog.records
    assert named_vocoder(speaker.model, replace(speaker.spec, vocoder="exp/v")) == "exp/v"
    other = trained(CompressedSTFT(256, 64))
    assert named_vocoder(other.model, other.spec) is None
