"""The search against all alignments and a plain program; scores, durations and soft alignment."""

import numpy as np
import pytest
import torch
from aligned import INF, best, gaussian, lengths, plain, ragged, total
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from diffaudio.log import Refusal
from diffaudio.process import (
    expand_tokens,
    prior_scores,
    search_alignment,
)
from diffaudio.process.alignment import BLOCK


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(0, 5), st.sampled_from([0.0, 0.3]))
@settings(deadline=None, max_examples=60)
def test_search_finds_the_best_of_all_alignments_and_breaks_ties_as_it_says(
    seed, tokens, more, holes
):
    random = np.random.default_rng(seed)
    scores = random.integers(-2, 3, (1, tokens, tokens + more)).astype(np.float32)  # many ties
    scores[random.random(scores.shape) < holes] = -INF
    found = search_alignment(torch.tensor(scores), lengths(tokens), lengths(tokens + more))
    right = best(scores[0])
    if total(scores[0], right) == -INF:  # every alignment is as bad
        assert found.sum() == tokens + more
        assert (found >= 1).all()
    else:
        assert found[0].tolist() == right.tolist()


KINDS = {
    "normal": lambda random, size: random.standard_normal(size),
    "large": lambda random, size: 1e30 * random.standard_normal(size),
    "long": lambda random, size: random.standard_normal(size) - 1e8,  # sums far below -1e9
    "overflow": lambda random, size: np.full(size, -3e38),
    "ties": lambda random, size: random.integers(0, 2, size),
    "holes": lambda random, size: np.where(
        random.random(size) < 0.4, -INF, random.standard_normal(size)
    ),
}


@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(sorted(KINDS)),
    dtype=st.sampled_from([np.float32, np.float64]),
    sizes=st.lists(
        st.tuples(st.integers(1, 7), st.sampled_from([0, 1, 9, BLOCK - 4, BLOCK, BLOCK + 9])),
        min_size=1, max_size=4,
    ),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_search_equals_the_plain_program_whatever_is_in_the_padding(seed, kind, dtype, sizes):
    random = np.random.default_rng(seed)
    tokens = [n for n, _ in sizes]
    frames = [n + more for n, more in sizes]
    scores = KINDS[kind](random, (len(sizes), max(tokens), max(frames))).astype(dtype)
    for one, n, length in zip(scores, tokens, frames, strict=True):
        one[n:], one[:, length:] = INF, np.nan
    found = search_alignment(torch.tensor(scores), lengths(*tokens), lengths(*frames))
    assert found.dtype == torch.int64
    for one, durations, n, length in zip(scores, found, tokens, frames, strict=True):
        assert durations[:n].tolist() == plain(one[:n, :length]).tolist()
        assert not durations[n:].any()


@pytest.mark.parametrize(
    ("tokens", "frames", "right"), [(1, 1, [1]), (1, 5, [5]), (3, 3, [1, 1, 1])]
)
def test_search_where_there_is_one_alignment(tokens, frames, right):
    scores = torch.randn(1, tokens, frames, generator=torch.Generator().manual_seed(0))
    assert search_alignment(scores, lengths(tokens), lengths(frames)).tolist() == [right]


def test_search_does_not_ask_how_scores_lie_in_memory_nor_for_their_gradient():
    scores = torch.randn(2, 5, 90, generator=torch.Generator().manual_seed(0), requires_grad=True)
    size = lengths(5, 4), lengths(90, 70)
    found = search_alignment(scores, *size)
    assert not found.requires_grad
    assert torch.equal(found, search_alignment(scores.mT.contiguous().mT, *size))
    rounded = scores.detach().bfloat16()
    assert torch.equal(search_alignment(rounded, *size), search_alignment(rounded.float(), *size))
    assert search_alignment(scores[:0], lengths(), lengths()).shape == (0, 5)


@pytest.mark.parametrize(
    ("tokens", "frames", "blamed"),
    [
        ((2, 4), (9, 3), "item 1 has 3 frames for 4 tokens"),
        ((2, 0), (9, 3), "item 1 has 3 frames for 0 tokens"),
        ((2, 5), (9, 9), "item 1 has 5 tokens"),
        ((2, 4), (10, 9), "item 0 has 2 tokens and 10 frames"),
        ((2,), (9,), "1 and 1 lengths"),
    ],
)
def test_lengths_that_allow_no_alignment_are_refused(tokens, frames, blamed):
    with pytest.raises(Refusal, match=blamed):
        search_alignment(torch.zeros(2, 4, 9), lengths(*tokens), lengths(*frames))


