import math

import pytest
import torch

from diffaudio.nets import Condition
from diffaudio.nets.attention import Attention, CrossAttention, _attend, rotate


def test_rotation_depends_on_distance_only():
    """<rotate(q) at i, rotate(k) at j> is a function of i - j."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 8).double()
    scores = rotate(q.expand(20, 8)) @ rotate(k.expand(20, 8)).T
    for offset in (0, 3, 7):
        diagonal = scores.diagonal(offset)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert (scores[0, 0] - scores[0, 7]).abs() > 1e-3


def test_rotation_by_hand():
    """Of four features the pairs are (0, 2) and (1, 3); they turn by 1 and by 1/100 a position."""
    turned = rotate(torch.tensor([[1.0, 1.0, 0.0, 0.0]]).double().expand(3, 4))
    wanted = [math.cos(2), math.cos(0.02), math.sin(2), math.sin(0.02)]
    assert turned[2].tolist() == pytest.approx(wanted, abs=1e-7)
    assert turned[0].tolist() == [1, 1, 0, 0]


def test_attention_depends_on_distance_only():
    """The same sequence five positions later, behind keys that count for nothing: the same."""
    torch.manual_seed(0)
    layer, x = Attention(16, 2), torch.randn(2, 6, 16)
    later = torch.nn.functional.pad(x, (0, 0, 5, 0), value=7.0)
    bias = torch.zeros(1, 1, 1, 11)
    bias[..., :5] = float("-inf")
    torch.testing.assert_close(layer(later, bias)[:, 5:], layer(x), atol=1e-5, rtol=1e-4)
    turned = layer(x.roll(1, 1)).roll(-1, 1)
    assert (turned - layer(x)).abs().max() > 1e-3  # but not whatever the order


@pytest.mark.parametrize("padded", [0, 3])
def test_a_bias_is_added_to_the_scores_before_the_softmax(padded):
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 3, 7, 4)
    bias = torch.randn(2, 1, 1, 7)
    bias[..., 7 - padded :] = float("-inf")
    fused = torch.nn.functional.scaled_dot_product_attention(q, k, v, bias)
    torch.testing.assert_close(_attend(q, k, v, bias), fused)
    weights = [math.exp((q[0, 0, 2] @ k[0, 0, j]) / 2 + bias[0, 0, 0, j]) for j in range(7)]
    mean = sum(w * v[0, 0, j] for j, w in enumerate(weights)) / sum(weights)
    torch.testing.assert_close(_attend(q, k, v, bias)[0, 0, 2], mean)


def test_equals_the_fused_kernel():
    torch.manual_seed(0)
    layer, x = Attention(16, 2), torch.randn(3, 10, 16)
    q, k, v = layer.qkv(x).unflatten(-1, (3, 2, -1)).permute(2, 0, 3, 1, 4)
    q, k = (rotate(torch.nn.functional.layer_norm(u, (8,))) for u in (q, k))
    fused = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(layer(x), layer.out(fused.transpose(1, 2).flatten(2)))


def test_masked_keys_are_unseen():
    torch.manual_seed(0)
    layer, x = Attention(16, 2), torch.randn(1, 6, 16)
    bias = torch.zeros(1, 1, 1, 6)
    bias[..., 4:] = float("-inf")
    before = layer(x, bias)
    x[:, 4:] += 10
    torch.testing.assert_close(layer(x, bias)[:, :4], before[:, :4])


def test_cross_attention_by_hand():
    """Every place averages the values of its item's tokens by exp(normed q . k / sqrt(d))."""
    torch.manual_seed(0)
    layer, x = CrossAttention(8, 2, 6), torch.randn(2, 8, 3, 5)
    torch.nn.init.eye_(layer.out.weight)
    tokens = torch.randn(2, 4, 6)
    inside = torch.tensor([[True, True, True, False], [True, True, True, True]])
    made = layer(x, Condition(torch.zeros(2, 6), tokens, inside))
    norm = lambda v: (v - v.mean()) / (v.var(unbiased=False) + 1e-5).sqrt()  # noqa: E731
    keys, values = (tokens[0, :3] @ layer.key_value.weight.T).split(8, -1)
    for head in (slice(0, 4), slice(4, 8)):
        q = norm((layer.query.weight @ x[0, :, 1, 3])[head])
        weights = torch.stack([(q @ norm(k[head]) / 2).exp() for k in keys])
        wanted = (weights[:, None] * values[:, head]).sum(0) / weights.sum()
        torch.testing.assert_close(made[0, head, 1, 3], wanted)
