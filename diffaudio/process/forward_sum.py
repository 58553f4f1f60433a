"""Soft alignment: the chance of all alignments together, which an aligner learns to raise.

Scores are made probabilities of tokens in each frame, and summed over all alignments by the forward
algorithm; a prior near the diagonal helps at first. What is learned is made hard by
`search_alignment`.

Source: Badlani et al., One TTS Alignment to Rule Them All, 2021 (arXiv:2108.10447).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from diffaudio.log import Refusal
from diffaudio.process.alignment import lengths_inside
from diffaudio.shapes import Lengths

FLOOR = -1e6  # the gradient of torch's CTC loss is nan where a symbol's logarithm is -inf


def forward_sum(scores: Tensor, tokens: Lengths, frames: Lengths, *, blank: float = -1.0) -> Tensor:
    """Return -log of the sum over all alignments of the probability of their tokens, (b,) nats.

    It is the CTC loss of the tokens in order, each its own symbol. With a blank symbol, as in the
    source, a frame may also belong to no token: before, between and after them.

    Args:
        scores: (b, tokens, frames), logarithms up to a constant in each frame.
        tokens: (b,) tokens of each item.
        frames: (b,) frames of each item; what lies beyond has no influence.
        blank: score of the blank in every frame; -inf for none, so that only alignments count.

    Raises:
        Refusal: an item has fewer frames than tokens, or lengths are outside the scores.
    """
    lengths_inside(tokens, frames, scores)
    place = torch.arange(scores.shape[1], device=scores.device)
    padded = (place >= tokens.to(scores.device)[:, None])[..., None]
    over = torch.arange(scores.shape[2], device=scores.device) >= frames.to(scores.device)[:, None]
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    scores = scores.masked_fill(padded, -math.inf).masked_fill(over[:, None], 0.0)
    chances = functional.pad(scores, (0, 0, 1, 0), value=blank).log_softmax(1).clamp_min(FLOOR)
    symbols = (place + 1).expand(len(scores), -1)
    return functional.ctc_loss(chances.permute(2, 0, 1), symbols, frames, tokens, reduction="none")


def beta_binomial_prior(tokens: Lengths, frames: Lengths, *, scale: float = 1.0) -> Tensor:
    """Return the log-probability of each token in each frame before anything is heard.

    In frame t of T the token's index is beta-binomial over N - 1 trials, with alpha = scale t and
    beta = scale (T - t + 1): around the diagonal, wider in the middle than at the ends. (The
    source writes N trials, whose last outcome is no token; here the tokens' chances sum to 1.)

    Args:
        tokens: (b,) tokens of each item, N.
        frames: (b,) frames of each item, T.
        scale: larger is nearer to the diagonal; above 0.

    Returns:
        (b, most tokens, most frames) float32 to be added to the scores; 0 in the padding.

    Raises:
        Refusal: the scale is not above 0.
    """
    if not 0.0 < scale < math.inf:
        raise Refusal(f"scale = {scale:g}", mend="choose it above 0; 1 is the source's")
    trials = (tokens.double() - 1.0)[:, None, None]
    length = frames.to(tokens.device).double()[:, None, None]
    k = torch.arange(int(tokens.max()), device=tokens.device).double()[:, None]
    t = torch.arange(1, int(frames.max()) + 1, device=tokens.device).double()
    inside = (k <= trials) & (t <= length)
    k, t = k.minimum(trials), t.minimum(length)  # padding: any value that is allowed
    alpha, beta = scale * t, scale * (length - t + 1.0)
    ways = _log_beta(k + 1.0, trials - k + 1.0) + (trials + 1.0).log()  # -log of N - 1 over k
    chance = _log_beta(k + alpha, trials - k + beta) - _log_beta(alpha, beta) - ways
    return chance.masked_fill(~inside, 0.0).float()


def _log_beta(a: Tensor, b: Tensor) -> Tensor:
    return torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
