"""A batch: items of audio side by side, and how they are padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from diffaudio.shapes import Audio, Lengths, Tensor

__all__ = ["Batch", "Item", "collate"]


@dataclass(frozen=True)
class Item:
    """One utterance or crop, every role (n, a), before it is padded."""

    id: str
    audio: dict[str, np.ndarray]
    key: int
    step: int
    fields: dict[str, Any] = field(default_factory=dict)
    time: float | None = None


@dataclass
class Batch:
    """Items side by side, zero padded.

    Attributes:
        ids: b names.
        audio: role to (b, a, n); all roles have the same n; the target first, then what is given.
        samples: (b,) lengths before padding.
        keys: one number per item, from which every random draw of the item is made.
        step: of training, 0 in evaluation.
        fields: of the manifest, those that a model is conditioned on: b values each.
        times: (b,) in [0, 1), what training times are made from, spread over the step's global
            batch; None in evaluation, where an item's time comes from its key.
    """

    ids: list[str]
    audio: dict[str, Audio]
    samples: Lengths
    keys: list[int]
    step: int
    fields: dict[str, list[Any]] = field(default_factory=dict)
    times: Tensor | None = None

    @property
    def target(self) -> Audio:
        """Return the audio that the model learns to produce."""
        return next(iter(self.audio.values()))

    @property
    def given(self) -> Audio | None:
        """Return the audio that the model is given, if any."""
        _, *given = self.audio.values()
        return given[0] if given else None

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch with its tensors on `device`."""
        audio = {role: x.to(device) for role, x in self.audio.items()}
        times = None if self.times is None else self.times.to(device)
        return replace(self, audio=audio, samples=self.samples.to(device), times=times)


def collate(items: Sequence[Item], *, grid: int) -> Batch:
    """Pad items with zeros to a common multiple of `grid` samples."""
    lengths = [len(next(iter(item.audio.values()))) for item in items]
    padded = -(-max(lengths) // grid) * grid
    audio = {}
    for role, first in items[0].audio.items():
        joined = np.zeros((len(items), first.shape[1], padded), np.float32)  # (b, a, n)
        for row, item, length in zip(joined, items, lengths, strict=True):
            row[:, :length] = item.audio[role].T  # 25 times as fast as torch
        audio[role] = torch.from_numpy(joined)
    times = [item.time for item in items if item.time is not None]
    return Batch(
        ids=[item.id for item in items],
        audio=audio,
        samples=torch.tensor(lengths),
        keys=[item.key for item in items],
        step=items[0].step,
        fields={name: [item.fields[name] for item in items] for name in items[0].fields},
        times=torch.tensor(times) if times else None,
    )
