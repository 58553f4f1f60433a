"""The search against all alignments and a plain program; scores, durations and soft alignment."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from diffaudio.log import Refusal
from diffaudio.process import (
    alignment_path,
    beta_binomial_prior,
    expand_tokens,
    forward_sum,
    prior_scores,
    round_durations,
    search_alignment,
    token_starts,
    uniform_durations,
)
from diffaudio.process.alignment import BLOCK

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
    for function in (search_alignment, forward_sum):
        with pytest.raises(Refusal, match=blamed):
            function(torch.zeros(2, 4, 9), lengths(*tokens), lengths(*frames))


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


def test_path_has_each_frame_in_one_token_in_order():
    durations = torch.tensor([[2, 1, 3], [1, 1, 0]])
    path = alignment_path(durations)
    assert path.int().tolist() == [
        [[1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]],
        [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
    ]
    assert alignment_path(durations, 4).tolist() == path[..., :4].tolist()
    assert alignment_path(durations, 8).sum() == 8
    assert alignment_path(durations[:0]).shape == (0, 3, 0)


def ragged(seed=0, channels=80, offset=0.0):
    random = torch.Generator().manual_seed(seed)
    means = torch.randn(3, channels, 7, generator=random) + offset
    x = torch.randn(3, channels, 12, generator=random) + offset
    return means, x, lengths(7, 4, 1), lengths(12, 9, 3)


def gaussian(means, x):
    """Return the plain formula, with the four axes."""
    return torch.distributions.Normal(means[..., None], 1.0).log_prob(x[:, :, None]).sum(1)


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
        torch.testing.assert_close(
            forward_sum(scores, tokens, frames)[own],
            forward_sum(scores[own, :n, :length], tokens[own], frames[own]),
        )
        torch.testing.assert_close(
            beta_binomial_prior(tokens, frames)[own, :n, :length],
            beta_binomial_prior(tokens[own], frames[own]),
        )


def test_search_recovers_what_frames_were_made_of():
    random = torch.Generator().manual_seed(0)
    means = 3 * torch.randn(2, 80, 6, generator=random)
    durations = torch.tensor([[4, 1, 7, 2, 30, 1], [9, 80, 2, 0, 0, 0]])
    x = expand_tokens(means, durations)
    x = x + torch.randn(x.shape, generator=random)
    tokens, frames = lengths(6, 3), durations.sum(1)
    found = search_alignment(prior_scores(means, x, tokens, frames), tokens, frames)
    assert torch.equal(found, durations)


def test_expansion_repeats_tokens_and_sums_their_gradients():
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    durations = torch.tensor([[1, 0, 3, 2], [2, 2, 0, 0]])
    out = expand_tokens(x, durations)
    assert out.shape == (2, 3, 6)
    for one, own, n in zip(out, x, durations, strict=True):
        right = own.repeat_interleave(n, dim=1)
        assert torch.equal(one[:, : right.shape[1]], right)
        assert not one[:, right.shape[1] :].any()
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(out, x, weight)
    path = alignment_path(durations).float()
    torch.testing.assert_close(gradient, weight @ path.mT)
    assert torch.equal(expand_tokens(x, durations, 5), out[..., :5])
    assert not expand_tokens(x, durations, 9)[..., 6:].any()


@pytest.mark.parametrize("durations", [[[1.0, 2.0]], [[3, -1]]])
def test_expansion_refuses_what_are_no_durations(durations):
    with pytest.raises(Refusal, match="not numbers of frames"):
        expand_tokens(torch.zeros(1, 1, 2), torch.tensor(durations))


def test_durations_round_their_ends_and_have_one_frame_at_least():
    exact = torch.tensor([[1.4, 1.4, 1.4, 1.4, 1.4], [0.1, 0.1, 3.2, 9.0, 9.0], [2.6, 1, 1, 1, 1]])
    tokens = lengths(5, 3, 1)
    found = round_durations(exact.log(), tokens)
    # ends 1.4 2.8 4.2 5.6 7; 0.1 0.2 3.4, of which the first two are put off to 1 and 2; 2.6
    assert found.tolist() == [[1, 2, 1, 2, 1], [1, 1, 1, 0, 0], [3, 0, 0, 0, 0]]
    assert round_durations(exact.log(), tokens, length_scale=10.0).sum(1).tolist() == [70, 34, 26]
    assert torch.equal(round_durations(exact.log()[1:, :3], tokens[1:]), found[1:, :3])


def test_tokens_shorter_than_a_frame_put_off_those_behind():
    exact = torch.tensor([[5.0, 0.1, 0.1, 0.1, 2.0, 6.0]])  # ends 5 5.1 5.2 5.3 7.3 13.3
    assert round_durations(exact.log(), lengths(6)).tolist() == [[5, 1, 1, 1, 1, 4]]


@given(st.integers(0, 10**6), st.floats(0.3, 3.0))
@settings(deadline=None, max_examples=30)
def test_rounding_does_not_drift(seed, scale):
    log = 1.3 + torch.rand(1, 300, generator=torch.Generator().manual_seed(seed))  # above 3.6
    found = round_durations(log, lengths(300), length_scale=scale)
    assert (found >= 1).all()
    exact = (scale * log.double().exp()).cumsum(1)
    assert ((found.cumsum(1) - exact).abs() <= 0.5 + 1e-9).all()


@pytest.mark.parametrize("scale", [0.0, -1.0, INF, float("nan")])
def test_scales_that_are_none_are_refused(scale):
    with pytest.raises(Refusal, match="length_scale"):
        round_durations(torch.zeros(1, 2), lengths(2), length_scale=scale)
    with pytest.raises(Refusal, match="scale"):
        beta_binomial_prior(lengths(2), lengths(3), scale=scale)


@pytest.mark.parametrize("bad", [float("nan"), INF, 50.0])
def test_durations_that_are_none_are_refused(bad):
    with pytest.raises(Refusal, match="predicted duration"):
        round_durations(torch.tensor([[0.0, bad]]), lengths(2))
    round_durations(torch.tensor([[0.0, bad]]), lengths(1))  # padding may hold anything


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 200)), min_size=1, max_size=5))
@settings(deadline=None, max_examples=30)
def test_uniform_durations_differ_by_one_at_most_and_sum_to_the_frames(sizes):
    tokens, frames = lengths(*(n for n, _ in sizes)), lengths(*(n + more for n, more in sizes))
    durations = uniform_durations(tokens, frames)
    assert torch.equal(durations.sum(1), frames)
    for one, n in zip(durations, tokens, strict=True):
        assert one[:n].max() - one[:n].min() <= 1
        assert not one[n:].any()


def test_uniform_durations_refuse_too_few_frames():
    with pytest.raises(Refusal, match="item 1 has 2 frames for 3 tokens"):
        uniform_durations(lengths(3, 3), lengths(3, 2))


def test_starts_are_seconds():
    starts = token_starts(torch.tensor([[2, 3, 0]]), hop=256, rate=16000)
    assert starts.tolist() == [[0.0, 0.032, 0.08]]


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