@pytest.mark.parametrize("bad", [float("nan"), INF])
@pytest.mark.parametrize("frame", [0, 3, 8])
def test_sums_that_are_no_numbers_are_refused(bad, frame):
    scores = torch.zeros(2, 1, 9)
    scores[1, 0, frame] = bad
    with pytest.raises(Refusal, match="scores of item 1"):
        search_alignment(scores, lengths(1, 1), lengths(9, 9))
    search_alignment(scores[:1], lengths(1), lengths(9))


@pytest.mark.gpu
def test_search_is_the_same_on_a_gpu():
    scores = torch.randn(4, 20, 150)
    size = lengths(20, 3, 9, 1), lengths(150, 149, 90, 7)
    found = search_alignment(scores.cuda(), *(one.cuda() for one in size))
    assert found.is_cuda
    assert torch.equal(found.cpu(), search_alignment(scores, *size))


@pytest.mark.parametrize("offset", [0.0, -11.0, 300.0])
def test_prior_scores_are_the_gaussian_s(offset):
    means, x, tokens, frames = ragged(offset=offset)
    right = gaussian(means.double(), x.double())
    for i, (n, length) in enumerate(zip(tokens, frames, strict=True)):
        means[i, :, n:], x[i, :, length:] = float("nan"), INF  # padding may hold anything
    scores = prior_scores(means, x, tokens, frames)
    assert scores.shape == (3, 7, 12)
    for one, own, n, length in zip(scores, right, tokens, frames, strict=True):
        one_inside, own_inside = one[:n, :length].double(), own[:n, :length]
        torch.testing.assert_close(one_inside, own_inside, rtol=0, atol=1e-4)
        assert not one[n:].any()
        assert not one[:, length:].any()


def test_prior_scores_have_the_gaussian_s_gradients():
    means, x, _, _ = ragged(channels=3)
    means, x = means.double().requires_grad_(), x.double().requires_grad_()
    whole = torch.full((3,), 7), torch.full((3,), 12)
    weight = torch.randn(3, 7, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours = torch.autograd.grad((prior_scores(means, x, *whole) * weight).sum(), (means, x))
    right = torch.autograd.grad((gaussian(means, x) * weight).sum(), (means, x))
    for one, own in zip(ours, right, strict=True):
        torch.testing.assert_close(one, own)


def test_prior_scores_keep_single_precision_under_autocast():
    means, x, tokens, frames = ragged()
    right = prior_scores(means, x, tokens, frames)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(prior_scores(means, x, tokens, frames), right)
    half = prior_scores(means.bfloat16(), x.bfloat16(), tokens, frames)
    assert half.dtype == torch.float32


class Largest(TorchFunctionMode):
    """Notes the size of the largest tensor that is made."""

    size = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.size = max(self.size, made.numel())
        return made


def test_prior_scores_make_nothing_of_four_axes():
    means, x, tokens, frames = ragged()
    with Largest() as largest:
        prior_scores(means, x, tokens, frames)
    assert largest.size <= 3 * 82 * 12  # frames and two more channels, over three items


def test_an_item_is_the_same_alone_and_in_a_batch():
    means, x, tokens, frames = ragged()
    scores = prior_scores(means, x, tokens, frames)
    found = search_alignment(scores, tokens, frames)
    for i, (n, length) in enumerate(zip(tokens, frames, strict=True)):
        own = slice(i, i + 1)
        alone = means[own, :, :n], x[own, :, :length], tokens[own], frames[own]
        torch.testing.assert_close(scores[own, :n, :length], prior_scores(*alone))
        durations = search_alignment(prior_scores(*alone), tokens[own], frames[own])
        assert torch.equal(found[own, :n], durations)


def test_search_recovers_what_frames_were_made_of():
    random = torch.Generator().manual_seed(0)
    means = 3 * torch.randn(2, 80, 6, generator=random)
    durations = torch.tensor([[4, 1, 7, 2, 30, 1], [9, 80, 2, 0, 0, 0]])
    x = expand_tokens(means, durations)
    x = x + torch.randn(x.shape, generator=random)
    tokens, frames = lengths(6, 3), durations.sum(1)
    found = search_alignment(prior_scores(means, x, tokens, frames), tokens, frames)
    assert torch.equal(found, durations)
