"""The soft alignment: sums over all alignments, and the prior of the diagonal."""

import itertools
import math

import numpy as np
import pytest
import torch
from aligned import INF, alignments, lengths

from diffaudio.process import (
    beta_binomial_prior,
    forward_sum,
)


def enumerated(scores):
    """Return the forward sum of one item over all alignments, differentiable."""
    chances, (tokens, frames) = scores.log_softmax(0), scores.shape
    owners = (np.repeat(np.arange(tokens), one) for one in alignments(tokens, frames))
    every = [chances[torch.tensor(owner), torch.arange(frames)].sum() for owner in owners]
    return -torch.stack(every).logsumexp(0)


def test_forward_sum_without_a_blank_is_that_of_all_alignments():
    scores = torch.randn(3, 4, 7, generator=torch.Generator().manual_seed(0)).double()
    scores.requires_grad_()
    tokens, frames = lengths(4, 2, 1), lengths(7, 7, 5)
    found = forward_sum(scores, tokens, frames, blank=-INF)
    right = [enumerated(scores[i, : tokens[i], : frames[i]]) for i in range(3)]
    torch.testing.assert_close(found, torch.stack(right))
    torch.testing.assert_close(
        torch.autograd.grad(found.sum(), scores)[0],
        torch.autograd.grad(sum(right), scores)[0],
    )


def test_forward_sum_with_a_blank_counts_what_reads_as_the_tokens():
    scores = torch.randn(1, 2, 5, generator=torch.Generator().manual_seed(0)).double()
    chances = torch.cat([torch.full((1, 5), -0.5).double(), scores[0]]).log_softmax(0)
    read = lambda way: [k for k, _ in itertools.groupby(way) if k]  # noqa: E731
    every = [
        chances[torch.tensor(way), torch.arange(5)].sum()
        for way in itertools.product(range(3), repeat=5)
        if read(way) == [1, 2]
    ]
    found = forward_sum(scores, lengths(2), lengths(5), blank=-0.5)
    torch.testing.assert_close(found[0], -torch.stack(every).logsumexp(0))


def test_forward_sum_is_finite_whatever_is_in_the_padding():
    scores = torch.randn(2, 4, 9, generator=torch.Generator().manual_seed(0))
    scores[1, 2:], scores[1, :, 5:] = float("nan"), float("nan")
    scores.requires_grad_()
    loss = forward_sum(scores, lengths(4, 2), lengths(9, 5))
    (gradient,) = torch.autograd.grad(loss.sum(), scores)
    assert loss.isfinite().all()
    assert gradient.isfinite().all()
    assert not gradient[1, 2:].any()
    assert not gradient[1, :, 5:].any()


def test_beta_binomial_prior_is_the_closed_form():
    tokens, frames, scale = lengths(5, 2, 1), lengths(8, 6, 3), 0.7
    chances = beta_binomial_prior(tokens, frames, scale=scale).double().exp()
    for one, n, length in zip(chances, tokens.tolist(), frames.tolist(), strict=True):
        t = torch.arange(1, length + 1).double()
        own, k = one[:n, :length], torch.arange(n).double()[:, None]
        torch.testing.assert_close(own.sum(0), torch.ones(length).double(), rtol=1e-5, atol=0)
        mean = (n - 1) * t / (length + 1)
        torch.testing.assert_close((k * own).sum(0), mean, rtol=1e-5, atol=1e-6)
        alpha, beta, trials = scale * t, scale * (length - t + 1), n - 1
        spread = trials * alpha * beta * (alpha + beta + trials)
        spread = spread / ((alpha + beta) ** 2 * (alpha + beta + 1))
        found = ((k - mean) ** 2 * own).sum(0)
        torch.testing.assert_close(found, spread, rtol=1e-5, atol=1e-6)
    assert (chances[1, 2:] == 1).all()  # the logarithm of padding is 0
    least = math.exp(beta_binomial_prior(lengths(3), lengths(1))[0, 1, 0])
    assert least == pytest.approx(1 / 3)  # alpha = beta = 1: all alike
