import torch

from diffaudio.nets import layers


def test_a_coarse_frame_counts_where_any_of_its_frames_does():
    mask = torch.tensor([1.0, 1, 1, 0, 0, 0, 0])[None, None, None]
    assert layers.pool_mask(mask, 2).flatten().tolist() == [1, 1, 0, 0]
    assert layers.pool_mask(mask, 4).flatten().tolist() == [1, 0]
    assert layers.pool_mask(None, 2) is None


def test_padding_is_to_the_next_multiple_and_what_divides_stays_itself():
    x = torch.randn(1, 2, 5, 7)
    padded = layers.pad_to(x, (4, 2))
    assert padded.shape == (1, 2, 8, 8)
    assert torch.equal(padded[:, :, :5, :7], x)
    assert (padded != 0).sum() == (x != 0).sum()
    assert layers.pad_to(x, (5, 7)) is x


def test_a_row_goes_back_to_its_bins():
    x = torch.randn(2, 3, 4, 5)
    row = layers.as_row(x, None, 2)
    assert row.shape == (2, 12, 1, 6)
    assert torch.equal(layers.as_bins(row, 4, 5), x)


def test_channel_norm_is_over_the_channels_of_each_position():
    x = 3.0 + 2.0 * torch.randn(2, 64, 3, 4)
    mean, spread = x.mean(1, keepdim=True), x.var(1, unbiased=False, keepdim=True)
    by_hand = (x - mean) / (spread + 1e-5).sqrt()
    torch.testing.assert_close(layers.channel_norm(x), by_hand)


def test_modulation_starts_as_nothing_and_is_scale_and_shift():
    film, x, embedding = layers.Modulation(4, 3), torch.randn(2, 3, 5, 6), torch.randn(2, 4)
    assert torch.equal(film(x, embedding), x)
    torch.nn.init.normal_(film.linear.weight)
    scale, shift = (embedding @ film.linear.weight.T).split(3, 1)
    by_hand = x * (1 + scale[..., None, None]) + shift[..., None, None]
    torch.testing.assert_close(film(x, embedding), by_hand)


def test_patches_do_not_overlap():
    down, x = layers.Patches(1, 6, (2, 3)), torch.randn(1, 1, 4, 9)
    changed = x.clone()
    changed[..., 2:4, 3:6] += 1.0
    moved = (down(changed) - down(x)).abs().sum((0, 1)) > 0
    assert moved.nonzero().tolist() == [[1, 1]]
    assert layers.Unpatches(6, 1, (2, 3))(down(x)).shape == x.shape
