"""KeyedNoise: an item's draws are its own."""

import pytest
import torch

from diffaudio.solve import KeyedNoise


def test_an_item_s_draws_depend_on_key_length_and_number_alone():
    mixed = KeyedNoise([11, 2**63 - 1, 0], (2, 3), [4, 9, 1])
    alone = KeyedNoise([2**63 - 1], (2, 3), [9])
    shuffled = KeyedNoise([0, 2**63 - 1], (2, 3), [1, 9])
    for _ in range(3):
        draw = mixed()
        assert (draw[1] == alone()[0]).all()
        other = shuffled()
        assert (draw[1] == other[1]).all()
        assert (draw[2, ..., :1] == other[0, ..., :1]).all()


def test_padding_is_zero_and_nothing_else_is():
    draw = KeyedNoise([1, 2], (2, 3), [4, 9])()
    assert draw.shape == (2, 2, 3, 9)
    assert (draw[0, ..., 4:] == 0).all()
    assert (draw[0, ..., :4] != 0).all()


def test_draws_keys_and_numbers_differ():
    source = KeyedNoise([1, 2], (1, 1), [1000, 1000])
    first, second = source(), source()
    for a, b in ((first[0], first[1]), (first[0], second[0])):
        assert abs(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]) < 0.13


def test_draws_are_standard_normal():
    draw = KeyedNoise([5], (4, 25), [200])().flatten()  # 20 000 values
    assert abs(draw.mean()) < 4 / 20000**0.5
    assert abs(draw.var() - 1) < 4 * (2 / 20000) ** 0.5
    assert abs((draw**4).mean() - 3) < 4 * (96 / 20000) ** 0.5


def test_keys_and_lengths_must_match():
    with pytest.raises(ValueError, match="zip"):
        KeyedNoise([1, 2], (1, 1), [3])()
