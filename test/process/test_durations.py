"""Durations: laid out, rounded, even."""

import pytest
import torch
from aligned import INF, lengths
from hypothesis import given, settings
from hypothesis import strategies as st

from diffaudio.log import Refusal
from diffaudio.process import (
    alignment_path,
    expand_tokens,
    round_durations,
    token_starts,
    uniform_durations,
)


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
