"""One-dimensional U-Net: overlapping frames of samples into a U-Net of one row, and back.

Frames twice as long as their hop are the channels, as in the learned filterbanks of Conv-TasNet
(Luo and Mesgarani 2019, arXiv:1809.07454): with the linear map behind the framing this is a strided
convolution, and overlap-add with the one before it the transpose of that. Neighbouring frames share
samples, so their borders are not heard. Between the two lies the 2-D U-Net at its flattest, with
convolutions in time alone, as in Wave-U-Net (Stoller et al. 2018, arXiv:1806.03185).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch.nn import functional

from diffaudio.nets.layers import as_bins, as_row, masked, pool_mask
from diffaudio.nets.net import Condition, Net
from diffaudio.nets.unet2d import UNet2d
from diffaudio.shapes import Mask, State, Time

__all__ = ["UNet1d"]


class UNet1d(Net):
    """Frame, run a U-Net of one row, overlap and add. Bins, if there are several, are channels.

    Args:
        in_channels: state channels in, given ones included (from code).
        out_channels: state channels out (from code).
        bins: frequency bins (from code); 1 for a waveform.
        widths: channels of each level, the bottom last.
        patch: samples from one frame to the next; a frame is twice as long.
        strides: in time, from each level to the next; one less than widths.
        blocks: residual blocks a level and direction.
        depth: attention blocks at the bottom, with a head for every 32 channels.

    Raises:
        ValueError: no patch, or sizes that `UNet2d` refuses.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bins: int,
        *,
        widths: Sequence[int] = (64, 128, 256),
        patch: int = 8,
        strides: Sequence[int] = (4, 4),
        blocks: int = 2,
        depth: int = 4,
    ) -> None:
        super().__init__()
        if patch < 1:
            raise ValueError(f"patch must be at least 1: {patch}")
        self.bins, self.patch = bins, patch
        self.reach = patch // 2  # samples of each neighbour that a frame holds
        frame = patch + 2 * self.reach
        self.core = UNet2d(
            in_channels * bins * frame,
            out_channels * bins * frame,
            1,
            widths=widths,
            patch=(1, 1),
            strides=[(1, stride) for stride in strides],
            blocks=blocks,
            depth=depth,
        )
        self.embedding = self.core.embedding

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
        size, padded = (1, self.patch + 2 * self.reach), (1, x.shape[3])
        steps = {"stride": (1, self.patch), "padding": (0, self.reach)}
        mask = pool_mask(mask, self.patch)
        x = functional.unfold(x, size, **steps)[:, :, None]  # (b, c f size, 1, l / patch)
        x = masked(self.core(x, c_noise, mask, condition), mask)
        x = functional.fold(x.squeeze(2), padded, size, **steps)  # overlap and add
        return as_bins(x, self.bins, frames)
