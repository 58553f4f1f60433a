"""Vocos: a network at the rate of frames that says magnitudes and phases of an STFT.

Source: Siuzdak 2023, arXiv:2306.00814, section 3; the blocks are those of ConvNeXt (Liu et al.
2022, arXiv:2201.03545) in one dimension. Parameters have the names of the checkpoints that its
author publishes.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from diffaudio.codec.mel import MelSpec
from diffaudio.shapes import Audio, State, Tensor

__all__ = ["Vocos"]

_TAPS = 7
_EPS = 1e-6  # of the layer norms
_LOUDEST = 100.0  # a bin's magnitude is cut off there, as published


class ConvNeXtBlock(nn.Module):
    """A convolution of each channel by itself, then two layers across channels, scaled, added."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(width, width, _TAPS, padding=_TAPS // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=_EPS)
        self.pwconv1 = nn.Linear(width, hidden)
        self.pwconv2 = nn.Linear(hidden, width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, width, l) to the same shape."""
        h = self.norm(self.dwconv(x).transpose(1, 2))
        h = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(h)))
        return x + h.transpose(1, 2)


class Backbone(nn.Module):
    """ConvNeXt blocks between two layer norms."""

    def __init__(self, bands: int, width: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Conv1d(bands, width, _TAPS, padding=_TAPS // 2)
        self.norm = nn.LayerNorm(width, eps=_EPS)
        self.convnext = nn.ModuleList(ConvNeXtBlock(width, hidden) for _ in range(depth))
        self.final_layer_norm = nn.LayerNorm(width, eps=_EPS)

    def forward(self, logs: Tensor) -> Tensor:
        """Map (b, bands, l) to (b, l, width)."""
        x = self.norm(self.embed(logs).transpose(1, 2)).transpose(1, 2)
        for block in self.convnext:
            x = block(x)
        return self.final_layer_norm(x.transpose(1, 2))


class Vocos(nn.Module):
    """Logarithms of mel magnitudes (b, 1, bands, l) to audio (b, 1, n).

    Args:
        mel: what the mels are; its n_fft and hop are those of the STFT.
        width: channels of the backbone.
        hidden: those inside its blocks.
        depth: number of blocks.
    """

    window: Tensor

    def __init__(self, mel: MelSpec, *, width: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.mel = mel
        self.backbone = Backbone(mel.bands, width, hidden, depth)
        self.head = nn.ModuleDict({"out": nn.Linear(width, mel.n_fft + 2)})
        self.register_buffer("window", torch.hann_window(mel.n_fft), persistent=False)

    def forward(self, logs: State, samples: int) -> Audio:
        """Turn frames centred on multiples of the hop into so many samples."""
        mel = self.mel
        logs = mel.lasting(logs.flatten(0, 1), samples // mel.hop + 1)
        size, phase = self.head["out"](self.backbone(logs)).transpose(1, 2).chunk(2, 1)
        spectrum = torch.polar(size.exp().clamp_max(_LOUDEST), phase)
        audio = torch.istft(spectrum, mel.n_fft, mel.hop, window=self.window, length=samples)
        return audio[:, None]
