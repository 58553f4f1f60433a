"""The seam between audio and state: whatever a codec makes, the process never asks which it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import nn

from diffaudio.shapes import Audio, Lengths, State

__all__ = ["Codec"]


class Codec(nn.Module, ABC):
    """Two maps, Audio (b, a, n) to State (b, c, f, l) and back.

    Both are independent from item to item, and an utterance's zero padding changes none of its
    frames. States may be unbounded: nothing is clipped.
    """

    channels: int  # state channels of one audio channel
    bins: int  # frequency bins f; 1 for a waveform
    hop: int  # samples from one frame to the next
    invertible: bool = True  # whether `decode` undoes `encode`, with a gradient that says how
    rate: int | None = None  # of the audio in Hz, where the codec is made for one

    @abstractmethod
    def encode(self, audio: Audio) -> State:
        """Turn audio (full scale 1.0) into a state of `frames(n)` frames."""

    @abstractmethod
    def decode(self, state: State, samples: int) -> Audio:
        """Turn a state into `samples` samples of audio."""

    def complete(self, state: State, samples: int, agree: Callable[[Audio], Audio]) -> Audio:
        """Turn a state into audio of which something is known.

        Args:
            state: (b, c, f, l).
            samples: of the audio.
            agree: from any audio to the nearest that agrees with what is known.
        """
        return agree(self.decode(state, samples))

    def expected(self, state: State) -> State | None:
        """Return how large the state of another codec is expected to be, by this one's state.

        Args:
            state: of this codec, (b, c, f, l).

        Returns:
            A factor for each bin and frame, (b, 1, f, l); None where nothing is known.
        """
        del state
        return None

    def fitted(self, audio: Audio, state: State) -> Audio:
        """Return audio changed so that its own state comes nearer to a given one.

        Args:
            audio: (b, a, n).
            state: of this codec, of `frames(n)` frames.
        """
        del state
        return audio

    @abstractmethod
    def frames(self, samples: Lengths) -> Lengths:
        """Return how many frames an utterance of so many samples has."""

    def samples(self, frames: Lengths) -> Lengths:
        """Return the fewest samples, at least 1, that have so many frames."""
        return (frames - 1) * self.hop + 1
