"""HiFi-GAN against numpy that was written from the paper; when its sound comes."""

import numpy as np
import pytest
import torch
from published import HIFIGAN, HIFIGAN_V3

from diffaudio.codec import LogMel, MelSpec
from diffaudio.codec.hifigan import HiFiGAN
from diffaudio.log import Refusal

MEL = MelSpec(8000, n_fft=16, hop=8, bands=4)
SIZES = {"width": 8, "strides": (4, 2), "kernels": (8, 4), "taps": (3, 5)}


def net(block, mel=MEL):
    torch.manual_seed(0)
    made = HiFiGAN(mel, **SIZES, dilations=((1, 3), (1, 2)), block=block).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.25)
    return made.eval()


def convolved(x, weight, bias, dilation=1):
    """y[o, n] = b[o] + sum over i, k of w[o, i, k] x[i, n + (k - middle) dilation]."""
    outputs, _, taps = weight.shape
    reach = dilation * (taps // 2)
    padded = np.pad(x, ((0, 0), (reach, reach)))
    y = np.tile(bias[:, None], (1, x.shape[1]))
    for k in range(taps):
        y += weight[:, :, k] @ padded[:, k * dilation : k * dilation + x.shape[1]]
    assert y.shape == (outputs, x.shape[1])
    return y


def stretched(x, weight, bias, stride):
    """Each frame adds its kernel from its own stride on, minus half of what the kernel has more."""
    _, outputs, kernel = weight.shape
    spare = kernel - stride
    y = np.zeros((outputs, x.shape[1] * stride + spare))
    for frame in range(x.shape[1]):
        y[:, frame * stride : frame * stride + kernel] += np.einsum(
            "i,iok->ok", x[:, frame], weight
        )
    return y[:, spare // 2 : spare // 2 + x.shape[1] * stride] + bias[:, None]


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


def by_hand(held, logs, block):
    def at(name):
        return held[f"{name}.weight"].numpy(), held[f"{name}.bias"].numpy()

    x = convolved(logs, *at("conv_pre"))
    for stage, stride in enumerate(SIZES["strides"]):
        x = stretched(leaky(x, 0.1), *at(f"ups.{stage}"), stride)
        made = []
        for number, dilations in enumerate(((1, 3), (1, 2))):
            h, name = x, f"resblocks.{2 * stage + number}"
            for layer, dilation in enumerate(dilations):
                if block == "1":
                    change = convolved(leaky(h, 0.1), *at(f"{name}.convs1.{layer}"), dilation)
                    h = h + convolved(leaky(change, 0.1), *at(f"{name}.convs2.{layer}"))
                else:
                    h = h + convolved(leaky(h, 0.1), *at(f"{name}.convs.{layer}"), dilation)
            made.append(h)
        x = sum(made) / len(made)
    return np.tanh(convolved(leaky(x, 0.01), *at("conv_post")))


@pytest.mark.parametrize("block", ["1", "2"])
def test_it_is_the_network_of_the_paper(block):
    made = net(block)
    logs = np.random.default_rng(0).normal(size=(4, 7))
    with torch.no_grad():
        sound = made.stretch(torch.from_numpy(logs)[None])
    wanted = by_hand(made.state_dict(), logs, block)
    assert sound.shape == (1, 1, 56)
    assert 0.05 < np.abs(wanted).mean() < 0.95  # neither silent nor all at full scale
    np.testing.assert_allclose(sound[0], wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("said", "millions"),
    [({**HIFIGAN, "upsample_initial_channel": 128}, 0.92), (HIFIGAN_V3, 1.46)],
    ids=["V2", "V3"],
)
def test_it_has_as_many_parameters_as_the_paper_says(said, millions):
    """Kong et al. 2020, table 1."""
    made = HiFiGAN(
        MelSpec(22050),
        width=said["upsample_initial_channel"],
        strides=said["upsample_rates"],
        kernels=said["upsample_kernel_sizes"],
        taps=said["resblock_kernel_sizes"],
        dilations=said["resblock_dilation_sizes"],
        block=said["resblock"],
    )
    assert abs(sum(one.numel() for one in made.parameters()) / 1e6 - millions) < 0.01


@pytest.mark.parametrize(("block", "inside"), [("1", ("convs1", "convs2")), ("2", ("convs",))])
def test_parameters_have_the_names_of_the_published_ones(block, inside):
    names = ["conv_pre", "conv_post", "ups.0", "ups.1"]
    names += [f"resblocks.{n}.{part}.{k}" for n in range(4) for part in inside for k in range(2)]
    wanted = {f"{name}.{kind}" for name in names for kind in ("weight", "bias")}
    assert {*net(block).state_dict()} == wanted


@pytest.mark.parametrize("samples", [1, 31, 32, 63, 64, 65, 1000])
def test_sound_is_as_long_as_asked(samples):
    mel = MelSpec(8000, n_fft=16, hop=8, bands=4)
    logs = torch.randn(2, 1, 4, samples // 8 + 1, dtype=torch.double)
    with torch.no_grad():
        assert net("1", mel)(logs, samples).shape == (2, 1, samples)


def bump():
    """A HiFi-GAN made by hand: a frame's level above the floor, spread evenly around its hop."""
    mel = MelSpec(8000, n_fft=256, hop=64, bands=20)
    made = HiFiGAN(
        mel, width=4, strides=(8, 8), kernels=(16, 16), taps=(3,), dilations=((1,),), block="2"
    )
    for parameter in made.parameters():
        torch.nn.init.zeros_(parameter)
    made.conv_pre.weight.data[0, :, 3] = 1.0 / mel.bands
    made.conv_pre.bias.data[0] = -mel.quiet
    for up in made.ups:
        up.weight.data[0, 0] = torch.hann_window(17)[1:] + torch.hann_window(17)[:-1]
        up.weight.data[0, 0] = (up.weight.data[0, 0] + up.weight.data[0, 0].flip(0)) / 16
    made.conv_post.weight.data[0, 0, 3] = 0.01
    return made.eval()


@pytest.mark.parametrize("click", [960, 992, 1024])  # on a frame, between two, on the next
def test_a_click_is_heard_when_it_was(click):
    """Half a hop is 32 samples: without the shift the click would be that much late."""
    made = bump()
    audio = torch.zeros(1, 1, 2000)
    audio[..., click] = 1.0
    with torch.no_grad():
        sound = made(LogMel(made.mel, offset=0.0, scale=1.0).encode(audio), 2000)[0, 0]
    middle = (sound * torch.arange(2000)).sum() / sound.sum()
    assert sound.max() > 1e-3
    assert abs(middle - click) <= 1.0


def test_sizes_that_make_another_number_of_samples_are_refused():
    good = {**SIZES, "dilations": ((1,), (1,)), "block": "1"}
    for wrong in ({"strides": (2, 2)}, {"kernels": (7, 4)}, {"kernels": (2, 4)}, {"taps": (3, 4)}):
        with pytest.raises(Refusal, match="do not make 8 samples of a frame"):
            HiFiGAN(MEL, **{**good, **wrong})
