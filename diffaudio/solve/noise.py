"""Noise that belongs to an item: drawn from its key, whatever batch, device or padding it is in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from diffaudio.data.plan import generator
from diffaudio.shapes import State


class KeyedNoise:
    """A source of standard normal states (b, c, f, l), one generator an item.

    Draw number k of an item depends on its key, its own frames and k alone. The generators run on
    the processor (numpy's Philox, keyed by a hash), so that every device and every processor gets
    the same bits. Padding is zero.

    Args:
        keys: one an item, 0 to 2^63 - 1.
        shape: (c, f), state channels and frequency bins.
        frames: length of each item.
        device: where the states are wanted.
    """

    def __init__(
        self,
        keys: Sequence[int],
        shape: Sequence[int],
        frames: Sequence[int],
        device: torch.device | str = "cpu",
    ) -> None:
        self.generators = [generator(key, "noise") for key in keys]
        self.shape, self.frames, self.device = tuple(shape), tuple(frames), device

    def __call__(self) -> State:
        """Return the next draw, padded to the longest item."""
        states = torch.zeros(len(self.frames), *self.shape, max(self.frames))
        for state, own, length in zip(states, self.generators, self.frames, strict=True):
            drawn = own.standard_normal((*self.shape, length), np.float32)
            state[..., :length] = torch.from_numpy(drawn)
        return states.to(self.device)
