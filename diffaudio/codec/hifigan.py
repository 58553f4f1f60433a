"""The generator of HiFi-GAN: transposed convolutions from frames of log-mels to samples.

Source: Kong et al. 2020, arXiv:2010.05646, section 2.2 and appendix A. Parameters have the names of
the checkpoints that its authors publish, without weight norm, so that these load as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from diffaudio.codec.mel import MelSpec
from diffaudio.log import Refusal
from diffaudio.shapes import Audio, State, Tensor

__all__ = ["HiFiGAN"]

_SLOPE = 0.1  # of the leaky rectifiers
_LAST_SLOPE = 0.01  # of the one before the last convolution: torch's default, as published


def _same(width: int, taps: int, dilation: int) -> nn.Conv1d:
    """Return a convolution that keeps channels and length."""
    return nn.Conv1d(width, width, taps, dilation=dilation, padding=dilation * (taps - 1) // 2)


class BlockOfPairs(nn.Module):
    """Residual block of type 1: each dilated convolution is followed by one without dilation."""

    def __init__(self, width: int, taps: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_same(width, taps, dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(_same(width, taps, 1) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, width, n) to the same shape."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            change = dilated(functional.leaky_relu(x, _SLOPE))
            x = x + plain(functional.leaky_relu(change, _SLOPE))
        return x


class BlockOfSingles(nn.Module):
    """Residual block of type 2: dilated convolutions alone."""

    def __init__(self, width: int, taps: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_same(width, taps, dilation) for dilation in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, width, n) to the same shape."""
        for dilated in self.convs:
            x = x + dilated(functional.leaky_relu(x, _SLOPE))
        return x


class HiFiGAN(nn.Module):
    """Logarithms of mel magnitudes (b, 1, bands, l) to audio (b, 1, n).

    Each stage stretches the frames by its stride and halves the channels; then several residual
    blocks, of one number of taps each, are averaged.

    Args:
        mel: what the mels are; the product of the strides is its hop.
        width: channels before the first stage.
        strides: of the stages' transposed convolutions.
        kernels: their lengths, an even number of samples more than the stride.
        taps: of the residual blocks of a stage, odd.
        dilations: of the convolutions in each of these blocks.
        block: type of the blocks: 1 in the variants V1 and V2, 2 in V3.

    Raises:
        Refusal: strides or lengths that make another number of samples than a hop a frame.
    """

    def __init__(
        self,
        mel: MelSpec,
        *,
        width: int,
        strides: Sequence[int],
        kernels: Sequence[int],
        taps: Sequence[int],
        dilations: Sequence[Sequence[int]],
        block: Literal["1", "2"],
    ) -> None:
        super().__init__()
        uneven = [k - u for k, u in zip(kernels, strides, strict=True) if k < u or (k - u) % 2]
        if uneven or math.prod(strides) != mel.hop or any(k % 2 == 0 for k in taps):
            raise Refusal(
                f"HiFi-GAN: strides {list(strides)}, kernels {list(kernels)}, taps {list(taps)} "
                f"do not make {mel.hop} samples of a frame",
                mend="the strides' product must be the hop; a kernel is an even number longer "
                "than its stride; taps are odd",
            )
        self.mel = mel
        kind = {"1": BlockOfPairs, "2": BlockOfSingles}[block]
        widths = [width // 2**stage for stage in range(len(strides) + 1)]
        self.conv_pre = nn.Conv1d(mel.bands, width, 7, padding=3)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(wide, wide // 2, kernel, stride, padding=(kernel - stride) // 2)
            for wide, kernel, stride in zip(widths[:-1], kernels, strides, strict=True)
        )
        self.resblocks = nn.ModuleList(  # all of the first stage, all of the second, ...
            kind(narrow, size, dilated)
            for narrow in widths[1:]
            for size, dilated in zip(taps, dilations, strict=True)
        )
        self.conv_post = nn.Conv1d(widths[-1], 1, 7, padding=3)

    def stretch(self, logs: Tensor) -> Tensor:
        """Map frames (b, bands, l) to samples (b, 1, l hop), a hop each."""
        x, beside = self.conv_pre(logs), len(self.resblocks) // len(self.ups)
        for stage, up in enumerate(self.ups):
            x = up(functional.leaky_relu(x, _SLOPE))
            blocks = self.resblocks[stage * beside : (stage + 1) * beside]
            x = torch.stack([block(x) for block in blocks]).mean(0)
        return torch.tanh(self.conv_post(functional.leaky_relu(x, _LAST_SLOPE)))

    def forward(self, logs: State, samples: int) -> Audio:
        """Turn frames centred on multiples of the hop, as of `LogMel`, into so many samples.

        HiFi-GAN's own frames are centred on the hop that is made of them. So what it makes of
        these is half a hop late, and is taken from there on.
        """
        late, hop = self.mel.hop // 2, self.mel.hop
        logs = self.mel.lasting(logs.flatten(0, 1), -(-(late + samples) // hop))
        return self.stretch(logs)[..., late : late + samples]
