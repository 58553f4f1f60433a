import pytest
import torch

from diffaudio.nets.band_transformer import BandLinear, BandTransformer


def test_every_band_has_a_linear_map_of_its_own():
    torch.manual_seed(0)
    layer, x = BandLinear(3, 4, 5), torch.randn(2, 3, 7, 4)
    torch.nn.init.normal_(layer.bias)
    mapped = layer(x)
    for band in range(3):
        by_hand = x[:, band] @ layer.weight[band] + layer.bias[band, 0]
        torch.testing.assert_close(mapped[:, band], by_hand)


@pytest.mark.parametrize(("bins", "bands"), [(8, 4), (9, 4), (7, 1)])
def test_bins_that_do_not_divide_into_bands_come_back_as_many(bins, bands):
    net = BandTransformer(2, 1, bins, bands=bands, patch=2, width=16, depth=1, heads=2)
    assert net(torch.randn(3, 2, bins, 5), torch.zeros(3)).shape == (3, 1, bins, 5)


def test_a_net_without_blocks_would_not_see_the_noise_level():
    with pytest.raises(ValueError, match="depth must be at least 1"):
        BandTransformer(1, 1, 8, depth=0)
