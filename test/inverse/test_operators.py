"""Operators against their matrices: adjoint, pseudo-inverse, rank, nearest audio that agrees."""

import math

import pytest
import torch
from posterior import KEPT, LINEAR, RATE, RESPONSE, N, matrix_of, name
from torch.nn import functional

from diffaudio.inverse import Clip, Convolve, LowPass, Mask
from diffaudio.log import Refusal

EVEN_AND_ODD = [(operator, n) for operator in LINEAR for n in (N, 11, 32) if operator != LINEAR[0]]
EVEN_AND_ODD += [(LINEAR[0], N), (LowPass(499.0, RATE), 12), (LowPass(1.0, RATE), 7)]


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def on(matrix, audio):
    """Apply a matrix to every channel."""
    return audio @ matrix.T


@pytest.mark.parametrize(("operator", "n"), EVEN_AND_ODD, ids=name)
def test_adjoint(operator, n):
    x, y = draw(3, 2, n), draw(3, 2, n, seed=1)
    forth, back = (operator.measure(x) * y).sum(-1), (x * operator.adjoint(y)).sum(-1)
    torch.testing.assert_close(forth, back)


@pytest.mark.parametrize(("operator", "n"), EVEN_AND_ODD, ids=name)
def test_pseudo_inverse_is_that_of_the_matrix(operator, n):
    a, y = matrix_of(operator, n), draw(3, 2, n)
    torch.testing.assert_close(operator.measure(y), on(a, y))
    inverse = torch.linalg.pinv(a, rtol=1e-9)
    torch.testing.assert_close(operator.pseudo_inverse(y), on(inverse, y))
    again = operator.measure(operator.pseudo_inverse(operator.measure(y)))
    torch.testing.assert_close(again, operator.measure(y))  # A A+ A = A
    assert operator.rank(y) == torch.linalg.matrix_rank(a)


@pytest.mark.parametrize("ratio", [0.3, torch.tensor(2.0, dtype=torch.float64)])
@pytest.mark.parametrize(("operator", "n"), EVEN_AND_ODD, ids=name)
def test_nearest_is_the_solution_of_the_normal_equations(operator, n, ratio):
    """(I + A^T A / ratio) x = guess + A^T y / ratio."""
    a, guess, y = matrix_of(operator, n), draw(3, 2, n), draw(3, 2, n, seed=1)
    left = torch.eye(n).double() + a.T @ a / ratio
    right = guess + on(a.T, y) / ratio
    solved = torch.linalg.solve(left, right.mT).mT
    torch.testing.assert_close(operator.nearest(guess, y, ratio), solved)


@pytest.mark.parametrize(("operator", "n"), [*EVEN_AND_ODD, (Clip(0.5), N)], ids=name)
def test_the_nearest_audio_agrees_and_no_other_that_does_is_nearer(operator, n):
    guess, other = draw(3, 2, n), draw(3, 2, n, seed=1)
    y = operator.measure(draw(3, 2, n, seed=2))
    found = operator.nearest(guess, y)
    torch.testing.assert_close(operator.measure(found), y)
    rival = operator.nearest(other, y)
    assert ((guess - found) * (rival - found)).sum(-1).max() < 1e-9  # the angle is never acute
    torch.testing.assert_close(operator.nearest(found, y), found)


def test_a_noisy_clipped_sample_is_corrected_in_part():
    clip, guess = Clip(0.5), torch.tensor([[[0.1, 0.1, 0.9, -0.2, -0.9]]])
    y = torch.tensor([[[0.3, 0.5, 0.5, -0.5, -0.5]]])
    wanted = torch.tensor([[[0.15, 0.2, 0.9, -0.275, -0.9]]])
    torch.testing.assert_close(clip.nearest(guess, y, 3.0), wanted)


def test_whatever_stands_in_a_gap_is_not_looked_at():
    audio = torch.where(KEPT, 1.0, math.nan).reshape(1, 1, -1)
    assert (LINEAR[0].measure(audio)[0, 0] == KEPT.float()).all()


def test_a_low_pass_keeps_a_low_tone_and_removes_a_high_one():
    time = torch.arange(100) / RATE
    low, high = (torch.sin(2 * math.pi * f * time).reshape(1, 1, -1) for f in (200.0, 210.0))
    torch.testing.assert_close(LowPass(205.0, RATE).measure(low + high), low, atol=1e-5, rtol=0)


def test_convolution_of_what_ends_in_silence():
    x = functional.pad(draw(1, 1, 20), (0, len(RESPONSE)))
    padded = functional.pad(x, (len(RESPONSE) - 1, 0))
    wanted = functional.conv1d(padded, RESPONSE.flip(0).reshape(1, 1, -1))
    torch.testing.assert_close(Convolve(RESPONSE).measure(x), wanted)


def test_single_precision_stays_so():
    for operator in (*LINEAR, Clip(0.5)):
        x = draw(2, 1, N).float()
        assert operator.nearest(x, x, torch.tensor(0.1, dtype=torch.float64)).dtype == x.dtype


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Mask(torch.zeros(4, dtype=torch.bool)), "0 of it true"),
        (lambda: Mask(torch.ones(4)), "float32"),
        (lambda: LowPass(500.0, RATE), "cutoff = 500 Hz is not between 0 and"),
        (lambda: Convolve(torch.zeros(3)), "0 throughout"),
        (lambda: Clip(0.0), "level = 0 is not above 0"),
        (lambda: Mask(KEPT).measure(torch.ones(1, 1, 9)), "of 10 samples, but the audio has 9"),
        (
            lambda: Convolve(RESPONSE).measure(torch.ones(1, 1, 2)),
            "has 3 samples, the audio only 2",
        ),
    ],
)
def test_what_is_no_operator_is_refused(make, reason):
    with pytest.raises(Refusal, match=reason):
        make()
