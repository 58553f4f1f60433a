"""WaveNet that sees both ways: dilated gated convolutions whose skip outputs are summed.

Sources: van den Oord et al. 2016 (arXiv:1609.03499); for diffusion without causality and with the
noise level added in every layer, Kong et al. 2021 (DiffWave, arXiv:2009.09761, figure 2); with the
bins of a spectrogram as channels, Liu et al. 2022 (DiffSinger, arXiv:2105.02446).
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from diffaudio.nets.layers import (
    NoiseEmbedding,
    Patches,
    Unpatches,
    as_bins,
    as_row,
    masked,
    pool_mask,
    zeroed,
)
from diffaudio.nets.net import Condition, Net
from diffaudio.shapes import Mask, State, Tensor, Time

__all__ = ["WaveNet"]


class GatedLayer(nn.Module):
    """One dilated convolution of three taps, gated; its result goes on, and out as a skip."""

    def __init__(self, width: int, dilation: int, embedding: int, *, last: bool) -> None:
        super().__init__()
        self.noise = nn.Linear(embedding, width)
        self.dilated = nn.Conv2d(
            width, 2 * width, (1, 3), padding=(0, dilation), dilation=(1, dilation)
        )
        self.out = nn.Conv2d(width, width if last else 2 * width, 1)  # nothing follows the last

    def forward(self, x: State, embedding: Tensor, mask: Mask | None) -> tuple[State, State]:
        """Map (b, width, 1, l) to what the next layer sees and the skip output, both the same."""
        h = masked(x + self.noise(embedding)[:, :, None, None], mask)
        content, gate = self.dilated(h).chunk(2, 1)
        skip, *change = self.out(torch.tanh(content) * torch.sigmoid(gate)).split(x.shape[1], 1)
        return (x + change[0]) * math.sqrt(0.5) if change else x, skip


class WaveNet(Net):
    """Layers of dilations 1, 2, 4, ... on frames of samples. Bins, if any, are channels.

    A frame sees 2 (2^cycle - 1) layers / cycle others: 6138 of them as it stands. With a patch of 1
    this is DiffWave; a longer one costs less in proportion.

    Args:
        in_channels: state channels in, given ones included (from code).
        out_channels: state channels out (from code).
        bins: frequency bins (from code); 1 for a waveform.
        width: channels of every layer.
        layers: gated convolutions.
        cycle: layers after which dilations start again at 1.
        patch: samples in a frame.

    Raises:
        ValueError: no layer, so that nothing would see the noise level, no cycle or no patch.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bins: int,
        *,
        width: int = 64,
        layers: int = 30,
        cycle: int = 10,
        patch: int = 1,
    ) -> None:
        super().__init__()
        if min(layers, cycle, patch) < 1:
            raise ValueError(
                f"layers, cycle and patch must be at least 1: {layers}, {cycle}, {patch}"
            )
        self.bins, self.patch, self.embedding = bins, patch, 4 * width
        self.embed = NoiseEmbedding(self.embedding)
        self.stem = Patches(in_channels * bins, width, (1, patch))
        self.layers = nn.ModuleList(
            GatedLayer(width, 2 ** (n % cycle), self.embedding, last=n == layers - 1)
            for n in range(layers)
        )
        self.sum = nn.Conv2d(width, width, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):  # as DiffWave: the sum would fade from layer to layer
                nn.init.kaiming_normal_(layer.weight)
        self.head = zeroed(Unpatches(width, out_channels * bins, (1, patch)))

    def forward(
        self,
        x: State,
        c_noise: Time,
        mask: Mask | None = None,
        condition: Condition | None = None,
    ) -> State:
        """Map (b, in, bins, l) to (b, out, bins, l)."""
        frames = x.shape[3]
        x = as_row(x, mask, self.patch)
        mask = pool_mask(mask, self.patch)
        embedding = self.embed(c_noise, condition)
        x = functional.silu(self.stem(x.contiguous(memory_format=torch.channels_last)))
        total = torch.zeros_like(x)
        for layer in self.layers:
            x, skip = layer(x, embedding, mask)
            total = total + skip
        x = functional.silu(self.sum(total * len(self.layers) ** -0.5))
        return as_bins(self.head(x), self.bins, frames)
