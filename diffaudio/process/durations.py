"""Durations: how many frames each token lasts; rounded, even, laid out; b items, padded at the end.

Sources: Popov et al., Grad-TTS, 2021 (arXiv:2105.06337): durations from their logarithms with a
length scale.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.shapes import Lengths

__all__ = [
    "alignment_path",
    "expand_tokens",
    "refuse_short",
    "round_durations",
    "token_starts",
    "uniform_durations",
]


def refuse_short(item: int, tokens: int, frames: int) -> None:
    """Refuse an item whose tokens cannot have a frame each."""
    if not 1 <= tokens <= frames:
        raise Refusal(
            f"item {item} has {frames} frames for {tokens} tokens; there must be one for each",
            mend="leave it out, take a shorter hop, or tokens that stand for more of the sound",
        )


def alignment_path(durations: Tensor, frames: int | None = None) -> Tensor:
    """Return which frames belong to which token, (b, tokens, frames) bool.

    Args:
        durations: (b, tokens) integers, at least 0.
        frames: of the result; the longest item's if None. Beyond an item's sum all is False.
    """
    ends = durations.cumsum(1)
    count = _longest(ends) if frames is None else frames
    frame = torch.arange(count, device=ends.device)
    return (frame < ends[..., None]) & (frame >= (ends - durations)[..., None])


def _longest(ends: Tensor) -> int:
    return int(ends[:, -1].max()) if ends.numel() else 0


def expand_tokens(x: Tensor, durations: Tensor, frames: int | None = None) -> Tensor:
    """Repeat each token for as many frames as it lasts: (b, c, tokens) to (b, c, frames).

    Args:
        x: one column a token; gradients flow to it.
        durations: (b, tokens) integers.
        frames: of the result; the longest item's if None. Beyond an item's sum all is 0.

    Raises:
        Refusal: a duration is negative or no integer.
    """
    if durations.is_floating_point() or bool((durations < 0).any()):
        raise Refusal(
            f"durations are not numbers of frames: {durations.dtype}, least {durations.min():g}",
            mend="round them first, with round_durations",
        )
    ends = durations.cumsum(1)
    count = _longest(ends) if frames is None else frames
    frame = torch.arange(count, device=ends.device).expand(len(ends), count).contiguous()
    token = torch.searchsorted(ends, frame, right=True)  # tokens that are over
    inside = (token < durations.shape[1])[:, None]
    token = token.clamp_max(durations.shape[1] - 1)[:, None].expand(-1, x.shape[1], -1)
    return x.gather(2, token).masked_fill(~inside, 0.0)


def round_durations(log_durations: Tensor, tokens: Lengths, *, length_scale: float = 1.0) -> Tensor:
    """Make whole durations of predicted logarithms, (b, tokens) int64, 0 beyond an item's tokens.

    Ends are rounded, not durations, so that errors do not add up: a token ends at the frame nearest
    to the sum of exact durations so far (half to even), but has at least one frame. (Grad-TTS
    rounds every duration up, which is half a frame too long for each token.)

    Args:
        log_durations: (b, tokens), logarithms of frames.
        tokens: (b,) tokens of each item.
        length_scale: factor on all durations; above 1 is slower speech.

    Raises:
        Refusal: the scale is not above 0, or a duration not finite.
    """
    if not 0.0 < length_scale < math.inf:
        raise Refusal(
            f"length_scale = {length_scale:g}", mend="choose it above 0; 1 changes nothing"
        )
    place = torch.arange(log_durations.shape[1], device=log_durations.device)
    inside = place < tokens.to(log_durations.device)[:, None]
    exact = length_scale * log_durations.detach().double().masked_fill(~inside, 0.0).exp()
    if not bool((exact < 2.0**31).all()):  # nan is below nothing
        raise Refusal(
            f"a predicted duration is exp({log_durations[inside].max():g}) frames times "
            f"length_scale = {length_scale:g}",
            mend="take a smaller length_scale; if it is 1, train the predictor of durations longer",
        )
    least = place + 1
    over = exact.masked_fill(~inside, 0.0).cumsum(1).round().long() - least
    ends = over.cummax(1).values.clamp_min(0) + least
    return ends.diff(dim=1, prepend=ends.new_zeros(len(ends), 1)).masked_fill(~inside, 0)


def uniform_durations(tokens: Lengths, frames: Lengths) -> Tensor:
    """Share each item's frames among its tokens as evenly as whole frames can be.

    Args:
        tokens: (b,) tokens of each item.
        frames: (b,) frames of each item.

    Returns:
        Durations, (b, most tokens) int64, 0 beyond an item's tokens; their sums are `frames`.

    Raises:
        Refusal: an item has fewer frames than tokens, or no token.
    """
    for i, (n, length) in enumerate(zip(tokens.tolist(), frames.tolist(), strict=True)):
        refuse_short(i, n, length)
    most = int(tokens.max()) if len(tokens) else 0
    edge = torch.arange(most + 1, device=tokens.device).minimum(tokens[:, None])
    return (edge * frames.to(tokens.device)[:, None] // tokens[:, None]).diff(dim=1)


def token_starts(durations: Tensor, *, hop: int, rate: int) -> Tensor:
    """Return where each token starts, (b, tokens) float64 seconds; padding starts at the end.

    Args:
        durations: (b, tokens) integers, frames.
        hop: samples from a frame to the next; frame k starts at k hop.
        rate: samples a second.
    """
    return (durations.cumsum(1) - durations).double() * hop / rate
