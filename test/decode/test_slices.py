"""What a slice holds; what becomes of it is tested with the whole stage in test_stage.py."""

import numpy as np
import pytest

from diffaudio.decode import slices


@pytest.mark.parametrize("least", [1, 7, 100, 10**6])
def test_slices_hold_every_row_once_in_order(least):
    samples = np.random.default_rng(0).integers(1, 50, 200)
    parts = slices.slices(samples, least)
    assert [row for part in parts for row in part] == list(range(200))
    assert all(part for part in parts)
    assert slices.slices(samples[:0], least) == []
