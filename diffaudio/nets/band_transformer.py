"""Band-split transformer: tokens on a (bands x time) grid; bands = 1 is a plain 1-D DiT.

Sources: band splitting, Luo and Yu 2023 (arXiv:2209.15174), Lu et al. 2023 (arXiv:2309.02612), here
with bands of equal width and linear maps; adaptive norm, Peebles & Xie 2023 (arXiv:2212.09748).
"""

from __future__ import annotations

import torch
from torch import nn

from diffaudio.nets.attention import GridBlock, shared_modulation
from diffaudio.nets.layers import (
    NoiseEmbedding,
    channel_norm,
    masked,
    pad_to,
    pool_mask,
    zeroed,
)
from diffaudio.nets.net import Condition, Net
from diffaudio.shapes import Mask, State, Tensor, Time

__all__ = ["BandTransformer"]


class BandLinear(nn.Module):
    """A linear map of its own for every band: (b, k, l, in) to (b, k, l, out)."""

    def __init__(self, bands: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(bands, inputs, outputs) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(bands, 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map each band's features."""
        return torch.einsum("bkli,kio->bklo", x, self.weight) + self.bias


class BandTransformer(Net):
    """Bands of bins, patches of frames, blocks of time and band attention, bands back to bins.

    Args:
        in_channels: state channels in, given ones included (from code).
        out_channels: state channels out (from code).
        bins: frequency bins (from code).
        bands: rows of the token grid; bins are padded to a multiple.
        patch: frames in a token.
        width: channels of a token.
        depth: blocks.
        heads: attention heads.
        cross_attention: whether every block attends to the tokens of the condition.

    Raises:
        ValueError: no block, so that nothing would see the noise level, or sizes that do not fit.
    """

    def __init__(  # noqa: PLR0913  a size each
        self,
        in_channels: int,
        out_channels: int,
        bins: int,
        *,
        bands: int = 32,
        patch: int = 2,
        width: int = 256,
        depth: int = 8,
        heads: int = 4,
        cross_attention: bool = False,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f"depth must be at least 1: {depth}")
        self.bands, self.patch, self.embedding = bands, patch, width
        cell = -(-bins // bands) * patch  # values of one channel in a token
        self.embed = NoiseEmbedding(width)
        self.modulate = shared_modulation(width, width)
        self.encode = BandLinear(bands, in_channels * cell, width)
        tokens = width if cross_attention else 0
        self.blocks = nn.ModuleList(
            GridBlock(width, heads, bands, tokens=tokens) for _ in range(depth)
        )
        self.decode = zeroed(BandLinear(bands, width, out_channels * cell))

    def forward(
        self,
        x: State,
        c_noise: Time,
        mask: Mask | None = None,
        condition: Condition | None = None,
    ) -> State:
        """Map (b, in, bins, l) to (b, out, bins, l)."""
        bins, frames = x.shape[2:]
        x = pad_to(masked(x, mask), (self.bands, self.patch))
        mask = pool_mask(mask, self.patch)
        modulation = self.modulate(self.embed(c_noise, condition))
        x = x.unflatten(3, (-1, self.patch)).unflatten(2, (self.bands, -1))  # (b, c, k, w, l, p)
        tokens = self.encode(x.permute(0, 2, 4, 1, 3, 5).flatten(3)).permute(0, 3, 1, 2)
        for block in self.blocks:
            tokens = block(tokens, modulation, mask, condition)
        x = self.decode(channel_norm(tokens).permute(0, 2, 3, 1))  # (b, k, l, c w p)
        x = x.unflatten(3, (-1, (bins + self.bands - 1) // self.bands, self.patch))
        x = x.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
        return x[:, :, :bins, :frames]
