"""Promises of every network: any length, padding-invariant, every parameter used, zero at first."""

import math

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.nets import BandTransformer, Condition, UNet1d, UNet2d, WaveNet
from diffaudio.nets.attention import GridBlock
from diffaudio.nets.layers import NoiseEmbedding

NETS = {
    "unet2d": lambda: UNet2d(4, 2, 65, widths=(8, 16, 24), patch=(4, 2), depth=1,
                             strides=((2, 2), (2, 1))),
    "unet2d-flat": lambda: UNet2d(4, 2, 1, widths=(8, 16), patch=(1, 4), strides=((1, 2),)),
    "unet1d": lambda: UNet1d(4, 2, 1, widths=(8, 16), patch=4, strides=(2,), depth=1),
    "unet1d-bins": lambda: UNet1d(4, 2, 5, widths=(8, 16), patch=3, strides=(2,), depth=1),
    "wavenet": lambda: WaveNet(4, 2, 1, width=8, layers=4, cycle=3),
    "wavenet-bins": lambda: WaveNet(4, 2, 5, width=8, layers=2, patch=3),
    "bands": lambda: BandTransformer(4, 2, 65, bands=8, width=16, depth=2, heads=2),
    "dit": lambda: BandTransformer(4, 2, 20, bands=1, patch=1, width=16, depth=2, heads=2),
}  # fmt: skip
BINS = {"unet2d": 65, "unet2d-flat": 1, "unet1d": 1, "unet1d-bins": 5, "wavenet": 1,
        "wavenet-bins": 5, "bands": 65, "dit": 20}  # fmt: skip


def build(name):
    torch.manual_seed(0)
    net = NETS[name]()
    for parameter in net.parameters():  # zeroed branches would hide what they compute
        torch.nn.init.normal_(parameter, std=0.2)
    return net


@pytest.mark.parametrize("name", NETS)
def test_starts_as_zero(name):
    net = NETS[name]()
    assert net(torch.randn(2, 4, BINS[name], 9), torch.rand(2)).abs().max() == 0


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("frames", [1, 2, 7, 16])
def test_any_length(name, frames):
    out = build(name)(torch.randn(2, 4, BINS[name], frames), torch.rand(2))
    assert out.shape == (2, 2, BINS[name], frames)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("short", [1, 5, 7])
