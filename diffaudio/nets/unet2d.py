"""Two-dimensional U-Net that strides first: patches in, a few levels, transformer at the bottom.

Wide activations are bound by memory, not arithmetic, on CPUs and GPUs alike; a first convolution
with a stride leaves an eighth of the positions to every later layer. The skip structure is that of
Ronneberger et al. 2015 (arXiv:1505.04597); blocks are pre-activation residual blocks with FiLM.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from diffaudio.nets.attention import GridBlock, shared_modulation
from diffaudio.nets.layers import (
    Modulation,
    NoiseEmbedding,
    Patches,
    Unpatches,
    channel_norm,
    masked,
    pad_to,
    pool_mask,
    zeroed,
)
from diffaudio.nets.net import Condition, Net
from diffaudio.shapes import Mask, State, Tensor, Time

__all__ = ["UNet2d"]

HEAD = 32  # channels of an attention head


class ResidualBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(film(norm(x))))))), both convolutions 3 x 3.

    On a single row they are 1 x 3: weights for rows above and below would see zeros alone.
    """

    def __init__(self, width: int, rows: int, embedding: int) -> None:
        super().__init__()
        above = int(rows > 1)
        size, padding = (1 + 2 * above, 3), (above, 1)
        self.film = Modulation(embedding, width)
        self.first = nn.Conv2d(width, width, size, padding=padding)
        self.second = zeroed(nn.Conv2d(width, width, size, padding=padding))

    def forward(self, x: State, embedding: Tensor, mask: Mask | None) -> State:
        """Map (b, width, f, l) to the same."""
        h = functional.silu(self.film(channel_norm(x), embedding))
        h = functional.silu(channel_norm(self.first(masked(h, mask))))
        return x + self.second(masked(h, mask))


class Down(nn.Module):
    """Blocks at one resolution, then the stride to the one below."""

    def __init__(
        self,
        width: int,
        below: int,
        stride: Sequence[int],
        rows: int,
        blocks: int,
        embedding: int,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(width, rows, embedding) for _ in range(blocks))
        self.leave = Patches(width, below, stride)

    def forward(self, x: State, embedding: Tensor, mask: Mask | None) -> tuple[State, State]:
        """Return what the way up will need, and the coarser state."""
        for block in self.blocks:
            x = block(x, embedding, mask)
        return x, self.leave(masked(x, mask))


class Up(nn.Module):
    """The stride back from the resolution below, what the way down has kept, then blocks."""

    def __init__(
        self,
        width: int,
        below: int,
        stride: Sequence[int],
        rows: int,
        blocks: int,
        embedding: int,
    ) -> None:
        super().__init__()
        self.enter = Unpatches(below, width, stride)
        self.skip = nn.Conv2d(width, width, 1)
        self.blocks = nn.ModuleList(ResidualBlock(width, rows, embedding) for _ in range(blocks))

    def forward(self, x: State, kept: State, embedding: Tensor, mask: Mask | None) -> State:
        """Return the finer state."""
        x = self.enter(x) + self.skip(kept)  # a 1 x 1 convolution of both side by side
        for block in self.blocks:
            x = block(x, embedding, mask)
        return x


class UNet2d(Net):
    """Map states through patches, levels of residual blocks and grid-attention blocks.

    Args:
        in_channels: state channels in, given ones included (from code).
        out_channels: state channels out (from code).
        bins: frequency bins (from code).
        widths: channels of each level, the bottom last.
        patch: (bins, frames) merged by the first layer.
        strides: (bins, frames) from each level to the next; one less than widths.
        blocks: residual blocks a level and direction.
        depth: attention blocks at the bottom, with a head for every 32 channels.
        cross_attention: whether these attend to the tokens of the condition as well.

    Raises:
        ValueError: sizes that do not fit, or that leave nothing to see the noise level.
    """

    def __init__(  # noqa: PLR0913  a size each
        self,
        in_channels: int,
        out_channels: int,
        bins: int,
        *,
        widths: Sequence[int] = (64, 96, 128),
        patch: Sequence[int] = (4, 2),
        strides: Sequence[Sequence[int]] = ((2, 1), (2, 1)),
        blocks: int = 1,
        depth: int = 2,
        cross_attention: bool = False,
    ) -> None:
        super().__init__()
        if len(strides) != len(widths) - 1:
            raise ValueError(f"{len(widths)} widths take {len(widths) - 1} strides: {strides}")
        if min(widths) < 2:
            raise ValueError(f"widths must be at least 2, or the norm leaves nothing: {widths}")
        if not (depth or (blocks and strides)):
            raise ValueError("no residual and no attention block: nothing sees the noise level")
        if cross_attention and not depth:
            raise ValueError("cross_attention is that of attention blocks: depth must not be 0")
        first, bottom = widths[0], widths[-1]
        self.embedding = embedding = 4 * first
        self.patch = tuple(patch)
        self.unit = tuple(math.prod(step) for step in zip(patch, *strides, strict=True))
        rows = -(-bins // self.unit[0]) * self.unit[0] // self.patch[0]
        self.embed = NoiseEmbedding(embedding)
        if depth:  # a weight that nothing uses would keep ranks from training together
            self.modulate = shared_modulation(embedding, bottom)
        self.stem = Patches(in_channels, first, self.patch)
        self.place = nn.Parameter(torch.zeros(1, first, rows, 1))  # which bins a row holds
        self.time_strides = [time for _, time in strides]
        heights = [rows // math.prod(bins for bins, _ in strides[:n]) for n in range(len(widths))]
        steps = list(zip(widths, widths[1:], strides, heights, strict=False))
        self.down = nn.ModuleList(Down(*step, blocks, embedding) for step in steps)
        self.up = nn.ModuleList(Up(*step, blocks, embedding) for step in steps[::-1])
        tokens = embedding if cross_attention else 0
        self.bottom = nn.ModuleList(
            GridBlock(bottom, max(bottom // HEAD, 1), heights[-1], tokens=tokens)
            for _ in range(depth)
        )
        self.head = zeroed(Unpatches(first, out_channels, self.patch))

    def forward(
        self,
        x: State,
        c_noise: Time,
        mask: Mask | None = None,
        condition: Condition | None = None,
    ) -> State:
        """Map (b, in, bins, l) to (b, out, bins, l)."""
        bins, frames = x.shape[2:]
        x = pad_to(masked(x, mask), self.unit).contiguous(memory_format=torch.channels_last)
        if mask is None and x.shape[3] > frames:
            mask = torch.ones(len(x), 1, 1, frames, device=x.device)  # what was added is padding
        if mask is not None:
            mask = functional.pad(mask, (0, x.shape[3] - frames))
        embedding = self.embed(c_noise, condition)
        mask = pool_mask(mask, self.patch[1])
        x = self.stem(x) + self.place
        kept = []
        for down, stride in zip(self.down, self.time_strides, strict=True):
            skip, x = down(x, embedding, mask)
            kept.append((skip, mask))
            mask = pool_mask(mask, stride)
        if self.bottom:
            modulation = self.modulate(embedding)
            for block in self.bottom:
                x = block(x, modulation, mask, condition)
        for up, (skip, mask) in zip(self.up, reversed(kept), strict=True):
            x = up(x, skip, embedding, mask)
        x = self.head(functional.silu(channel_norm(x)))
        return x[:, :, :bins, :frames]
