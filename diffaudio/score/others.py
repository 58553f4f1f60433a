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

__all__ = ["RECORDINGS", "Beside", "given", "recordings"]

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


def given(
    request: Request,
    audio: AudioSpec,
    sounds: Sequence[Sound],
    metrics: Sequence[Metric],
    protocol: Mapping[str, Any],
    *,
    nj: int,
    force: bool,
) -> list[Beside]:
    """Score what the model is given; nothing where it is given nothing."""
    if audio.given is None:
        return []
    kept, sounds = request.data / "score_given", [replace(one, estimate=None) for one in sounds]
    path = kept / request.split / f"{_key(protocol)}.jsonl"
    title = f"score {audio.given}"
    table = measure_once(path, sounds, metrics, audio, nj=nj, title=title, force=force)
    names = [metric.name for metric in metrics]
    return [Beside(audio.given, INPUT, "baseline.json", table, names)]


def recordings(
    request: Request,
    audio: AudioSpec,
    sounds: Sequence[Sound],
    metrics: Sequence[Metric],
    protocol: Mapping[str, Any],
    *,
    nj: int,
    force: bool,
) -> list[Beside]:
    """Score the recordings of what utterances should say, in what compares with no recording."""
    alone = [metric for metric in metrics if not metric.needs_reference]
    names = [metric.name for metric in alone]
    if not names or any(sound.prompt is None for sound in sounds):
        return []
    about = {name: one for name, one in protocol["metrics"].items() if name in names}
    sounds = [replace(one, estimate=None, role=audio.target) for one in sounds]
    kept = request.data / "score_recordings" / request.split
    path = kept / f"{_key({**protocol, 'metrics': about})}.jsonl"  # others do not matter here
    title = f"score {RECORDINGS}"
    table = measure_once(path, sounds, alone, audio, nj=nj, title=title, force=force)
    return [Beside(RECORDINGS, REAL, f"baseline_{RECORDINGS}.json", table, names)]


def _key(protocol: Mapping[str, Any]) -> str:
    """Return what a table that is kept is called after: all that its values depend on."""
    return hashed(comparable(dict(protocol)))[:16]
