import math

import torch

from diffaudio.nets import WaveNet
from diffaudio.nets.wavenet import GatedLayer


@torch.no_grad()
def test_a_layer_by_hand():
    """One channel, dilation 2: three taps, the noise level added first, a gate, two outputs."""
    torch.manual_seed(0)
    layer = GatedLayer(1, 2, 3, last=False)
    x, embedding = torch.randn(1, 1, 1, 5), torch.randn(1, 3)
    on, skip = layer(x, embedding, torch.tensor([[[[1.0, 1, 1, 1, 0]]]]))
    h = [(v + layer.noise(embedding)).item() for v in x.flatten()[:4]] + [0.0]
    (content, gate), bias = layer.dilated.weight[:, 0, 0].tolist(), layer.dilated.bias.tolist()
    for i in range(4):
        seen = [h[j] if 0 <= j < 5 else 0.0 for j in (i - 2, i, i + 2)]
        a = bias[0] + sum(w * v for w, v in zip(content, seen, strict=True))
        b = bias[1] + sum(w * v for w, v in zip(gate, seen, strict=True))
        gated = math.tanh(a) / (1 + math.exp(-b))
        wanted = [
            float(w) * gated + float(c)
            for w, c in zip(layer.out.weight, layer.out.bias, strict=True)
        ]
        assert math.isclose(skip[..., i], wanted[0], abs_tol=1e-6)
        assert math.isclose(on[..., i], (float(x[..., i]) + wanted[1]) / math.sqrt(2), abs_tol=1e-6)


def test_sees_as_far_as_its_dilations():
    """Layers of dilations 1, 2, 4, 1 reach eight frames to both sides and no further."""
    torch.manual_seed(0)
    net = WaveNet(1, 1, 1, width=4, layers=4, cycle=3).double()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(1, 1, 1, 41).double().requires_grad_()
    net(x, torch.rand(1).double())[..., 20].sum().backward()
    assert x.grad.flatten().nonzero().flatten().tolist() == list(range(12, 29))


def test_skips_are_summed():
    """Three of four layers give nothing: left is the first one's skip over the root of four."""
    torch.manual_seed(0)
    net, x, c_noise = WaveNet(1, 1, 1, width=4, layers=4), torch.randn(1, 1, 1, 9), torch.rand(1)
    for layer in net.layers[1:]:
        for parameter in layer.out.parameters():
            torch.nn.init.zeros_(parameter)
    torch.nn.init.normal_(net.head.conv.weight)
    h = torch.nn.functional.silu(net.stem(x))
    skip = net.layers[0](h, net.embed(c_noise), None)[1]
    wanted = net.head(torch.nn.functional.silu(net.sum(skip / 2)))
    torch.testing.assert_close(net(x, c_noise), wanted)
