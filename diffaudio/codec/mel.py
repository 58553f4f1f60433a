"""Log-mel spectrogram, scaled, and a way back by Griffin-Lim when there is no vocoder.

Sources: the mels are those of HiFi-GAN (Kong et al. 2020, arXiv:2010.05646) and what followed it:
magnitudes, Slaney's scale and triangles of unit area, natural logarithm, floor 1e-5. Vocos (Siuzdak
2023, arXiv:2306.00814) has others: HTK's scale, triangles of unit height. Phases: Griffin and Lim
1984, with the momentum of Perraudin et al. 2013.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torchaudio.functional as F
from torch.nn import functional

from diffaudio.codec.codec import Codec
from diffaudio.log import Refusal
from diffaudio.shapes import Audio, Lengths, State, Tensor

__all__ = ["LogMel", "MelSpec"]

_MOMENTUM = 0.99


@dataclass(frozen=True)
class MelSpec:
    """What a mel spectrogram is: whoever makes one and whoever turns it into sound must agree.

    Args:
        rate: of the audio, in Hz.
        n_fft: window length in samples, even.
        hop: samples from one frame to the next.
        bands: mel bands.
        low: lower edge of the lowest band in Hz.
        high: upper edge of the highest one; by default half the rate.
        floor: least magnitude whose logarithm is taken.
        mel_scale: slaney, linear below 1 kHz; htk, 2595 log10(1 + f / 700).
        norm: slaney, triangles of unit area (per Hz); null, of unit height.
    """

    rate: int
    n_fft: int = 1024
    hop: int = 256
    bands: int = 80
    low: float = 0.0
    high: float | None = None
    floor: float = 1e-5
    mel_scale: Literal["slaney", "htk"] = "slaney"
    norm: Literal["slaney"] | None = "slaney"

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit."""
        if self.n_fft % 2 or not 0 < self.hop <= self.n_fft // 2:
            raise Refusal(
                f"mel: n_fft {self.n_fft} and hop {self.hop}",
                mend="n_fft must be even, and hop at most half of it",
            )
        if not 0 <= self.low < self.top <= self.rate / 2:
            raise Refusal(
                f"mel: low {self.low:g} Hz, high {self.top:g} Hz at a rate of {self.rate} Hz",
                mend="low must be below high, and high at most half the rate",
            )
        if self.floor <= 0:
            raise Refusal(f"mel: floor {self.floor:g} is not above 0")

    @property
    def top(self) -> float:
        """Upper edge of the highest band in Hz."""
        return self.rate / 2 if self.high is None else self.high

    @property
    def quiet(self) -> float:
        """What silence is: the logarithm of the floor."""
        return torch.log(torch.tensor(self.floor)).item()

    def lasting(self, logs: State, frames: int) -> State:
        """Return logarithms (..., l) of just so many frames, with silence after their end."""
        return functional.pad(logs, (0, frames - logs.shape[-1]), value=self.quiet)


