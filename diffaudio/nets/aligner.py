"""Aligner: how likely a frame is in each symbol, whatever the symbol's neighbours are.

A hidden Markov model of monophones, left to right: a symbol has a few states, each a Gaussian over
a frame and its slope. An encoder that sees the whole text can learn to expect a sound beside its
place, the more so the less there is to learn from; a symbol that knows only itself cannot.

Sources: Rabiner 1989, "A tutorial on hidden Markov models"; slopes, Furui 1986; a prior of the
diagonal, Badlani et al. 2021 (arXiv:2108.10447).
"""

from __future__ import annotations

import torch
from torch import nn

from diffaudio.nets.layers import frame_mask, masked_mean
from diffaudio.process import expand_tokens, search_alignment
from diffaudio.process.durations import refuse_short
from diffaudio.shapes import Lengths, State, Tensor

__all__ = ["Monophones"]

SPREAD = 0.2  # deviation of a sound's place from an even pace, in lengths of the item
SPEED = 10.0  # parameters are so many times smaller than what they stand for: they learn faster


class Monophones(nn.Module):
    """Aligns the frames of a state with symbols.

    Args:
        symbols: how many there are.
        bins: of the state.
        states: of each symbol, with a frame at least in each. Of an item that is too short for
            them, symbols have the first one alone.
    """

    def __init__(self, symbols: int, bins: int, *, states: int = 2) -> None:
        super().__init__()
        if states < 1:
            raise ValueError(f"states must be at least 1: {states}")
        self.states = states
        self.mean = nn.Parameter(torch.zeros(symbols, states, 2 * bins))
        self.log_deviation = nn.Parameter(torch.zeros(symbols, states, 2 * bins))

    def forward(
        self, ids: Tensor, tokens: Lengths, state: State, frames: Lengths
    ) -> tuple[Tensor, Tensor]:
        """Return the durations (b, n) of the most likely alignment, and each item's loss (b,).

        The loss is the negative log-likelihood a frame and feature, less its constant.

        Args:
            ids: (b, n) numbers of symbols.
            tokens: (b,) symbols of each item.
            state: (b, 1, f, l), clean.
            frames: (b,) lengths.

        Raises:
            Refusal: an item has fewer frames than symbols.
        """
        for item, lengths in enumerate(zip(tokens.tolist(), frames.tolist(), strict=True)):
            refuse_short(item, *lengths)
        with torch.autocast(state.device.type, enabled=False):
            seen = _with_slopes(state[:, 0].float(), frames)
            means = (SPEED * self.mean[ids]).flatten(1, 2)  # (b, n states, 2 f)
            logs = (SPEED * self.log_deviation[ids]).flatten(1, 2)
            with torch.no_grad():
                scores = _scores(seen, means, logs)
                scores = scores + _places(scores, self.states * tokens, frames)
                durations = self._search(scores, tokens, frames)
            length = state.shape[-1]
            mean, log = (expand_tokens(one.mT, durations, length) for one in (means, logs))
            error = 0.5 * ((seen - mean) * torch.exp(-log)).square() + log
            loss = masked_mean(error[:, None], frame_mask(frames, length))
        return durations.unflatten(1, (-1, self.states)).sum(2), loss

    def _search(self, scores: Tensor, tokens: Lengths, frames: Lengths) -> Tensor:
        """Return the frames of each state, (b, n states)."""
        durations = scores.new_zeros(scores.shape[:2], dtype=torch.long)
        each = durations.unflatten(1, (-1, self.states))  # shares its memory
        long = frames >= self.states * tokens
        for chosen, states in ((long, self.states), (~long, 1)):
            if chosen.any():
                part = scores[chosen].unflatten(1, (-1, self.states))[:, :, :states]
                counts = states * tokens[chosen]
                found = search_alignment(part.flatten(1, 2), counts, frames[chosen])
                each[chosen, :, :states] = found.unflatten(1, (-1, states))
        return durations


def _places(scores: Tensor, states: Lengths, frames: Lengths) -> Tensor:
    """Return how likely a frame is in a state by their places in the item alone, in nats.

    Too little to count once sounds are known; at first it is all there is, and without it the last
    state would have all frames that any could have.
    """
    one, other = (
        (torch.arange(size, device=scores.device) + 0.5) / count.to(scores.device)[:, None]
        for size, count in zip(scores.shape[1:], (states, frames), strict=True)
    )
    return -0.5 * ((one[:, :, None] - other[:, None]) / SPREAD).square()


def _with_slopes(x: Tensor, frames: Lengths) -> Tensor:
    """Return frames (b, f, l) and the differences of their neighbours, (b, 2 f, l)."""
    place = torch.arange(x.shape[-1], device=x.device)
    later = torch.minimum(place + 1, frames[:, None].to(x.device) - 1)[:, None].expand_as(x)
    earlier = (place - 1).clamp_min(0).expand_as(x)
    return torch.cat([x, x.gather(2, later) - x.gather(2, earlier)], 1)


def _scores(seen: Tensor, means: Tensor, logs: Tensor) -> Tensor:
    """Return log-likelihoods (b, states, l), less a constant, of frames (b, d, l) in states.

    The square of a difference is written out, so that two matrix products do it.
    """
    precise = torch.exp(-2.0 * logs)
    constant = (0.5 * precise * means.square() + logs).sum(2)
    products = seen.mT @ (precise * means).mT - 0.5 * seen.mT.square() @ precise.mT
    return (products - constant[:, None]).mT
