import numpy as np
import pytest

from diffaudio.decode.chunks import cross_faded, windows


def pieces(x, sizes):
    """Cut x into blocks of the given sizes, over and over."""
    at, turn = 0, 0
    while at < len(x):
        yield x[at : at + sizes[turn % len(sizes)]]
        at, turn = at + sizes[turn % len(sizes)], turn + 1


@pytest.mark.parametrize("length", [1, 7, 99, 100, 101, 170, 171, 179, 180, 181, 250, 1003])
@pytest.mark.parametrize("block", [(1,), (3, 50), (1000,)])
def test_a_process_that_changes_nothing_gives_back_the_stream(length, block):
    x = np.random.default_rng(length).standard_normal((length, 2)).astype(np.float32)
    sizes = []

    def same(window, number):
        assert number == len(sizes)
        sizes.append(len(window))
        return window.copy()

    y = np.concatenate(list(cross_faded(pieces(x, block), same, size=100, overlap=20)))
    np.testing.assert_allclose(y, x, atol=1e-6)
    assert set(sizes) == {min(length, 100)}  # every window of a long stream is a whole one
    assert len(sizes) == max(1, -(-(length - 20) // 80))


def test_a_join_rises_and_falls_and_never_leaves_both_sides():
    x = np.zeros((180, 1), np.float32)
    levels = [np.float32(1), np.float32(3)]
    y = np.concatenate(
        list(cross_faded([x], lambda w, k: np.full_like(w, levels[k]), size=100, overlap=20))
    )[:, 0]
    assert (y[:80] == 1).all()
    assert (np.diff(y[80:100]) > 0).all()
    assert (y[100:] == 3).all()
    assert abs(y[80:100].mean() - 2) < 1e-6  # the two weights add up to 1


def test_nothing_comes_of_nothing():
    assert list(windows([], size=10, overlap=2)) == []
    assert list(windows([np.zeros((0, 1))], size=10, overlap=2)) == []


def test_memory_is_a_few_windows_whatever_the_length():
    held = []

    def blocks():
        for _ in range(1000):
            block = np.zeros((37, 1), np.float32)
            held.append(block)
            yield block

    for window, _, _ in windows(blocks(), size=100, overlap=20):
        assert window.base is None or window.base.size <= 2 * 100 + 37
