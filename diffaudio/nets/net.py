"""The seam of every network: a state, its noise level and a mask in, a state out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from diffaudio.shapes import Mask, State, Tensor, Time

__all__ = ["Net"]


class Net(nn.Module, ABC):
    """A network is built as `Net(in_channels, out_channels, bins, ...)`; code knows these sizes.

    Outputs are padding-invariant: what lies where the mask is 0 does not change what comes out
    where it is 1, and an utterance's output is the same in any batch (to float rounding).

    Attributes:
        embedding: width of the noise embedding, and of a condition.
    """

    embedding: int

    @abstractmethod
    def forward(
        self,
        x: State,
        c_noise: Time,
        mask: Mask | None = None,
        condition: Tensor | None = None,
    ) -> State:
        """Map (b, in_channels, bins, l) to (b, out_channels, bins, l).

        Args:
            x: the scaled noisy state, with what is given beside it as further channels.
            c_noise: what the network is told of the noise level, about -2 to 2.
            mask: 1 inside each utterance, 0 in its padding; None where nothing is padded.
            condition: (b, embedding), what a conditioner makes of labels and the like.
        """
