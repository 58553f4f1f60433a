from __future__ import annotations

import functools

import numpy as np
import pytest

from diffaudio.metrics.warp import warp


def least(costs):
    """The least sum by the definition, a plain recursion."""

    @functools.cache
    def upto(i, j):
        if min(i, j) < 0:
            return np.inf
        before = min(upto(i - 1, j - 1), upto(i - 1, j), upto(i, j - 1)) if i or j else 0.0
        return costs[i, j] + before

    return upto(costs.shape[0] - 1, costs.shape[1] - 1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 1), (5, 5), (4, 9), (12, 7)])
def test_the_path_costs_the_least_and_goes_from_end_to_end_in_single_steps(shape):
    for seed in range(5):
        costs = np.random.default_rng(seed).random(shape)
        path = warp(costs)
        assert costs[path[:, 0], path[:, 1]].sum() == pytest.approx(least(costs))
        assert path[0].tolist() == [0, 0]
        assert path[-1].tolist() == [shape[0] - 1, shape[1] - 1]
        steps = np.diff(path, axis=0)
        assert set(map(tuple, steps)) <= {(1, 1), (1, 0), (0, 1)}


def test_equal_frames_are_found_where_one_lasts_longer():
    a = np.array([0, 1, 2, 3.0])
    b = np.array([0, 1, 1, 1, 2, 3, 3.0])
    path = warp(np.abs(a[:, None] - b))
    assert (a[path[:, 0]] == b[path[:, 1]]).all()


def test_equal_ones_are_paired_frame_by_frame():
    assert (warp(np.zeros((6, 6))) == np.arange(6)[:, None]).all()
