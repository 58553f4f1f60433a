"""Whether generated clips are copies of training clips: the nearest one of each, two ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffaudio.metrics.neighbours import Nearest, nearer, nearest, quantiles
from diffaudio.score.embedder import Embedder
from diffaudio.score.listening import Clips, Ear, clip
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
    longest = max(len(clip(sound, ear.audio)) for sound in train.sounds)
    found, summary = {}, {}
    for measure in ("log-mel", who.name):
        points = [
            ear.mels(one, longest) if measure == "log-mel" else ear.embed(who, one).features
            for one in (made, real, train)
        ]
        distances = {
            made.name: nearest(points[0], points[2]),
            real.name: nearest(points[1], points[2]),
            train.name: nearest(points[2], points[2], own=True),
        }
        found[measure] = distances[made.name]
        own = distances.pop(made.name).distances
        summary[measure] = {
            "distances": {
                "generated": quantiles(own),
                **{name: quantiles(one.distances) for name, one in distances.items()},
            },
            "nearer": {name: nearer(own, one.distances) for name, one in distances.items()},
        }
    return Copied(found, made.sounds, train.sounds, summary)
