"""A mel spectrogram spread over the bins of an STFT: what a vocoder is given.

The pseudo-inverse of the filterbank turns bands into a coarse magnitude for each bin; its logarithm
lies beside the complex STFT that the vocoder makes, bin by bin and frame by frame.
"""

from __future__ import annotations

import torch

from diffaudio.codec.codec import Codec
from diffaudio.codec.mel import LogMel, MelSpec
from diffaudio.codec.stft import stft_frames
from diffaudio.log import Refusal
from diffaudio.shapes import Audio, Lengths, State

__all__ = ["SpreadMel"]


class SpreadMel(Codec):
    """Audio (b, a, n) to State (b, a, n_fft / 2 + 1, l), frames as of `CompressedSTFT`; one way.

    Args:
        mel: what the spectrogram is; its n_fft and hop are those of the STFT.
        offset: subtracted from the logarithms.
        scale: factor after that.
    """

    invertible = False

    def __init__(self, mel: MelSpec, offset: float = -5.0, scale: float = 0.5) -> None:
        super().__init__()
        if scale <= 0:
            raise Refusal(f"SpreadMel: scale = {scale:g} is not above 0")
        self.mel, self.offset, self.scale = mel, offset, scale
        self.channels, self.bins, self.hop, self.rate = 1, mel.n_fft // 2 + 1, mel.hop, mel.rate
        self.bands = LogMel(mel, offset=0.0, scale=1.0)

    def frames(self, samples: Lengths) -> Lengths:
        """Return the number of frames of the STFT, a few more than of the mels."""
        return stft_frames(samples, self.mel.n_fft, self.hop)

    def encode(self, audio: Audio) -> State:
        """Take the mels and spread them."""
        return self.spread(self.bands.encode(audio), audio.shape[-1])

    def spread(self, logs: State, samples: int) -> State:
        """Spread logarithms of magnitudes (b, a, bands, l) of so many samples over the bins."""
        logs = self.mel.lasting(logs.float(), int(self.frames(torch.tensor(samples))))
        magnitudes = (self.bands.inverse @ logs.exp()).clamp_min(self.mel.floor)
        return self.scale * (magnitudes.log() - self.offset)

    def decode(self, state: State, samples: int) -> Audio:
        """Refuse: a vocoder is what goes back from here."""
        del state, samples
        raise Refusal("SpreadMel has no way back: it is what a vocoder is given")
