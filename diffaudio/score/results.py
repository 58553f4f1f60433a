"""From tables of utterances to one result: means, intervals, paired differences, a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffaudio.metrics import METRICS
from diffaudio.metrics.intervals import Estimate, mean_interval, paired
from diffaudio.score.measure import Scored
from diffaudio.score.spec import ScoreSpec

__all__ = ["BETTER", "SAME", "WORSE", "Result", "gaps", "in_order", "result", "side", "verdict"]

BETTER, SAME, WORSE = "better", "not significantly different", "worse"

Result = dict[str, Any]
"""One reported run, as in `results/*.json`."""


def result(
    about: Mapping[str, Any],
    table: Sequence[Scored],
    spec: ScoreSpec,
    *,
    baseline: Sequence[Scored] = (),
    versus: str = "",
) -> Result:
    """Return the means of a table, and how it compares with a baseline.

    Args:
        about: recipe, corpus, system, calls and whatever else does not come from the tables.
        table: the system's utterances.
        spec: of the intervals.
        baseline: the same utterances of what it is compared with, in the same order.
        versus: the baseline's name.

    Returns:
        {**about, "n": utterances, "metrics": {NAME: {"mean", "ci95": [low, high] or None,
        "better", "missing"?: utterances without a value, "versus"?: {versus: {"mean_difference",
        "ci95", "p"}}}}}. A metric without any value is left out.
    """
    metrics = {}
    for name in METRICS:
        values = [row.values[name] for row in table if name in row.values]
        if not values:
            continue
        mean = mean_interval(np.array(values), resamples=spec.resamples, seed=spec.seed)
        entry: dict[str, Any] = {
            "mean": mean.mean,
            "ci95": _ends(mean),
            "better": METRICS[name].better,
        }
        if len(values) < len(table):
            entry["missing"] = len(table) - len(values)
        if compared := _compared(name, table, baseline, spec):
            entry["versus"] = {versus: compared}
        metrics[name] = entry
    return {**about, "n": len(table), "metrics": metrics}


def in_order(found: Result) -> Result:
    """Return a result with its metrics in the order of the table of metrics; JSON sorts them."""
    metrics = found["metrics"]
    names = sorted(metrics, key=lambda name: (name not in METRICS, [*METRICS, name].index(name)))
    return {**found, "metrics": {name: metrics[name] for name in names}}


def side(entry: Mapping[str, Any], versus: str) -> str:
    """Return BETTER, SAME or WORSE for one metric of a result: SAME if the interval holds 0."""
    compared = entry["versus"][versus]
    if compared["ci95"] is None or compared["ci95"][0] <= 0 <= compared["ci95"][1]:
        return SAME
    return BETTER if (compared["mean_difference"] > 0) == (entry["better"] == "higher") else WORSE


def verdict(found: Result, versus: str) -> str:
    """Return one plain sentence: in which metrics the result is better, the same, worse."""
    sides: dict[str, list[str]] = {BETTER: [], SAME: [], WORSE: []}
    for name, entry in found["metrics"].items():
        if versus in entry.get("versus", {}):
            sides[side(entry, versus)].append(name)
    parts = [f"{word} in {', '.join(names)}" for word, names in sides.items() if names]
    if not parts:
        return f"Nothing to compare with: no metric has values for the {versus} input."
    return f"Compared with the {versus} input: {'; '.join(parts)}."


def gaps(table: Sequence[Scored]) -> list[str]:
    """Return one line for each metric that has no value for some utterances, with the reasons."""
    lines = []
    for name in METRICS:
        reasons: dict[str, list[str]] = {}
        for row in table:
            if name in row.missing:
                reasons.setdefault(row.missing[name], []).append(row.id)
        lines += [
            f"{name} has no value for {len(ids)} of {len(table)} utterances "
            f"({reason}): {', '.join(ids[:3])}{', ...' * (len(ids) > 3)}"
            for reason, ids in reasons.items()
        ]
    return lines


def _compared(
    name: str, table: Sequence[Scored], baseline: Sequence[Scored], spec: ScoreSpec
) -> dict[str, Any]:
    """Compare one metric on the utterances where both tables have a value; empty if none."""
    pairs = [
        (ours.values[name], theirs.values[name])
        for ours, theirs in zip(table, baseline, strict=bool(baseline))
        if name in ours.values and name in theirs.values
    ]
    if not pairs:
        return {}
    ours, theirs = np.array(pairs).T
    found = paired(ours, theirs, resamples=spec.resamples, seed=spec.seed)
    mean = found.difference.mean
    return {"mean_difference": mean, "ci95": _ends(found.difference), "p": found.p}


def _ends(interval: Estimate) -> list[float] | None:
    return None if math.isnan(interval.low) else [interval.low, interval.high]