def test_padding_changes_nothing(name, short):
    net, long = build(name), 23
    x, c_noise = torch.randn(2, 4, BINS[name], long), torch.rand(2)
    x[0, ..., short:] = 9
    mask = torch.ones(2, 1, 1, long)
    mask[0, ..., short:] = 0
    batched = net(x, c_noise, mask)
    alone = net(x[:1, ..., :short], c_noise[:1])
    torch.testing.assert_close(batched[:1, ..., :short], alone, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(batched[1:], net(x[1:], c_noise[1:]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NETS)
def test_every_parameter_matters(name):
    net = build(name)
    net(torch.randn(2, 4, BINS[name], 12), torch.rand(2)).square().sum().backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert silent == []


DEEP = {
    "unet2d": lambda depth: UNet2d(4, 2, 65, widths=(8, 16), strides=((2, 2),), depth=depth),
    "unet1d": lambda depth: UNet1d(4, 2, 1, widths=(8, 16), strides=(2,), depth=depth),
    "bands": lambda depth: BandTransformer(4, 2, 65, width=16, heads=2, depth=depth),
}


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("name", DEEP)
def test_there_are_as_many_attention_blocks_as_asked_for(name, depth):
    found = [module for module in DEEP[name](depth).modules() if isinstance(module, GridBlock)]
    assert len(found) == depth


SMALLEST = {
    "unet2d": lambda: UNet2d(1, 1, 1, widths=(2,), patch=(1, 1), strides=(), blocks=0, depth=1),
    "unet2d without attention": lambda: UNet2d(
        1, 1, 1, widths=(2, 2), patch=(1, 1), strides=((1, 1),), blocks=1, depth=0
    ),
    "unet2d without residual blocks": lambda: UNet2d(
        1, 1, 1, widths=(2, 2), patch=(1, 1), strides=((1, 1),), blocks=0, depth=1
    ),
    "unet1d": lambda: UNet1d(1, 1, 1, widths=(2,), patch=1, strides=(), blocks=0, depth=1),
    "wavenet": lambda: WaveNet(1, 1, 1, width=1, layers=1, cycle=1),
    "bands": lambda: BandTransformer(1, 1, 1, bands=1, patch=1, width=2, depth=1, heads=1),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_every_parameter_of_the_smallest_has_a_gradient(name):
    """Ranks that train together wait for the gradient of every weight."""
    torch.manual_seed(0)
    net = SMALLEST[name]()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    net(torch.randn(2, 1, 1, 5), torch.rand(2)).square().sum().backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert silent == []


def test_sinusoids_of_the_noise_level_by_hand():
    """Three sinusoids have 1, sqrt(1000) and 1000 radians a unit."""
    embed = NoiseEmbedding(8, sinusoids=3)
    embed.layers = torch.nn.ModuleList([torch.nn.Identity()] * 4)
    angles = [0.1, 0.1 * math.sqrt(1000), 100.0]
    wanted = [*map(math.cos, angles), *map(math.sin, angles)]
    assert embed(torch.tensor([0.1]))[0].tolist() == pytest.approx(wanted, abs=1e-4)


def test_noise_levels_are_far_apart():
    embed = NoiseEmbedding(8)
    embed.layers = torch.nn.ModuleList([torch.nn.Identity()] * 4)
    near, far, same = embed(torch.tensor([0.1, 0.9, 0.1001]))
    assert torch.cosine_similarity(near, far, 0) < 0.5
    assert torch.cosine_similarity(near, same, 0) > 0.99


@pytest.mark.parametrize("name", NETS)
def test_noise_level_matters(name):
    net, x = build(name), torch.randn(1, 4, BINS[name], 8)
    near, far = (net(x, torch.tensor([t])) for t in (0.1, 0.9))
    assert (near - far).abs().max() > 1e-3


@pytest.mark.parametrize("name", NETS)
def test_a_condition_matters_to_its_own_item(name):
    net, x, c_noise = build(name), torch.randn(2, 4, BINS[name], 8), torch.rand(2)
    condition = Condition(torch.randn(2, net.embedding))
    told, other = net(x, c_noise, None, condition), net(x, c_noise)
    assert (told - other).abs().amax((1, 2, 3)).min() > 1e-3
    condition.vector[1] = 0  # what is added to the noise level
    torch.testing.assert_close(net(x, c_noise, None, condition)[0], told[0])
    torch.testing.assert_close(net(x, c_noise, None, condition)[1], other[1])


CROSS = {
    "unet2d": lambda: UNet2d(4, 2, 65, widths=(8, 16), strides=((2, 2),), cross_attention=True),
    "bands": lambda: BandTransformer(4, 2, 65, width=16, depth=2, cross_attention=True),
}


@pytest.mark.parametrize("name", CROSS)
def test_tokens_matter_to_their_own_item(name):
    torch.manual_seed(0)
    net, x, c_noise = CROSS[name](), torch.randn(2, 4, 65, 8), torch.rand(2)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    vector, tokens = torch.randn(2, net.embedding), torch.randn(2, 3, net.embedding)
    told = net(x, c_noise, None, Condition(vector, tokens, torch.ones(2, 3, dtype=torch.bool)))
    told.square().sum().backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert silent == []
    inside = torch.tensor([[True, False, True], [True, True, True]])
    less = net(x, c_noise, None, Condition(vector, tokens, inside))
    assert (told - less)[0].abs().max() > 1e-3
    torch.testing.assert_close(less[1], told[1])
    alone = Condition(vector[:1], tokens[:1, ::2], inside[:1, ::2])
    torch.testing.assert_close(
        net(x[:1], c_noise[:1], None, alone)[0], less[0], rtol=1e-4, atol=1e-5
    )
    for condition in (None, Condition(vector)):
        with pytest.raises(Refusal, match="no tokens"):
            net(x, c_noise, None, condition)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="strides"):
        UNet2d(4, 2, 64, widths=(8, 16), strides=((2, 2), (2, 2)))
    with pytest.raises(ValueError, match="at least 2"):
        UNet2d(4, 2, 64, widths=(1, 16), strides=((2, 2),))
    for blocks, strides in ((0, ((2, 2),)), (1, ())):
        with pytest.raises(ValueError, match="nothing sees the noise level"):
            UNet2d(4, 2, 64, widths=(8,) * (len(strides) + 1), strides=strides, blocks=blocks,
                   depth=0)  # fmt: skip
    with pytest.raises(ValueError, match="cross_attention"):
        UNet2d(4, 2, 64, depth=0, cross_attention=True)
    with pytest.raises(ValueError, match="depth must be at least 1"):
        BandTransformer(4, 2, 64, depth=0)
    with pytest.raises(ValueError, match="heads"):
        BandTransformer(4, 2, 64, width=30, heads=4)
    with pytest.raises(ValueError, match="patch must be at least 1"):
        UNet1d(4, 2, 1, patch=0)
    with pytest.raises(ValueError, match="strides"):
        UNet1d(4, 2, 1, widths=(8, 16), strides=())
    for options in ({"layers": 0}, {"cycle": 0}, {"patch": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            WaveNet(4, 2, 1, **options)


def test_a_condition_is_added_to_what_the_first_layer_makes_of_the_noise_level():
    torch.manual_seed(0)
    embed, vector, c_noise = NoiseEmbedding(8), torch.randn(8), torch.rand(3)
    told = embed(c_noise, Condition(vector.expand(3, 8)))
    embed.layers[0].bias.data += vector
    torch.testing.assert_close(embed(c_noise), told)
