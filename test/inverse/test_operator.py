"""Linear operators in general, on a matrix whose pseudo-inverse PyTorch knows."""

import pytest
import torch

from diffaudio.inverse.operator import Linear


class Matrix(Linear):
    """y = M x, M of less than full rank."""

    def __init__(self):
        random = torch.Generator().manual_seed(0)
        left, right = (torch.randn(8, 3, generator=random).double() for _ in range(2))
        self.matrix = left @ right.T

    def measure(self, audio):
        return audio @ self.matrix.T

    def adjoint(self, measured):
        return measured @ self.matrix

    def gram_inverse(self, measured, ratio):
        gram = self.matrix @ self.matrix.T + float(ratio) * torch.eye(8).double()
        inverse = torch.linalg.pinv(gram, hermitian=True, rtol=1e-10)
        return measured @ inverse.T

    def rank(self, audio):
        return 3


def test_the_pseudo_inverse_is_moore_and_penrose_s():
    operator, y = Matrix(), torch.randn(2, 1, 8).double()
    by_hand = y @ torch.linalg.pinv(operator.matrix, rtol=1e-10).T
    torch.testing.assert_close(operator.pseudo_inverse(y), by_hand)


@pytest.mark.parametrize("ratio", [0.3, 2.0])
def test_the_nearest_audio_is_where_the_slope_of_what_it_minimises_is_zero(ratio):
    operator, guess, y = Matrix(), torch.randn(1, 1, 8).double(), torch.randn(1, 1, 8).double()
    x = operator.nearest(guess, y, ratio).requires_grad_()
    cost = (x - guess).square().sum() + (y - operator.measure(x)).square().sum() / ratio
    (slope,) = torch.autograd.grad(cost, x)
    assert slope.abs().max() < 1e-9


def test_without_noise_it_agrees_with_what_was_measured_and_is_a_projection():
    operator, guess, x = Matrix(), torch.randn(1, 1, 8).double(), torch.randn(1, 1, 8).double()
    y = operator.measure(x)
    found = operator.nearest(guess, y)
    torch.testing.assert_close(operator.measure(found), y)
    torch.testing.assert_close(operator.nearest(found, y), found)
