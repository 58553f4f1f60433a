"""The model: loss and generation do not depend on the batch; perfect answers give no loss."""

import pytest
import torch

from diffaudio.codec import CompressedSTFT, Waveform
from diffaudio.data.batch import Batch
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import Net, UNet2d
from diffaudio.process import (
    EDM,
    OUVE,
    VE,
    X0,
    AtEnd,
    Epsilon,
    FlowSE,
    LogNormal,
    RectifiedFlow,
    SchroedingerBridgeVE,
    Uniform,
    Velocity,
)
from diffaudio.solve import DDIM, PredictorCorrector, Sampler, UniformGrid

LENGTHS = [3000, 4321, 1700, 4000]


def tiny(inputs, outputs, bins):
    return UNet2d(inputs, outputs, bins, widths=(8, 16), strides=((2, 2),), depth=1)


def build(path=None, target=None, **options):
    torch.manual_seed(0)
    options = {"given": "beside", "level": "rms", **options}
    times = options.pop("times", Uniform())
    net = options.pop("net", tiny)
    codec = options.pop("codec", CompressedSTFT(n_fft=128, hop=32))
    model = Model(codec, path or SchroedingerBridgeVE(), target or X0(), net, times, **options)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def batch(rows, longest=4321, given=True):
    clean, noisy = torch.zeros(len(rows), 1, longest), torch.zeros(len(rows), 1, longest)
    for i, row in enumerate(rows):
        random = torch.Generator().manual_seed(row)
        clean[i, :, : LENGTHS[row]] = 0.1 * torch.randn(1, LENGTHS[row], generator=random)
        noise = 0.05 * torch.randn(1, LENGTHS[row], generator=random)
        noisy[i, :, : LENGTHS[row]] = clean[i, :, : LENGTHS[row]] + noise
    audio = {"clean": clean, "noisy": noisy} if given else {"clean": clean}
    samples = torch.tensor([LENGTHS[row] for row in rows])
    return Batch([str(row) for row in rows], audio, samples, [100 + row for row in rows], 0)


FORMULATIONS = {
    "bridge": {},
    "bridge-residual": {"given": "residual", "audio_loss": 1.0},
    "regression": {"times": AtEnd(), "given": "residual"},
    "flowse": {"path": FlowSE(), "target": Velocity()},
    "ouve": {"path": OUVE(), "target": Epsilon(), "level": "peak"},
    "edm": {"path": VE(), "target": EDM(), "times": LogNormal(), "level": "none"},
    "flow-wave": {"path": RectifiedFlow(), "target": Velocity(), "codec": Waveform()},
}


@pytest.mark.parametrize("name", FORMULATIONS)
def test_loss_of_an_item_is_its_own(name):
    """Alone, or beside others and padded: the same loss, in every part."""
    model = build(**FORMULATIONS[name])
    together, parts = model(batch([0, 1, 2, 3]))
    for row in range(4):
        alone, _ = model(batch([row], LENGTHS[row]))
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-5)
    assert set(parts) == {"state"} | ({"audio"} if model.audio_loss else set())
    assert torch.isfinite(together).all()


@pytest.mark.parametrize("name", FORMULATIONS)
def test_output_of_an_item_is_its_own(name):
    model = build(**FORMULATIONS[name])
    pc = name == "ouve"
    solver = PredictorCorrector() if pc else DDIM(eta=0.0 if name == "bridge" else 1.0)
    sampler = Sampler(solver, UniformGrid(), 4)

    def run(rows, longest):
        one = batch(rows, longest)
        return model.generate(one.given, one.samples, one.keys, sampler)

    together = run([2, 0, 3, 1], 4321)
    for place, row in enumerate([2, 0, 3, 1]):
        alone = run([row], LENGTHS[row])[0]
        torch.testing.assert_close(
            together[place][:, : LENGTHS[row]], alone, atol=1e-5 * alone.abs().max(), rtol=1e-4
        )


class Perfect(Net):
    """Says what the target is: knows the clean state."""

    def __init__(self, *sizes):
        super().__init__()
        self.answer = None

    def forward(self, x, c_noise, mask=None):
        return self.answer


@pytest.mark.parametrize("given", ["beside", "residual"])
def test_a_perfect_answer_has_no_loss_and_gives_the_target(given):
    model = build(net=Perfect, given=given, audio_loss=1.0, level="peak")
    one = batch([1])
    level = one.given.abs().amax((1, 2), keepdim=True)
    state = model.codec.encode(one.target / level)
    model.net.answer = state - (model.codec.encode(one.given / level) if given == "residual" else 0)
    loss, parts = model(one)
    assert loss.item() < 1e-6
    assert parts["audio"].item() < 1e-6
    out = model.generate(one.given, one.samples, one.keys, Sampler(DDIM(), UniformGrid(), 3))
    torch.testing.assert_close(out, one.target, atol=1e-5, rtol=1e-4)


def test_residual_model_starts_from_what_is_given():
    """An untrained network says 0, so one call of a residual bridge returns the noisy audio."""
    path, codec = SchroedingerBridgeVE(), CompressedSTFT()
    model = Model(codec, path, X0(), tiny, Uniform(), given="residual")
    one = batch([0, 1])
    out = model.generate(one.given, one.samples, one.keys, Sampler(DDIM(), UniformGrid(), 1))
    torch.testing.assert_close(out, one.given, atol=1e-5, rtol=1e-4)


def test_training_times_and_noise_come_from_the_keys():
    model = build()
    one = batch([0, 1])
    first, second = model(one)[0], model(one)[0]
    assert torch.equal(first, second)
    one.keys = [7, 8]
    assert not torch.isclose(model(one)[0], first).any()


def test_audio_padded_beyond_the_longest_item():
    """A loader pads to its grid; neither loss nor output sees that."""
    model = build(audio_loss=1.0)
    tight, wide = batch([0, 2], 3000), batch([0, 2], 4000)
    torch.testing.assert_close(model(wide)[0], model(tight)[0], rtol=1e-4, atol=1e-5)
    sampler = Sampler(DDIM(), UniformGrid(), 2)
    out = [model.generate(one.given, one.samples, one.keys, sampler) for one in (tight, wide)]
    torch.testing.assert_close(out[1], out[0])


def test_silence_in_silence_out():
    model = build(given="residual")
    zeros = torch.zeros(1, 1, 3000)
    sampler = Sampler(DDIM(), UniformGrid(), 2)
    out = model.generate(zeros, torch.tensor([3000]), [1], sampler)
    assert torch.isfinite(out).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(Refusal, match="FlowSE leads to what is given"):
        build(FlowSE(), Velocity(), given="none")
    with pytest.raises(Refusal, match="given audio"):
        build().generate(None, torch.tensor([10]), [1], Sampler(DDIM(), UniformGrid(), 1))
