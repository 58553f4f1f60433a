"""A mel spectrogram spread over the bins of an STFT: what a vocoder is given.

Each bin gets the mean of the bands that cover it: a coarse magnitude, whose logarithm lies beside
the complex STFT that the vocoder makes, bin by bin and frame by frame. The STFT divided by it is
white, so that noise is from the start as loud as what it is to become: the idea of PriorGrad (Lee
et al. 2022, arXiv:2106.06406), whose noise has the mels' loudness. Its loss, unlike theirs, counts
errors as they are before that division, or phases of loud partials would drown in noise.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from diffaudio.codec.codec import Codec
from diffaudio.codec.mel import LogMel, MelSpec
from diffaudio.codec.stft import CompressedSTFT, stft_frames
from diffaudio.log import Refusal
from diffaudio.shapes import Audio, Lengths, State, Tensor

__all__ = ["SpreadMel"]

_MOST = 3.0  # change of a bin's logarithm in a round


class SpreadMel(Codec):
    """Audio (b, a, n) to State (b, a, n_fft / 2 + 1, l), frames as of `CompressedSTFT`; one way.

    Args:
        mel: what the spectrogram is; its n_fft and hop are those of the STFT.
        offset: subtracted from the logarithms.
        scale: factor after that.
        power: of the magnitudes, by which the states beside it are divided: that of the
            compression makes them white, 0 leaves them alone.
        rounds: how often `fitted` sets the magnitudes of a sound; 0 leaves it as it is.
    """

    invertible = False
    weights: Tensor

    def __init__(
        self,
        mel: MelSpec,
        offset: float = -5.0,
        scale: float = 0.5,
        power: float = 0.0,
        rounds: int = 2,
    ) -> None:
        super().__init__()
        if scale <= 0 or rounds < 0:
            raise Refusal(
                f"SpreadMel: scale = {scale:g} must be above 0, rounds = {rounds} at least 0"
            )
        self.mel, self.offset, self.scale, self.rounds = mel, offset, scale, rounds
        self.channels, self.bins, self.hop, self.rate = 1, mel.n_fft // 2 + 1, mel.hop, mel.rate
        self.bands, self.power = LogMel(mel, offset=0.0, scale=1.0), power
        self.stft = CompressedSTFT(mel.n_fft, mel.hop, exponent=1.0, scale=1.0)
        self.register_buffer("weights", _means(self.bands.filters), persistent=False)

    def frames(self, samples: Lengths) -> Lengths:
        """Return the number of frames of the STFT, a few more than of the mels."""
        return stft_frames(samples, self.mel.n_fft, self.hop)

    def encode(self, audio: Audio) -> State:
        """Take the mels, silence after the end, and spread them."""
        frames = int(self.frames(torch.tensor(audio.shape[-1])))
        logs = self.bands.encode(functional.pad(audio, (0, self.mel.n_fft)))
        return self._over_bins(logs[..., :frames])

    def spread(self, logs: State, samples: int) -> State:
        """Spread logarithms of magnitudes (b, a, bands, l) of so many samples over the bins.

        The STFT has a few frames more: they are taken to be like the last one.
        """
        frames = int(self.frames(torch.tensor(samples)))
        missing = (0, frames - logs.shape[-1], 0, 0)
        return self._over_bins(functional.pad(logs.float(), missing, mode="replicate"))

    def _over_bins(self, logs: State) -> State:
        with torch.autocast(logs.device.type, enabled=False):
            magnitudes = (self.weights @ logs.exp()).clamp_min(self.mel.floor)
        return self.scale * (magnitudes.log() - self.offset)

    def expected(self, state: State) -> State | None:
        """Return the magnitudes to the power."""
        return torch.exp(self.power * (state / self.scale + self.offset)) if self.power else None

    def fitted(self, audio: Audio, state: State) -> Audio:
        """Scale the bins of its STFT until their loudness is that of the mels: a few rounds.

        A sampler in few steps meets the mels roughly; they are known, so they are kept, as what was
        measured is in an inverse problem. Phases, and the fine structure between bands, stay.
        """
        for _ in range(self.rounds):
            off = ((state - self.encode(audio)) / self.scale).clamp(-_MOST, _MOST)
            audio = self.stft.decode(self.stft.encode(audio) * off.exp(), audio.shape[-1])
        return audio

    def decode(self, state: State, samples: int) -> Audio:
        """Refuse: a vocoder is what goes back from here."""
        del state, samples
        raise Refusal("SpreadMel has no way back: it is what a vocoder is given")


def _means(filters: Tensor) -> Tensor:
    """Return the weights (f, bands) that turn bands into the mean of those that cover a bin.

    A flat spectrum stays flat. Bins that no band covers have the nearest that one does.
    """
    weights = filters.T / (filters.T @ filters.sum(1, keepdim=True)).clamp_min(1e-12)
    covered = torch.nonzero(filters.sum(0) > 0).flatten()
    bins = torch.arange(filters.shape[1])
    nearest = (bins[:, None] - covered).abs().argmin(1)
    return weights[covered[nearest]]
