"""The waveform itself as the state, scaled to unit deviation."""

from __future__ import annotations

from diffaudio.codec.codec import Codec
from diffaudio.shapes import Audio, Lengths, State

__all__ = ["Waveform"]


class Waveform(Codec):
    """State = audio / deviation, one frame a sample.

    Args:
        deviation: standard deviation of the audio that the model will see (full scale 1.0), so
            that the state's is about one.
    """

    def __init__(self, deviation: float = 0.1) -> None:
        super().__init__()
        self.channels, self.bins, self.hop = 1, 1, 1
        self.deviation = deviation

    def encode(self, audio: Audio) -> State:
        """Scale: (b, a, n) to (b, a, 1, n)."""
        return (audio / self.deviation).unsqueeze(2)

    def decode(self, state: State, samples: int) -> Audio:
        """Scale back and cut: (b, a, 1, l) to (b, a, samples)."""
        return state.squeeze(2)[..., :samples] * self.deviation

    def frames(self, samples: Lengths) -> Lengths:
        """Return `samples`: a frame is a sample."""
        return samples
