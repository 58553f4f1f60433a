"""Layers that the networks share: channel norm, masked convolution, patches, noise-level embedding.

States inside the networks are (b, c, f, l), channels last in memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional

from diffaudio.nets.net import Condition
from diffaudio.shapes import Lengths, Mask, State, Tensor, Time

_Layer = TypeVar("_Layer", bound=nn.Module)

__all__ = [
    "Modulation",
    "NoiseEmbedding",
    "Patches",
    "Unpatches",
    "as_bins",
    "as_row",
    "channel_norm",
    "frame_mask",
    "masked",
    "masked_mean",
    "pad_to",
    "pool_mask",
    "zeroed",
]


def masked(x: State, mask: Mask | None) -> State:
    """Zero the padding, so that a convolution sees the same edge in every batch."""
    return x if mask is None else x * mask.to(x.dtype)


def frame_mask(frames: Lengths, longest: int) -> Mask | None:
    """Return the mask of utterances of so many frames; None where nothing is padded."""
    if bool((frames == longest).all()):
        return None
    inside = torch.arange(longest, device=frames.device) < frames[:, None]
    return inside.float()[:, None, None]


def masked_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Average (b, c, f, l) or (b, a, n) over all but the batch axis, padding left out: (b,)."""
    if mask is None:
        return values.flatten(1).mean(1)
    weight = mask.expand_as(values).flatten(1)
    return (values.flatten(1) * weight).sum(1) / weight.sum(1)


def pool_mask(mask: Mask | None, stride: int) -> Mask | None:
    """Reduce a mask in time: a coarse frame counts where any of its `stride` frames does."""
    if mask is None or stride == 1:
        return mask
    return functional.max_pool2d(mask.float(), (1, stride), ceil_mode=True)


def pad_to(x: State, multiple: Sequence[int]) -> State:
    """Pad bins and frames with zeros at their ends to multiples of `multiple` = (bins, frames)."""
    bins, frames = (-size % unit for size, unit in zip(x.shape[2:], multiple, strict=True))
    return functional.pad(x, (0, frames, 0, bins)) if bins or frames else x


def as_row(x: State, mask: Mask | None, patch: int) -> State:
    """Make bins channels, (b, c f, 1, l), padded to whole patches of frames, its padding zero."""
    return pad_to(masked(x, mask), (1, patch)).flatten(1, 2)[:, :, None]


def as_bins(x: State, bins: int, frames: int) -> State:
    """Undo `as_row`: channels of one row to (b, c, bins, frames)."""
    return x.squeeze(2).unflatten(1, (-1, bins))[..., :frames]


def channel_norm(x: State) -> State:
    """Bring each position to mean 0 and deviation 1 over its channels, without parameters.

    Unlike group or batch statistics it sees one position at a time, so padding cannot change it.
    (The root-mean-square norm would do as well, but has no fused kernel on CPUs.)
    """
    channels_last = x.permute(0, 2, 3, 1)
    return functional.layer_norm(channels_last, channels_last.shape[-1:]).permute(0, 3, 1, 2)


def zeroed(layer: _Layer) -> _Layer:
    """Return the layer with all its parameters zero: a residual branch that starts as nothing."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class NoiseEmbedding(nn.Module):
    """c_noise (b,) to (b, size): sinusoids from 1 to 1000 radians a unit, then two linear layers.

    A condition is added between the two.

    The span is for c_noise of order one: sinusoids meant for integer times, left unscaled, would
    give nearly one vector for all of [0, 1].
    """

    frequencies: Tensor

    def __init__(self, size: int, sinusoids: int = 64) -> None:
        super().__init__()
        steps = torch.arange(sinusoids) / (sinusoids - 1)
        self.register_buffer("frequencies", torch.exp(math.log(1000.0) * steps), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * sinusoids, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU()
        )

    def forward(self, c_noise: Time, condition: Condition | None = None) -> Tensor:
        """Embed each item's noise level and its condition's vector: (b, size)."""
        angles = c_noise.float()[:, None] * self.frequencies
        first, act, second, last = self.layers
        h = first(torch.cat([angles.cos(), angles.sin()], -1))
        return last(second(act(h if condition is None else h + condition.vector)))


class Modulation(nn.Module):
    """Scale and shift of each channel from the embedding: FiLM, adaptive norm after a norm."""

    def __init__(self, embedding: int, channels: int) -> None:
        super().__init__()
        self.linear = zeroed(nn.Linear(embedding, 2 * channels))

    def forward(self, x: State, embedding: Tensor) -> State:
        """Return x (1 + scale) + shift."""
        scale, shift = self.linear(embedding)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(shift, x, 1 + scale)


class Patches(nn.Module):
    """Non-overlapping (bins, frames) patches to channels: a convolution as wide as its stride."""

    def __init__(self, channels: int, width: int, patch: Sequence[int]) -> None:
        super().__init__()
        bins, frames = patch
        self.conv = nn.Conv2d(channels, width, (bins, frames), (bins, frames))

    def forward(self, x: State) -> State:
        """Map (b, channels, f, l) to (b, width, f / patch, l / patch); sizes must divide."""
        return self.conv(x)


class Unpatches(nn.Module):
    """Channels back to (bins, frames) patches: the transpose of `Patches`."""

    def __init__(self, width: int, channels: int, patch: Sequence[int]) -> None:
        super().__init__()
        bins, frames = patch
        self.conv = nn.ConvTranspose2d(width, channels, (bins, frames), (bins, frames))

    def forward(self, x: State) -> State:
        """Map (b, width, f, l) to (b, channels, f patch, l patch)."""
        return self.conv(x)
