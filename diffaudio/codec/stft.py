"""Complex STFT with compressed magnitude, s |X|^e exp(i arg X), as two real channels.

Source: Welker et al. 2022 (arXiv:2203.17004) and Richter et al. 2023 (SGMSE+, arXiv:2208.05830),
section IV-A: e = 0.5, s = 0.15, 510-point periodic Hann window, hop 128 at 16 kHz.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from diffaudio.codec.codec import Codec
from diffaudio.shapes import Audio, Lengths, State, Tensor

__all__ = ["CompressedSTFT"]


def stft_frames(samples: Lengths, n_fft: int, hop: int) -> Lengths:
    """Return the number of centred windows that touch one of the samples."""
    return -(-(samples + n_fft // 2) // hop)


class CompressedSTFT(Codec):
    """Audio (b, a, n) to State (b, 2a, n_fft/2 + 1, l), invertible.

    Every frame that touches a sample of the utterance is kept (SGMSE+ drops the last one or two),
    so the inverse needs no frame of the padding and an utterance decodes alike in any batch.

    Args:
        n_fft: window length in samples, even.
        hop: samples from one frame to the next.
        exponent: e, power of the magnitude; 1 leaves it as it is.
        scale: s, factor after compression.
    """

    window: Tensor

    def __init__(
        self, n_fft: int = 510, hop: int = 128, exponent: float = 0.5, scale: float = 0.15
    ) -> None:
        super().__init__()
        if n_fft % 2 or not 0 < hop <= n_fft // 2:
            raise ValueError(f"n_fft must be even and hop at most half of it: {n_fft}, {hop}")
        if exponent <= 0 or scale <= 0:
            raise ValueError(f"exponent and scale must be positive: {exponent}, {scale}")
        self.channels, self.bins, self.hop = 2, n_fft // 2 + 1, hop
        self.n_fft, self.exponent, self.scale = n_fft, exponent, scale
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def frames(self, samples: Lengths) -> Lengths:
        """Return the number of frames whose window touches one of the samples."""
        return stft_frames(samples, self.n_fft, self.hop)

    def encode(self, audio: Audio) -> State:
        """Transform and compress."""
        count = self.frames(torch.tensor(audio.shape[-1])).item()
        half = self.n_fft // 2
        reach = int(count - 1) * self.hop + self.n_fft  # samples under the frames
        padded = functional.pad(audio.float(), (half, reach - half - audio.shape[-1]))
        spectrum = torch.stft(
            padded.flatten(0, 1),  # (b a, n): each channel is transformed by itself
            self.n_fft,
            self.hop,
            window=self.window,
            center=False,
            return_complex=True,
        )
        magnitude = spectrum.abs().clamp_min(1e-12)
        spectrum = spectrum * (self.scale * magnitude ** (self.exponent - 1))
        parts = torch.view_as_real(spectrum).permute(0, 3, 1, 2)  # (b a, 2, f, l)
        return parts.unflatten(0, audio.shape[:2]).flatten(1, 2)

    def decode(self, state: State, samples: int) -> Audio:
        """Expand and transform back."""
        parts = state.float().unflatten(1, (-1, 2)).flatten(0, 1) / self.scale  # (b a, 2, f, l)
        # sqrt of a clamped square: the gradient stays finite where the state is zero.
        magnitude = parts.square().sum(1, keepdim=True).clamp_min(1e-12).sqrt()
        parts = parts * magnitude ** (1 / self.exponent - 1)
        spectrum = torch.view_as_complex(parts.permute(0, 2, 3, 1).contiguous())
        audio = torch.istft(
            spectrum, self.n_fft, self.hop, window=self.window, center=True, length=samples
        )
        return audio.unflatten(0, (state.shape[0], -1))
