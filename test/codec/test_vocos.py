"""Vocos against numpy that was written from the paper, its STFT turned back by overlap and add."""

import numpy as np
import pytest
import torch
from scipy.special import erf

from diffaudio.codec import MelSpec
from diffaudio.codec.vocos import Vocos

MEL = MelSpec(8000, n_fft=32, hop=8, bands=5)
KINDS = ("weight", "bias")


def net():
    torch.manual_seed(0)
    made = Vocos(MEL, width=6, hidden=10, depth=2).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()


def normal(x, weight, bias):
    """Layer norm of (l, width)."""
    centred = x - x.mean(1, keepdims=True)
    return weight * centred / np.sqrt(x.var(1, keepdims=True) + 1e-6) + bias


def by_hand(held, logs, samples):
    def at(name):
        return held[f"{name}.weight"].numpy(), held[f"{name}.bias"].numpy()

    def around(x, frame):  # seven frames (7, channels), zeros beyond the ends
        padded = np.pad(x, ((3, 3), (0, 0)))
        return padded[frame : frame + 7]

    weight, bias = at("backbone.embed")
    x = np.stack([np.einsum("oik,ki->o", weight, around(logs, n)) for n in range(len(logs))]) + bias
    x = normal(x, *at("backbone.norm"))
    for block in ("backbone.convnext.0", "backbone.convnext.1"):
        weight, bias = at(f"{block}.dwconv")
        h = np.stack([np.einsum("ck,kc->c", weight[:, 0], around(x, n)) for n in range(len(x))])
        h = normal(h + bias, *at(f"{block}.norm"))
        weight, bias = at(f"{block}.pwconv1")
        h = h @ weight.T + bias
        h = 0.5 * h * (1 + erf(h / np.sqrt(2)))
        weight, bias = at(f"{block}.pwconv2")
        x = x + held[f"{block}.gamma"].numpy() * (h @ weight.T + bias)
    weight, bias = at("head.out")
    said = normal(x, *at("backbone.final_layer_norm")) @ weight.T + bias
    spectrum = np.minimum(np.exp(said[:, :17]), 100.0) * np.exp(1j * said[:, 17:])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(32) / 32)
    total, squares = np.zeros((2, 8 * len(logs) + 32))
    for frame, one in enumerate(spectrum):
        one[[0, -1]] = one[[0, -1]].real  # what has no sine has no phase either
        total[8 * frame : 8 * frame + 32] += window * np.fft.irfft(one)
        squares[8 * frame : 8 * frame + 32] += window**2
    return total[16 : 16 + samples] / squares[16 : 16 + samples]


@pytest.mark.parametrize("samples", [48, 51, 55])
def test_it_is_the_network_of_the_paper(samples):
    made = net()
    logs = np.random.default_rng(0).normal(size=(7, 5))
    with torch.no_grad():
        sound = made(torch.from_numpy(logs.T)[None, None], samples)
    assert sound.shape == (1, 1, samples)
    wanted = by_hand(made.state_dict(), logs, samples)
    gap = np.abs(sound[0, 0].numpy() - wanted).max()
    assert gap < 1e-6 * np.abs(wanted).max()  # the network's window has been in single precision


@pytest.mark.parametrize("samples", [1, 7, 8, 9, 31, 1000])
def test_sound_is_as_long_as_asked(samples):
    with torch.no_grad():
        sound = net()(torch.randn(2, 1, 5, samples // 8 + 1, dtype=torch.double), samples)
    assert sound.shape == (2, 1, samples)
    assert torch.isfinite(sound).all()


def test_parameters_have_the_names_of_the_published_ones():
    block = {
        f"{name}.{kind}" for name in ("dwconv", "norm", "pwconv1", "pwconv2") for kind in KINDS
    }
    ends = ("backbone.embed", "backbone.norm", "backbone.final_layer_norm", "head.out")
    wanted = {f"{name}.{kind}" for name in ends for kind in KINDS}
    wanted |= {f"backbone.convnext.{n}.{name}" for n in (0, 1) for name in {*block, "gamma"}}
    assert {*net().state_dict()} == wanted
