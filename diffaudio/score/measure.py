"""Measure utterances in parallel: one table row each, missing values with their reasons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from diffaudio.data import audio
from diffaudio.data.audio import AudioSpec
from diffaudio.files import write_text
from diffaudio.jobs import Task, run_tasks
from diffaudio.log import Refusal, log
from diffaudio.metrics import METRICS, Metric, Prompt, Unmeasurable, Value
from diffaudio.score.pairs import Samples, Sound, check_length, read_estimate, read_role

__all__ = ["Scored", "measure", "measure_once", "measure_slice", "read_table"]

_SLICE = 8  # utterances per task
_SHOWN = 5  # problems named in a message


@dataclass(frozen=True)
class Scored:
    """The values of one utterance; each metric is in `values`, `failed` or `missing`.

    Args:
        id: of the utterance.
        seconds: of audio.
        values: metric to value.
        missing: metric to the reason why this utterance can have no value, whatever the estimate.
        failed: metric to the reason why the estimate has none, where its reference would have one.
        weights: metric to what its value counts for in a set, where that is no plain mean.
        heard: what a recogniser wrote, if one listened.
    """

    id: str
    seconds: float
    values: dict[str, float]
    missing: dict[str, str]
    failed: dict[str, str] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    heard: str | None = None


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
    table: list[Scored] = []
    problems: list[Refusal] = []
    for scored, refused in run_tasks(tasks, nj=nj, log_dir=log_dir, title=title):
        table += scored
        problems += refused
    if problems:
        raise _refusal(problems, len(sounds))
    return table


def measure_slice(
    sounds: Sequence[Sound], metrics: Sequence[str], spec: AudioSpec
) -> tuple[list[Scored], list[Refusal]]:
    """Score some utterances, one after the other, and say which cannot be; what a job runs."""
    chosen = [METRICS[name] for name in metrics]
    table, problems = [], []
    for sound in sounds:
        try:
            table.append(_score(sound, chosen, spec))
        except Refusal as refusal:
            problems.append(refusal)
    return table, problems


def measure_once(
    path: Path,
    sounds: Sequence[Sound],
    metrics: Sequence[Metric],
    spec: AudioSpec,
    *,
    nj: int,
    title: str,
    force: bool = False,
) -> list[Scored]:
    """Return the table kept in `path`; measure and keep it if there is none yet, or by `force`.

    The name of `path` has to say everything that the table depends on.
    """
    if path.is_file() and not force:
        log.info("%s: scored before", path)
        return read_table(path)
    table = measure(sounds, metrics, spec, nj=nj, log_dir=path.parent / "log", title=title)
    write_text(path, "".join(json.dumps(asdict(row)) + "\n" for row in table))
    return table


def read_table(path: Path) -> list[Scored]:
    """Read a table that `measure_once` wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Scored(**json.loads(line)) for line in lines]


def _refusal(problems: Sequence[Refusal], total: int) -> Refusal:
    """Name the first few problems and the mend of the first."""
    lines = [problem.message for problem in problems[:_SHOWN]]
    lines += [f"and {len(problems) - _SHOWN} more"] * (len(problems) > _SHOWN)
    head = f"{len(problems)} of {total} utterances cannot be scored:"
    return Refusal("\n  ".join([head, *lines]), mend=problems[0].mend)


def _score(sound: Sound, metrics: Sequence[Metric], spec: AudioSpec) -> Scored:
    reference = read_role(sound, spec.target, spec)
    if sound.estimate is not None:
        estimate = read_estimate(sound.estimate, spec)
    else:
        estimate = read_role(sound, sound.role or str(spec.given), spec)
    check_length(sound, estimate, reference)
    prompt = sound.prompt
    found: dict[str, Value] = {}
    missing: dict[str, str] = {}
    failed: dict[str, str] = {}
    for metric in metrics:
        try:
            found[metric.name] = _value(metric, estimate, reference, spec.rate, prompt)
        except Unmeasurable as reason:
            lost = failed if _possible(metric, reference, spec.rate, prompt) else missing
            lost[metric.name] = str(reason)
    return Scored(
        sound.row["id"],
        len(estimate) / spec.rate,
        {name: value.number for name, value in found.items()},
        missing,
        failed,
        {name: value.weight for name, value in found.items() if value.weight is not None},
        next((value.heard for value in found.values() if value.heard is not None), None),
    )


def _possible(metric: Metric, reference: Samples, rate: int, prompt: Prompt | None) -> bool:
    """Return whether a perfect estimate of (n, a) would have a value."""
    try:
        _value(metric, reference, reference, rate, prompt)
    except Unmeasurable:
        return False
    return True


def _value(
    metric: Metric, estimate: Samples, reference: Samples, rate: int, prompt: Prompt | None
) -> Value:
    """Return the mean over the channels of (n, a), at the rate that the metric is defined for."""
    if metric.rate not in (None, rate):
        estimate = audio.resample(estimate, rate, metric.rate)
        reference = audio.resample(reference, rate, metric.rate)
        rate = metric.rate
    pairs = zip(estimate.T, reference.T, strict=True)
    found = [metric.value(e, r, rate, prompt) for e, r in pairs]
    return replace(found[0], number=float(np.mean([one.number for one in found])))
