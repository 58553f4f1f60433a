import torch

from diffaudio.nets.unet2d import ResidualBlock, UNet2d


def test_a_block_starts_as_the_identity_and_its_padding_does_not_leak():
    torch.manual_seed(0)
    block, x, embedding = ResidualBlock(4, 8, 6), torch.randn(1, 4, 8, 9), torch.randn(1, 6)
    assert torch.equal(block(x, embedding, None), x)
    torch.nn.init.normal_(block.second.weight)
    mask = (torch.arange(9) < 5).float()[None, None, None]
    noisy = torch.where(mask > 0, x, torch.randn_like(x))
    inside = [block(one, embedding, mask)[..., :5] for one in (x, noisy)]
    torch.testing.assert_close(*inside)
    alone = block(x[..., :5], embedding, None)
    torch.testing.assert_close(inside[0], alone)


def test_a_single_row_has_no_weights_for_rows_that_are_not_there():
    assert ResidualBlock(4, 1, 6).first.weight.shape == (4, 4, 1, 3)
    assert ResidualBlock(4, 2, 6).first.weight.shape == (4, 4, 3, 3)


def test_an_untrained_net_says_nothing_at_any_size():
    net = UNet2d(2, 1, 13, widths=[8, 32], patch=[4, 2], strides=[[2, 2]], blocks=1, depth=1)
    made = net(torch.randn(3, 2, 13, 11), torch.zeros(3))
    assert made.shape == (3, 1, 13, 11)
    assert made.abs().max() == 0.0  # the last layer is zero: the target's own scaling is the answer
