"""Measure utterances in parallel: one table row each, missing values with their reasons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from diffaudio.data import audio
from diffaudio.data.audio import AudioSpec
from diffaudio.files import write_text
from diffaudio.jobs import Task, run_tasks
from diffaudio.log import Refusal, log
from diffaudio.metrics import METRICS, Metric, Unmeasurable
from diffaudio.score.pairs import Samples, Sound, check_length, read_estimate, read_role

__all__ = ["Scored", "measure", "measure_once", "measure_slice", "read_table"]

_SLICE = 8  # utterances per task
_SHOWN = 5  # problems named in a message


@dataclass(frozen=True)
class Scored:
    """The values of one utterance; each metric is in `values` or, with a reason, in `missing`.

    Args:
        id: of the utterance.
        seconds: of audio.
        values: metric to value.
        missing: metric to the reason why it has no value.
        problem: why the utterance could not be scored at all; such a table is never kept.
    """

    id: str
    seconds: float
    values: dict[str, float]
    missing: dict[str, str]
    problem: str = ""


def measure(
    sounds: Sequence[Sound],
    metrics: Sequence[Metric],
    spec: AudioSpec,
    *,
    nj: int,
    log_dir: Path,
    title: str,
) -> list[Scored]:
    """Score every utterance: its estimate or, where it has none, what the model is given.

    Args:
        sounds: the test set.
        metrics: what to compute.
        spec: rate and roles; `target` is the reference.
        nj: parallel jobs.
        log_dir: of the jobs' logs.
        title: beside the progress bar.

    Raises:
        Refusal: some estimates do not fit their references, or a job failed.
    """
    names = [metric.name for metric in metrics]
    tasks = [
        Task(
            name=f"{title.replace(' ', '_')}_{first:06d}",
            function=measure_slice,
            arguments={
                "sounds": list(sounds[first : first + _SLICE]),
                "metrics": names,
                "spec": spec,
            },
        )
        for first in range(0, len(sounds), _SLICE)
    ]
    table = [row for part in run_tasks(tasks, nj=nj, log_dir=log_dir, title=title) for row in part]
    problems = [row.problem for row in table if row.problem]
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise Refusal(
            f"{len(problems)} of {len(table)} utterances cannot be scored:\n  "
            + "\n  ".join(problems[:_SHOWN])
            + more,
            mend="estimates must be at the reference's rate and as long as it to the sample: cut "
            "or pad them and take out any delay; scoring does none of this by itself",
        )
    return table


def measure_slice(sounds: Sequence[Sound], metrics: Sequence[str], spec: AudioSpec) -> list[Scored]:
    """Score some utterances, one after the other; what a job runs."""
    return [_score(sound, [METRICS[name] for name in metrics], spec) for sound in sounds]


def measure_once(
    path: Path,
    sounds: Sequence[Sound],
    metrics: Sequence[Metric],
    spec: AudioSpec,
    *,
    nj: int,
    title: str,
) -> list[Scored]:
    """Return the table kept in `path`; measure and keep it if there is none yet.

    The name of `path` has to say everything that the table depends on.
    """
    if path.is_file():
        log.info("%s: scored before", path)
        return read_table(path)
    table = measure(sounds, metrics, spec, nj=nj, log_dir=path.parent / "log", title=title)
    write_text(path, "".join(json.dumps(asdict(row)) + "\n" for row in table))
    return table


def read_table(path: Path) -> list[Scored]:
    """Read a table that `measure_once` wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Scored(**json.loads(line)) for line in lines]


def _score(sound: Sound, metrics: Sequence[Metric], spec: AudioSpec) -> Scored:
    name = str(sound.row["id"])
    try:
        reference = read_role(sound, spec.target, spec)
        if sound.estimate is not None:
            estimate = read_estimate(sound.estimate, spec)
        else:
            estimate = read_role(sound, str(spec.given), spec)
        check_length(sound, estimate, reference)
    except Refusal as refusal:
        return Scored(name, 0.0, {}, {}, problem=refusal.message)
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    for metric in metrics:
        try:
            values[metric.name] = _value(metric, estimate, reference, spec.rate)
        except Unmeasurable as reason:
            missing[metric.name] = str(reason)
    return Scored(name, len(reference) / spec.rate, values, missing)


def _value(metric: Metric, estimate: Samples, reference: Samples, rate: int) -> float:
    """Return the mean over the channels of (n, a), at the rate that the metric is defined for."""
    if metric.rate not in (None, rate):
        estimate = audio.resample(estimate, rate, metric.rate)
        reference = audio.resample(reference, rate, metric.rate)
        rate = metric.rate
    pairs = zip(estimate.T, reference.T, strict=True)
    return float(np.mean([metric.measure(e, r, rate) for e, r in pairs]))
