"""Transformer blocks on a (bands x time) grid: attention in time, across bands, and a gated MLP.

Where a network is built for it, also cross-attention to the tokens of a condition.

Sources: RoPE, Su et al. 2021 (arXiv:2104.09864); adaptive norm with zero-gated branches, Peebles
and Xie 2023 (DiT, arXiv:2212.09748); query-key norm, Henry et al. 2020 (arXiv:2010.04245); SwiGLU,
Shazeer 2020 (arXiv:2002.05202); one modulation for all layers plus an offset a layer, Chen et al.
2023 (PixArt-alpha, arXiv:2310.00426); alternating time and band attention, Lu et al. 2023
(BS-RoFormer, arXiv:2309.02612); cross-attention between self-attention and MLP, Vaswani et al. 2017
(arXiv:1706.03762).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from diffaudio.log import Refusal
from diffaudio.nets.layers import channel_norm, zeroed
from diffaudio.nets.net import Condition
from diffaudio.shapes import Mask, State, Tensor

__all__ = ["Attention", "CrossAttention", "GridBlock", "rotate"]


def rotate(x: Tensor, base: float = 10000.0) -> Tensor:
    """Rotate pairs of features by their position times a frequency: (..., n, d), d even."""
    length, size = x.shape[-2:]
    half = size // 2
    frequency = base ** -(torch.arange(half, device=x.device) / half)
    angle = torch.arange(length, device=x.device)[:, None] * frequency  # (n, d / 2)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x.split(half, -1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """Softmax attention on (b, heads, n, d); bias (b, 1, 1, n) is -inf at padded keys."""
    if q.is_cuda:
        return functional.scaled_dot_product_attention(q, k, v, bias)
    # The fused kernel's backward is slow on CPUs with small heads: two products and a softmax.
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    return (scores if bias is None else scores + bias).softmax(-1).to(v.dtype) @ v


class Attention(nn.Module):
    """Multi-head self-attention over sequences (b, n, width) with rotary positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % (2 * heads):
            raise ValueError(f"width must be a multiple of twice the heads: {width}, {heads}")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attend within each sequence."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = (rotate(functional.layer_norm(u, u.shape[-1:])) for u in (q, k))  # (b, h, n, d)
        return self.out(_attend(q, k, v, bias).transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    """Multi-head attention of every place of a state to its item's tokens; starts as nothing."""

    def __init__(self, width: int, heads: int, tokens: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(tokens, 2 * width, bias=False)
        self.out = zeroed(nn.Linear(width, width, bias=False))

    def forward(self, x: State, condition: Condition | None) -> State:
        """Map (b, width, f, l) to the same.

        Raises:
            Refusal: the condition has no tokens.
        """
        if condition is None or condition.tokens is None or condition.inside is None:
            raise Refusal(
                "model.net: cross_attention: the condition has no tokens",
                mend="set it to false, or model.condition to one with tokens: Characters",
            )
        q = self.query(x.flatten(2).mT).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = (
            self.key_value(condition.tokens)
            .unflatten(-1, (2, self.heads, -1))
            .permute(2, 0, 3, 1, 4)
        )
        q, k = (functional.layer_norm(u, u.shape[-1:]) for u in (q, k))  # (b, h, n, d)
        bias = torch.zeros_like(condition.inside, dtype=q.dtype)
        bias = bias.masked_fill(~condition.inside, float("-inf"))[:, None, None]
        return self.out(_attend(q, k, v, bias).transpose(1, 2).flatten(2)).mT.view_as(x)


class GridBlock(nn.Module):
    """Attention along time in every band, along bands in every frame, then a gated MLP.

    Args:
        width: channels.
        heads: attention heads.
        bands: rows of the grid; with one there is no attention across bands.
        expansion: width of the MLP over `width`.
        tokens: width of the tokens of a condition to attend to; 0 attends to none.
    """

    def __init__(
        self, width: int, heads: int, bands: int, *, expansion: float = 8 / 3, tokens: int = 0
    ) -> None:
        super().__init__()
        inner = 8 * round(width * expansion / 8)
        self.time = Attention(width, heads)
        self.band = Attention(width, heads) if bands > 1 else None
        self.cross = CrossAttention(width, heads, tokens) if tokens else None
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)
        self.offset = nn.Parameter(torch.zeros(9 * width))

    def forward(
        self,
        x: State,
        modulation: Tensor,
        mask: Mask | None = None,
        condition: Condition | None = None,
    ) -> State:
        """Map (b, width, bands, l) to the same.

        Args:
            x: the grid.
            modulation: (b, 9 width), from the noise level, shared by all blocks.
            mask: padded frames are no keys.
            condition: whose tokens to attend to.
        """
        scale_time, shift_time, gate_time, *rest = (
            (modulation + self.offset)[:, :, None, None].to(x.dtype).chunk(9, 1)
        )
        scale_band, shift_band, gate_band, scale_mlp, shift_mlp, gate_mlp = rest
        h = torch.addcmul(shift_time, channel_norm(x), 1 + scale_time)
        x = x + gate_time * self._along_time(h, mask)
        if self.band is not None:
            h = torch.addcmul(shift_band, channel_norm(x), 1 + scale_band)
            x = x + gate_band * _sequences(h, self.band)
        if self.cross is not None:
            x = x + self.cross(channel_norm(x), condition)
        h = torch.addcmul(shift_mlp, channel_norm(x), 1 + scale_mlp).permute(0, 2, 3, 1)
        gate, up = self.gate_up(h).chunk(2, -1)
        return x + gate_mlp * self.down(functional.silu(gate) * up).permute(0, 3, 1, 2)

    def _along_time(self, h: State, mask: Mask | None) -> State:
        bias = None
        if mask is not None:
            bias = torch.zeros_like(mask, dtype=h.dtype).masked_fill(mask == 0, float("-inf"))
            bias = bias.repeat_interleave(h.shape[2], 0)  # one sequence a band
        swapped = h.transpose(2, 3)  # the sequence axis third
        return _sequences(swapped, self.time, bias).transpose(2, 3)


def _sequences(h: State, attention: Attention, bias: Tensor | None = None) -> State:
    """Attend along the third axis of (b, width, n, m), separately for each of the m."""
    b, width, n, m = h.shape
    sequences = h.permute(0, 3, 2, 1).reshape(b * m, n, width)
    return attention(sequences, bias).view(b, m, n, width).permute(0, 3, 2, 1)


def shared_modulation(embedding: int, width: int) -> nn.Linear:
    """Build the map from the noise embedding to the modulation that all blocks share."""
    return zeroed(nn.Linear(embedding, 9 * width))
