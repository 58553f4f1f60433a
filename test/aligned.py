"""Alignments by enumeration and by the textbook's loops, to test what finds and uses them."""

import itertools

import numpy as np
import torch

INF = float("inf")


def alignments(tokens, frames):
    """Yield the durations of every alignment."""
    for inner in itertools.combinations(range(1, frames), tokens - 1):
        yield np.diff([0, *inner, frames])


def total(scores, durations):
    """Return the sum of one item's scores on an alignment."""
    owner = np.repeat(np.arange(len(durations)), durations)
    return sum(float(scores[token, frame]) for frame, token in enumerate(owner))


def best(scores):
    """Return the best of all alignments of one item; of equal ones, that with the longest ends."""
    every = alignments(*scores.shape)
    return max(every, key=lambda one: (total(scores, one), *map(int, one[::-1])))


def plain(scores):
    """Return the durations of one item by the textbook's loops, in the scores' precision."""
    tokens, frames = scores.shape
    value = np.full((tokens, frames), -INF, scores.dtype)
    for frame in range(frames):
        for token in range(min(tokens, frame + 1)):
            stay = value[token, frame - 1] if frame > token else -INF
            move = value[token - 1, frame - 1] if token else -INF
            largest = max(stay, move) if frame else scores.dtype.type(0)
            with np.errstate(over="ignore"):
                value[token, frame] = largest + scores[token, frame]
    durations, token = np.zeros(tokens, np.int64), tokens - 1
    for frame in range(frames - 1, -1, -1):
        durations[token] += 1
        if token and (token == frame or value[token - 1, frame - 1] > value[token, frame - 1]):
            token -= 1
    return durations


def lengths(*values):
    return torch.tensor(values)


def ragged(seed=0, channels=80, offset=0.0):
    random = torch.Generator().manual_seed(seed)
    means = torch.randn(3, channels, 7, generator=random) + offset
    x = torch.randn(3, channels, 12, generator=random) + offset
    return means, x, lengths(7, 4, 1), lengths(12, 9, 3)


def gaussian(means, x):
    """Return the plain formula, with the four axes."""
    return torch.distributions.Normal(means[..., None], 1.0).log_prob(x[:, :, None]).sum(1)
