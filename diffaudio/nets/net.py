"""The seam of every network: a state, its noise level, a mask and a condition in, a state out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from diffaudio.shapes import Mask, State, Tensor, Time

__all__ = ["Condition", "Net"]


@dataclass(frozen=True)
class Condition:
    """What each item of a batch is told.

    Args:
        vector: (b, size), added to the noise embedding.
        tokens: (b, n, size), for cross-attention; None where nothing is a sequence.
        inside: (b, n) bool, which of the tokens are the item's own; each has one at least.
    """

    vector: Tensor
    tokens: Tensor | None = None
    inside: Tensor | None = None

    @staticmethod
    def joined(parts: Sequence[Condition]) -> Condition:
        """Put conditions of one kind beside each other in the batch."""
        vector = torch.cat([part.vector for part in parts])
        tokens = [one for part in parts if part.tokens is not None for one in part.tokens]
        inside = [one for part in parts if part.inside is not None for one in part.inside]
        if not tokens:
            return Condition(vector)
        padded = (pad_sequence(rows, batch_first=True) for rows in (tokens, inside))
        return Condition(vector, *padded)


class Net(nn.Module, ABC):
    """A network is built as `Net(in_channels, out_channels, bins, ...)`; code knows these sizes.

    Outputs are padding-invariant: what lies where the mask is 0 does not change what comes out
    where it is 1, and an utterance's output is the same in any batch (to float rounding).

    Attributes:
        embedding: width of the noise embedding, and of a condition's vectors.
    """

    embedding: int

    @abstractmethod
    def forward(
        self,
        x: State,
        c_noise: Time,
        mask: Mask | None = None,
        condition: Condition | None = None,
    ) -> State:
        """Map (b, in_channels, bins, l) to (b, out_channels, bins, l).

        Args:
            x: the scaled noisy state, with what is given beside it as further channels.
            c_noise: what the network is told of the noise level, about -2 to 2.
            mask: 1 inside each utterance, 0 in its padding; None where nothing is padded.
            condition: what a conditioner makes of labels and the like; None is no conditioner.
        """
