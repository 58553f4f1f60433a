"""What listens to clips for the metrics of sets: a network of a recipe's own, or one from outside.

It is named in YAML, below `score.sets.embedders`, by its `class_path`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffaudio.metrics.sets import Embedding

__all__ = ["Embedder"]


class Embedder(ABC):
    """A network that tells the classes of a corpus apart and has features of what it hears.

    Making one reads nothing; what it needs is loaded when it is first used.

    Attributes:
        name: in tables: `KAD (classifier)`.
        gives: the parts of an `Embedding` that it gives.
    """

    name: str
    gives: frozenset[str] = frozenset({"features", "answers", "log_probs"})

    @property
    @abstractmethod
    def labels(self) -> Sequence[str]:
        """The classes in the order of `Embedding.log_probs`; answers count in it."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Return what two scores must share to be comparable: weights, versions, as plain JSON."""

    @abstractmethod
    def inputs(self) -> dict[str, str]:
        """Return the folders and files that it reads, each with its digest.

        Raises:
            Refusal: they are not there, or are stale.
        """

    @abstractmethod
    def embed(self, clips: Sequence[np.ndarray], rate: int) -> Embedding:
        """Listen to clips.

        Args:
            clips: each (n,), full scale 1, of any lengths.
            rate: of them, in Hz.
        """
