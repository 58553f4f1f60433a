import pytest
import torch

from diffaudio.nets import UNet1d


@pytest.mark.parametrize(("patch", "covered"), [(1, 1), (4, 2), (5, 1.8)])
def test_frames_overlap_and_add(patch, covered):
    """Without a network between, a sample comes back once for each frame that holds it."""
    torch.manual_seed(0)
    net = UNet1d(1, 1, 1, widths=(2,), patch=patch, strides=(), depth=1)
    net.core.forward = lambda x, *_: x
    x, n = torch.randn(2, 1, 1, 6 * patch), patch // 2
    times = (net(x, torch.rand(2)) / x)[0, 0, 0]
    assert times.mean().item() == pytest.approx(
        covered - 2 * n / len(times)
    )  # none beyond the ends
    assert times[:n].tolist() == pytest.approx([1.0] * n)
    assert times[patch : patch + n].tolist() == pytest.approx([2.0] * n)


def test_no_weight_is_for_rows_that_are_not_there():
    torch.manual_seed(0)
    net = UNet1d(1, 1, 1, widths=(8, 16), patch=4, strides=(2,), depth=0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    net(torch.randn(4, 1, 1, 64), torch.rand(4)).square().sum().backward()
    assert {name: 0 for name, _ in net.named_parameters()} == {
        name: int((parameter.grad == 0).sum()) for name, parameter in net.named_parameters()
    }


def test_bins_are_channels():
    """Two bins of one channel are what two channels of one bin are."""
    torch.manual_seed(0)
    net = UNet1d(1, 1, 2, widths=(8, 16), patch=4, strides=(2,), depth=1)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    flat = UNet1d(2, 2, 1, widths=(8, 16), patch=4, strides=(2,), depth=1)
    flat.load_state_dict(net.state_dict())
    x, c_noise = torch.randn(1, 1, 2, 11), torch.rand(1)
    torch.testing.assert_close(
        net(x, c_noise)[0, 0], flat(x.mT.mT.view(1, 2, 1, 11), c_noise)[0, :, 0]
    )
