"""Jump: how far the estimate leads that the network is asked for, told beside the noise level.

A network that is told nothing of it estimates the clean state from where z is. One that is told can
learn the estimate with which one update lands on the right place, however far that is.
"""

from __future__ import annotations

from torch import nn

from diffaudio.nets.layers import NoiseEmbedding, zeroed
from diffaudio.nets.net import Condition
from diffaudio.shapes import Tensor

__all__ = ["Jump"]


class Jump(nn.Module):
    """A vector for each length of a jump, zero at first: the network starts as if untold.

    Args:
        size: width of the network's noise embedding.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embed = NoiseEmbedding(size)
        self.vector = zeroed(nn.Linear(size, size))

    def forward(self, jump: Tensor, condition: Condition | None) -> Condition:
        """Add it to what each item is told.

        Args:
            jump: (b,), 0 stays here, 1 leads to the clean end.
            condition: what the items are told of labels and the like.
        """
        vector = self.vector(self.embed(jump))
        if condition is None:
            return Condition(vector)
        return Condition(condition.vector + vector, condition.tokens, condition.inside)
