"""Nearest clips by brute force, log-mel distances in dB, and shares of copies that were planted."""

from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics.neighbours import log_mel, nearer, nearest, quantiles

RATE = 8000


def sound(seed, n=RATE):
    random = np.random.default_rng(seed)
    return (0.1 * random.standard_normal(n)).astype(np.float32)


def test_the_nearest_is_the_one_that_a_loop_finds(monkeypatch):
    monkeypatch.setattr("diffaudio.metrics.neighbours._ROWS", 4)
    random = np.random.default_rng(0)
    points, train = random.normal(size=(10, 3)), random.normal(size=(7, 3))
    found = nearest(points, train)
    for point, row, distance in zip(points, found.rows, found.distances, strict=True):
        all_of_them = [np.linalg.norm(point - other) for other in train]
        assert row == int(np.argmin(all_of_them))
        assert distance == pytest.approx(min(all_of_them))


def test_a_clip_is_not_its_own_neighbour(monkeypatch):
    monkeypatch.setattr("diffaudio.metrics.neighbours._ROWS", 2)
    train = np.array([[0.0], [1.0], [3.0], [3.5], [9.0]])
    found = nearest(train, train, own=True)
    assert found.rows.tolist() == [1, 0, 3, 2, 3]
    assert found.distances == pytest.approx([1, 1, 0.5, 0.5, 5.5])
    assert nearest(train, train).distances == pytest.approx(0, abs=1e-6)


def test_level_does_not_count_and_a_gain_of_one_half_counts_in_decibels():
    x = sound(0)
    whole = log_mel(x, RATE, RATE)
    assert log_mel(0.05 * x, RATE, RATE) == pytest.approx(whole, abs=0.02)
    half = x.copy()
    half[RATE // 2 :] *= 10 ** (-6 / 20)
    apart = np.linalg.norm(log_mel(half, RATE, RATE) - whole)
    assert apart == pytest.approx(3, rel=0.03)  # 3 dB either way from the mean


def test_a_short_clip_is_followed_by_silence_and_a_long_one_is_cut():
    x = sound(1)
    short = np.pad(x[:4000], (0, 4000))
    assert log_mel(x[:4000], RATE, RATE) == pytest.approx(log_mel(short, RATE, RATE))
    longer = np.concatenate([x, sound(2)])
    assert log_mel(longer, RATE, RATE) == pytest.approx(log_mel(x, RATE, RATE))
    assert np.isfinite(log_mel(np.zeros(100, np.float32), RATE, RATE)).all()


def test_a_copy_with_a_little_noise_is_nearer_than_any_other_clip():
    train = np.stack([log_mel(sound(seed), RATE, RATE) for seed in range(20)])
    copy = log_mel(sound(7) + 0.01 * sound(99), RATE, RATE)
    other = log_mel(sound(50), RATE, RATE)
    found = nearest(np.stack([copy, other]), train)
    assert found.rows[0] == 7
    assert found.distances[0] < 0.5 * found.distances[1]


def test_the_share_of_near_clips_is_a_hundredth_where_nothing_is_copied():
    random = np.random.default_rng(0)
    usual, own = random.exponential(size=5000), random.exponential(size=5000)
    assert nearer(own, usual) == pytest.approx(0.01, abs=0.006)
    own[:1000] = 1e-9
    assert nearer(own, usual) == pytest.approx(0.2 + 0.008, abs=0.006)


def test_quantiles_are_named_by_their_share():
    found = quantiles(np.linspace(0, 100, 101))
    assert found == pytest.approx({"1 %": 1, "5 %": 5, "50 %": 50, "95 %": 95})
