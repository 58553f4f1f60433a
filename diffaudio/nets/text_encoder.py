"""Text encoder: symbols to vectors, each knowing its neighbours and the whole; and durations.

A few convolutions over neighbouring symbols, then transformer blocks with rotary positions and a
convolution in the MLP. Like all networks here it is padding-invariant.

Sources: the convolutional front and the convolutional MLP are those of FastSpeech (Ren et al. 2019,
arXiv:1905.09263) and Glow-TTS (Kim et al. 2020, arXiv:2005.11129), which also has the duration
predictor that stops its gradient; rotary positions as in Matcha-TTS (Mehta et al. 2023,
arXiv:2309.03199).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from diffaudio.nets.attention import Attention
from diffaudio.nets.layers import zeroed
from diffaudio.shapes import Tensor

__all__ = ["DurationPredictor", "TextEncoder"]

WIDE = 5  # symbols that a convolution of the front sees
NEAR = 3  # those that other convolutions see


def _normed(x: Tensor) -> Tensor:
    """Bring each symbol's vector to mean 0 and deviation 1."""
    return functional.layer_norm(x, x.shape[-1:])


class _Convolution(nn.Module):
    """A convolution along symbols on (b, n, width), padding kept zero."""

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, size, padding=size // 2)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        return self.conv((x * inside).mT).mT


class EncoderBlock(nn.Module):
    """Self-attention, then a gated MLP whose first layer sees neighbours; both residual."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.attention = Attention(width, heads)
        self.wide = _Convolution(width, 4 * width, NEAR)
        self.narrow = zeroed(nn.Linear(2 * width, width))
        self.scale = nn.Parameter(torch.ones(2, width))
        self.shift = nn.Parameter(torch.zeros(2, width))

    def forward(self, x: Tensor, inside: Tensor, bias: Tensor) -> Tensor:
        """Map (b, n, width) to the same."""
        h = torch.addcmul(self.shift[0], _normed(x), self.scale[0])
        x = x + self.dropout(self.attention(h, bias))
        h = torch.addcmul(self.shift[1], _normed(x), self.scale[1])
        gate, up = self.wide(h, inside).chunk(2, -1)
        return x + self.dropout(self.narrow(functional.silu(gate) * up))


class TextEncoder(nn.Module):
    """Numbers of symbols (b, n) to vectors (b, n, width).

    Args:
        symbols: how many there are.
        width: of the vectors.
        depth: transformer blocks.
        heads: attention heads, twice of which must divide the width.
        front: convolutions before them.
        dropout: share of what each layer adds that is left out in training.
    """

    def __init__(
        self,
        symbols: int,
        width: int,
        *,
        depth: int = 4,
        heads: int = 2,
        front: int = 3,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.vectors = nn.Embedding(symbols, width)
        nn.init.normal_(self.vectors.weight, std=width**-0.5)
        self.front = nn.ModuleList(_Convolution(width, width, WIDE) for _ in range(front))
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, dropout) for _ in range(depth))

    def forward(self, ids: Tensor, inside: Tensor) -> Tensor:
        """Encode.

        Args:
            ids: (b, n) integers; what they are in the padding has no influence.
            inside: (b, n) bool.
        """
        mask = inside[..., None].to(self.vectors.weight.dtype)
        x = self.vectors(ids) * self.vectors.weight.shape[1] ** 0.5
        for conv in self.front:
            x = x + self.dropout(functional.silu(conv(_normed(x), mask)))
        bias = torch.zeros_like(mask[..., 0]).masked_fill(~inside, float("-inf"))[:, None, None]
        for block in self.blocks:
            x = block(x, mask, bias)
        return _normed(x) * mask


class DurationPredictor(nn.Module):
    """Vectors (b, n, width) to the logarithms of their durations in frames (b, n).

    Gradients stop at the vectors: how long a symbol lasts must not bend what it sounds like.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(_Convolution(width, width, NEAR) for _ in range(2))
        self.last = nn.Linear(width, 1)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """Predict; the padding is 0."""
        x, mask = x.detach(), inside[..., None].to(x.dtype)
        for layer in self.layers:
            x = self.dropout(_normed(functional.silu(layer(x, mask))))
        return (self.last(x) * mask).squeeze(-1)