class LogMel(Codec):
    """Audio (b, a, n) to State (b, a, bands, l); phases are lost, the way back invents them.

    Frames are centred on multiples of the hop, silence before and after the audio.

    Args:
        mel: what the spectrogram is.
        offset: subtracted from the logarithms: their mean over the training set. Neither it nor
            `scale` needs to be exact; `diffaudio describe --dump` prints both for a corpus.
        scale: factor after that; the inverse of their standard deviation makes that of states 1.
        iterations: of Griffin-Lim.
    """

    invertible = False
    window: Tensor
    filters: Tensor
    inverse: Tensor

    def __init__(
        self, mel: MelSpec, offset: float = -5.0, scale: float = 0.5, iterations: int = 32
    ) -> None:
        super().__init__()
        if scale <= 0 or iterations < 0:
            raise Refusal(
                f"LogMel: scale = {scale:g} must be above 0, iterations = {iterations} at least 0"
            )
        self.channels, self.bins, self.hop, self.rate = 1, mel.bands, mel.hop, mel.rate
        self.mel, self.offset, self.scale, self.iterations = mel, offset, scale, iterations
        filters = F.melscale_fbanks(
            mel.n_fft // 2 + 1, mel.low, mel.top, mel.bands, mel.rate, mel.norm, mel.mel_scale
        )
        self.vocoder: Callable[[State, int], Audio] | None = None  # put in by who has one
        self.register_buffer("window", torch.hann_window(mel.n_fft), persistent=False)
        self.register_buffer("filters", filters.T, persistent=False)  # (bands, n_fft / 2 + 1)
        self.register_buffer("inverse", torch.linalg.pinv(filters.T), persistent=False)

    def frames(self, samples: Lengths) -> Lengths:
        """Return the number of frames whose middle is a sample, or the first one after them."""
        return samples // self.hop + 1

    def encode(self, audio: Audio) -> State:
        """Return scaled logarithms of the bands' magnitudes."""
        magnitudes = self._stft(audio.float().flatten(0, 1)).abs()
        with torch.autocast(audio.device.type, enabled=False):  # 8 bits are too few for loudness
            bands = (self.filters @ magnitudes).clamp_min(self.mel.floor)
        return self.scale * (torch.log(bands) - self.offset).unflatten(0, audio.shape[:2])

    def decode(self, state: State, samples: int) -> Audio:
        """Let the vocoder make audio of the bands' logarithms; without one, Griffin-Lim does."""
        if self.vocoder is not None:
            return self.vocoder(self._logs(state), samples)
        return self.complete(state, samples, lambda audio: audio)

    def complete(self, state: State, samples: int, agree: Callable[[Audio], Audio]) -> Audio:
        """Find such audio whose phases fit what is known of it, and that agrees."""
        logs = self._logs(state).flatten(0, 1)
        length = max(samples, self.mel.n_fft)  # as much as a window, or phases have no neighbours
        missing = length // self.hop + 1 - logs.shape[-1]
        bands = functional.pad(torch.exp(logs), (0, missing), value=self.mel.floor)
        magnitudes = (self.inverse @ bands).clamp_min(0.0)

        def known(audio: Tensor) -> Tensor:
            part, rest = audio.split([samples, length - samples], dim=-1)
            part = agree(part.unflatten(0, state.shape[:2])).flatten(0, 1)
            return torch.cat([part, rest], dim=-1)

        audio = self._phased(magnitudes, length, known)[..., :samples]
        return audio.unflatten(0, state.shape[:2])

    def _logs(self, state: State) -> State:
        """Return the bands' logarithms, none above what audio within full scale can have.

        A model of a few steps goes far beyond, where their exponentials are infinite.
        """
        loudest = self.filters.sum(1, keepdim=True) * self.window.sum()
        return torch.minimum(state.float() / self.scale + self.offset, torch.log(loudest))

    def _phased(
        self, magnitudes: Tensor, samples: int, known: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Return audio (b, n) of magnitudes (b, f, l): phases of its own STFT, again and again."""
        phases, before = self._first_phases(magnitudes), torch.zeros(())
        for _ in range(self.iterations):
            now = self._stft(known(self._istft(magnitudes * phases, samples)))
            ahead = now + _MOMENTUM * (now - before)
            phases, before = ahead / ahead.abs().clamp_min(1e-16), now
        return known(self._istft(magnitudes * phases, samples))

    def _first_phases(self, magnitudes: Tensor) -> Tensor:
        """Return random phases, the same for every item and on every day, frame by frame."""
        bins, frames = magnitudes.shape[1:]
        random = torch.rand(frames, bins, generator=torch.Generator().manual_seed(0))
        turns = random.T.to(magnitudes.device)
        return torch.polar(torch.ones_like(turns), 2 * torch.pi * turns)

    def _stft(self, audio: Tensor) -> Tensor:
        return torch.stft(
            audio,
            self.mel.n_fft,
            self.hop,
            window=self.window,
            pad_mode="constant",
            return_complex=True,
        )

    def _istft(self, spectrum: Tensor, samples: int) -> Tensor:
        return torch.istft(spectrum, self.mel.n_fft, self.hop, window=self.window, length=samples)
