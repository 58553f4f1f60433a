"""Whether generated clips are copies of training clips: the nearest one of each, two ways."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffaudio.metrics.neighbours import Nearest, nearer, quantiles
from diffaudio.score.embedder import Embedder
from diffaudio.score.listening import Clips, Ear
from diffaudio.score.pairs import Sound

__all__ = ["Copied", "Pair", "copied"]


@dataclass(frozen=True)
class Pair:
    """A generated clip, its nearest training clip and the distance between them."""

    made: Sound
    train: Sound
    distance: float


@dataclass(frozen=True)
class Copied:
    """Nearest training clips.

    Args:
        found: by measure, of each generated clip.
        made: the generated clips.
        train: the training clips.
        summary: by measure: "distances" {SET: quantiles}, of generated clips, of real ones and of
            training clips from each other; "nearer" {SET: share of the generated clips that are
            nearer to training clips than all but a hundredth of that set}.
    """

    found: Mapping[str, Nearest]
    made: Sequence[Sound]
    train: Sequence[Sound]
    summary: dict[str, Any]

    def closest(self, measure: str, count: int) -> list[Pair]:
        """Return the closest pairs, the closest first."""
        one = self.found[measure]
        return [
            Pair(self.made[at], self.train[one.rows[at]], float(one.distances[at]))
            for at in np.argsort(one.distances, kind="stable")[:count]
        ]

    def of(self, at: int) -> dict[str, dict[str, Any]]:
        """Return the nearest training clip of generated clip number `at`, by measure."""
        return {
            measure: {
                "id": self.train[one.rows[at]].row["id"],
                "distance": float(one.distances[at]),
            }
            for measure, one in self.found.items()
        }


def copied(who: Embedder, made: Clips, real: Clips, train: Clips, ear: Ear) -> Copied:
    """Find the nearest training clips of generated and of real clips.

    Args:
        who: whose features are compared, beside log-mel.
        made: the generated clips.
        real: clips that were not trained on.
        train: all clips that were.
        ear: listens.
    """
    found, summary = {}, {}
    for measure, by in (("log-mel", _longest(train, ear.audio.rate)), (who.name, who)):
        found[measure] = ear.nearest(by, made, train)
        own = found[measure].distances
        distances = {one.name: ear.nearest(by, one, train) for one in (real, train)}
        summary[measure] = {
            "distances": {
                "generated": quantiles(own),
                **{name: quantiles(one.distances) for name, one in distances.items()},
            },
            "nearer": {name: nearer(own, one.distances) for name, one in distances.items()},
        }
    return Copied(found, made.sounds, train.sounds, summary)


def _longest(clips: Clips, rate: int) -> int:
    """Return the samples of the longest clip, at `rate`."""
    rows = [sound.row for sound in clips.sounds]
    return max(math.ceil(row["samples"] * rate / row["rate"]) for row in rows)
