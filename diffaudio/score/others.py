"""What stands beside a system in its tables: what the model is given, and the recordings.

Both are measured once for all systems that are scored on a test set, and kept below its data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diffaudio.data.audio import AudioSpec
from diffaudio.metrics import Metric
from diffaudio.score.measure import Scored, measure_once
from diffaudio.score.pairs import Sound
from diffaudio.score.request import Request
from diffaudio.score.results import INPUT, REAL
from diffaudio.score.spec import comparable, hashed

__all__ = ["RECORDINGS", "Asked", "Beside", "given", "recordings"]

RECORDINGS = "recordings"


@dataclass(frozen=True)
class Beside:
    """Something that was measured as a system is.

    Args:
        name: in tables.
        role: of its result.
        file: of its result.
        table: its utterances, in the order of the test set.
        metrics: names of those that it was measured by.
    """

    name: str
    role: str
    file: str
    table: Sequence[Scored]
    metrics: Sequence[str]


@dataclass(frozen=True)
class Asked:
    """A test set, and how it is measured.

    Args:
        request: what is scored.
        audio: rate, roles and channels.
        sounds: the utterances.
        metrics: what they are measured by.
        protocol: all that scores depend on.
        nj: jobs at once.
        force: measure again.
    """

    request: Request
    audio: AudioSpec
    sounds: Sequence[Sound]
    metrics: Sequence[Metric]
    protocol: Mapping[str, Any]
    nj: int
    force: bool

    def table(self, kept: str, title: str) -> list[Scored]:
        """Measure once, and keep that in a folder below the data."""
        key = hashed(comparable(dict(self.protocol)))[:16]  # all that values depend on
        path = self.request.data / kept / self.request.split / f"{key}.jsonl"
        return measure_once(
            path,
            self.sounds,
            self.metrics,
            self.audio,
            nj=self.nj,
            title=f"score {title}",
            force=self.force,
        )


def given(asked: Asked) -> list[Beside]:
    """Score what the model is given; nothing where it is given nothing."""
    name = asked.audio.given
    if name is None:
        return []
    sounds = [replace(one, estimate=None) for one in asked.sounds]
    table = replace(asked, sounds=sounds).table("score_given", name)
    return [Beside(name, INPUT, "baseline.json", table, [one.name for one in asked.metrics])]


def recordings(asked: Asked) -> list[Beside]:
    """Score the recordings of what utterances should say, in what compares with no recording."""
    alone = [metric for metric in asked.metrics if not metric.needs_reference]
    names = [metric.name for metric in alone]
    if not names or any(sound.prompt is None for sound in asked.sounds):
        return []
    about = {name: one for name, one in asked.protocol["metrics"].items() if name in names}
    own = replace(
        asked,
        sounds=[replace(one, estimate=None, role=asked.audio.target) for one in asked.sounds],
        metrics=alone,
        protocol={**asked.protocol, "metrics": about},  # others do not matter here
    )
    table = own.table("score_recordings", RECORDINGS)
    return [Beside(RECORDINGS, REAL, f"baseline_{RECORDINGS}.json", table, names)]
