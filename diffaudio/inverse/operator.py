"""Operator: how audio became what was measured, y = A x + noise, and the way back.

All that a method asks besides A itself is one question: which audio, nearest to a guess, agrees
with what was measured? For a linear A, and noise whose variance is `ratio` times that of x around
the guess, that is

    argmin_x |x - guess|^2 + |y - A x|^2 / ratio = guess + A^T (A A^T + ratio I)^-1 (y - A guess)

the posterior mean of x where x is normal around the guess. ratio = 0 is the projection, with the
pseudo-inverse A^+ = A^T (A A^T)^+.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from diffaudio.shapes import Audio, Tensor


class Operator(ABC):
    """What happened to the audio before it was measured; the same to every item and channel."""

    @abstractmethod
    def measure(self, audio: Audio) -> Audio:
        """Return A x, of the shape of x (b, a, n); it can be differentiated."""

    @abstractmethod
    def nearest(self, audio: Audio, measured: Audio, ratio: Tensor | float = 0.0) -> Audio:
        """Return the audio nearest to a guess among those that agree with what was measured.

        Args:
            audio: the guess.
            measured: y.
            ratio: variance of the measurement's noise over that of the audio around the guess; the
                larger, the less is corrected.
        """

    @abstractmethod
    def rank(self, audio: Audio) -> int:
        """Return how many independent numbers are measured of one channel of such audio."""


class Linear(Operator):
    """A linear operator; a leaf states A, A^T and the inverse of A A^T + ratio I."""

    @abstractmethod
    def adjoint(self, measured: Audio) -> Audio:
        """Return A^T y: <A x, y> = <x, A^T y>."""

    @abstractmethod
    def gram_inverse(self, measured: Audio, ratio: Tensor | float) -> Audio:
        """Return (A A^T + ratio I)^-1 y; 0 where A measures nothing."""

    def pseudo_inverse(self, measured: Audio) -> Audio:
        """Return A^+ y, the least audio of those that come nearest to y."""
        return self.adjoint(self.gram_inverse(measured, 0.0))

    def nearest(self, audio: Audio, measured: Audio, ratio: Tensor | float = 0.0) -> Audio:
        """Return x + A^T (A A^T + ratio I)^-1 (y - A x)."""
        missing = measured - self.measure(audio)
        return audio + self.adjoint(self.gram_inverse(missing, ratio))
