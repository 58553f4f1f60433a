import torch

from diffaudio.nets.attention import Attention, rotate


def test_rotation_depends_on_distance_only():
    """<rotate(q) at i, rotate(k) at j> is a function of i - j."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 8).double()
    scores = rotate(q.expand(20, 8)) @ rotate(k.expand(20, 8)).T
    for offset in (0, 3, 7):
        diagonal = scores.diagonal(offset)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert (scores[0, 0] - scores[0, 7]).abs() > 1e-3


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
