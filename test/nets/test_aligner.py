"""Monophones: scores are Gaussians', what was laid out is found, and learned from nothing."""

import pytest
import torch
from torch.distributions import Normal

from diffaudio.log import Refusal
from diffaudio.nets.aligner import SPEED, Monophones, _scores, _with_slopes

IDS, TOKENS = torch.tensor([[0, 2, 1, 2], [3, 1, 0, 0]]), torch.tensor([4, 2])


def laid_out(ids, durations, patterns, noise=0.0):
    """One state (1, f, l): each symbol's pattern (f,) for so many frames."""
    frames = patterns[ids].repeat_interleave(torch.tensor(durations), 0).T
    return (frames + noise * torch.randn(frames.shape))[None]


def padded(states):
    longest = max(one.shape[-1] for one in states)
    frames = torch.tensor([one.shape[-1] for one in states])
    pad = torch.nn.functional.pad
    return torch.stack([pad(one, (0, longest - one.shape[-1])) for one in states]), frames


def test_scores_are_log_likelihoods_of_gaussians():
    torch.manual_seed(0)
    seen, means, logs = torch.randn(2, 6, 9), torch.randn(2, 4, 6), 0.3 * torch.randn(2, 4, 6)
    wanted = Normal(means[:, :, None], logs.exp()[:, :, None]).log_prob(seen.mT[:, None]).sum(-1)
    constant = -3.0 * torch.log(torch.tensor(2 * torch.pi))
    torch.testing.assert_close(_scores(seen, means, logs) + constant, wanted, atol=1e-4, rtol=1e-5)


def test_slopes_end_where_an_item_ends():
    x = torch.tensor([[[1.0, 2, 4, 8, 0]], [[1.0, 2, 4, 8, 16]]])
    made = _with_slopes(x, torch.tensor([4, 5]))[:, 1]
    assert made[0, :4].tolist() == [1, 3, 6, 4]
    assert made[1].tolist() == [1, 3, 6, 12, 8]


@pytest.mark.parametrize("states", [1, 2])
def test_frames_of_the_symbols_are_aligned_as_they_were_laid_out(states):
    torch.manual_seed(0)
    made, patterns = Monophones(4, 5, states=states), torch.randn(4, 5)
    made.mean.data[..., :5] = patterns[:, None] / SPEED
    state, frames = padded(
        [laid_out(IDS[0], [3, 2, 5, 4], patterns), laid_out(IDS[1, :2], [6, 2], patterns)]
    )
    durations, _ = made(IDS, TOKENS, state, frames)
    assert durations.tolist() == [[3, 2, 5, 4], [6, 2, 0, 0]]


def test_an_item_is_its_own_in_any_batch_and_a_short_one_has_first_states_alone():
    torch.manual_seed(0)
    made = Monophones(4, 5)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    state, frames = torch.randn(2, 1, 5, 11), torch.tensor([6, 11])  # 6 frames, 4 symbols
    state[0, ..., 6:] = 0.0
    durations, losses = made(IDS, TOKENS, state, frames)
    assert durations.sum(1).tolist() == [6, 11]
    assert durations[0].min() == 1
    for row in range(2):
        count, length = TOKENS[row : row + 1], frames[row : row + 1]
        one = state[row : row + 1, ..., : int(length)]
        alone, loss = made(IDS[row : row + 1, : int(count)], count, one, length)
        assert alone[0].tolist() == durations[row, : int(count)].tolist()
        torch.testing.assert_close(loss[0], losses[row])


def test_an_item_with_more_symbols_than_frames_is_named_by_its_place_in_the_batch():
    state, frames = torch.randn(2, 1, 5, 11), torch.tensor([11, int(TOKENS[1]) - 1])
    with pytest.raises(Refusal, match=f"item 1 has {frames[1]} frames for {TOKENS[1]} tokens"):
        Monophones(4, 5)(IDS, TOKENS, state, frames)


def test_boundaries_are_found_from_nothing():
    """Twenty items of known boundaries: even ones at first, the right ones after training."""
    torch.manual_seed(1)
    patterns, made = torch.randn(6, 8), Monophones(6, 8)
    ids = torch.stack([torch.randperm(6) for _ in range(20)])
    told = torch.randint(2, 12, (20, 6))
    items = zip(ids, told.tolist(), strict=True)
    state, frames = padded([laid_out(row, own, patterns, noise=0.3) for row, own in items])
    optimiser = torch.optim.Adam(made.parameters(), 1e-2)

    def off():
        durations, loss = made(ids, torch.full((20,), 6), state, frames)
        ends = (durations.cumsum(1) - told.cumsum(1)).abs().double()
        return ends.mean().item(), loss.mean()

    before, _ = off()
    for _ in range(150):
        optimiser.zero_grad()
        off()[1].backward()
        optimiser.step()
    assert before > 1.5
    assert off()[0] < 0.2


def test_without_states_it_is_none():
    with pytest.raises(ValueError, match="states must be at least 1"):
        Monophones(4, 5, states=0)
