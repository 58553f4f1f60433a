"""From tables of utterances to one result: means, intervals, and comparisons with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffaudio import metrics as tables
from diffaudio.metrics import METRICS
from diffaudio.score.measure import Scored
from diffaudio.score.spec import ScoreSpec
from diffaudio.score.verdict import compare, failures, interval_of, weights_of

__all__ = ["FORMAT", "INPUT", "REAL", "SYSTEM", "Result", "compared_with", "gaps", "in_order"]
__all__ += ["result", "withheld"]

FORMAT = 2  # of a result's JSON; 1 had no verdicts
INPUT, REAL, SYSTEM = "input", "real", "system"
"""Roles: what a model is given, real clips beside generated ones, and what somebody made."""

Result = dict[str, Any]
"""One reported run, as in `results/*.json`; doc/results.md says what it holds."""


def result(
    about: Mapping[str, Any],
    table: Sequence[Scored],
    names: Sequence[str],
    spec: ScoreSpec,
    *,
    others: Mapping[str, Sequence[Scored]] | None = None,
) -> Result:
    """Return the means of a table, and how it compares with others.

    Args:
        about: recipe, corpus, system, calls and whatever else does not come from the tables.
        table: the system's utterances.
        names: of the metrics; each has an entry, also when nothing could be measured.
        spec: of the intervals.
        others: name to the same utterances, in the same order, of what it is compared with.

    Returns:
        {**about, "format", "n": utterances, "metrics": {NAME: {"mean" and "ci95": [low, high] of
        what has a value, None if there is none; "better", "n": values, "failed": estimates without
        a value where the reference would have one, "missing": utterances that can have none,
        "weight"?: of all of them, where the mean is a ratio of sums, "versus"?: {OTHER: as
        `compare` returns it, in the metrics that the other was measured by}}}}.
    """
    metrics: dict[str, Any] = {}
    for name in names:
        rows = [row for row in table if name in row.values]
        values, weights = [row.values[name] for row in rows], weights_of(name, rows)
        metrics[name] = {
            **interval_of(np.array(values), spec, weights),
            **({} if weights is None else {"weight": float(weights.sum())}),
            "better": METRICS[name].better,
            "n": len(values),
            "failed": failures(table, name),
            "missing": sum(name in row.missing for row in table),
        }
    for versus, other in (others or {}).items():
        shared = [name for name in names if _measured(name, other)]
        for name, compared in compare(table, other, shared, spec, versus=versus).items():
            metrics[name].setdefault("versus", {})[versus] = compared
    return {**about, "format": FORMAT, "n": len(table), "metrics": metrics}


def _measured(name: str, table: Sequence[Scored]) -> bool:
    """Return whether a table has a column, be it of reasons why there are no values."""
    return any(name in {**row.values, **row.missing, **row.failed} for row in table)


def in_order(found: Result) -> Result:
    """Return a result with its metrics in the order of their tables; JSON sorts them."""
    metrics = found["metrics"]
    return {**found, "metrics": {name: metrics[name] for name in tables.in_order(metrics)}}


def compared_with(found: Result) -> list[str]:
    """Return the names that a result is compared with: what the model is given comes first."""
    names = {name for entry in found["metrics"].values() for name in entry.get("versus", {})}
    return sorted(names, key=lambda name: (name != found.get("given"), name))


def withheld(found: Result) -> list[str]:
    """Return one line for each metric of a set that has no value, with the reason."""
    metrics = found["metrics"].items()
    return [f"{name}: {one['withheld']}" for name, one in metrics if one.get("withheld")]


def gaps(table: Sequence[Scored]) -> list[str]:
    """Return one line for each metric and reason that some utterances have no value for."""
    lines = []
    for name in METRICS:
        for kind, what in (("failed", "failed for"), ("missing", "has no value for")):
            reasons: dict[str, list[str]] = {}
            for row in table:
                lost: dict[str, str] = getattr(row, kind)
                if name in lost:
                    reasons.setdefault(lost[name], []).append(row.id)
            lines += [
                f"{name} {what} {len(ids)} of {len(table)} utterances "
                f"({reason}): {', '.join(ids[:3])}{', ...' * (len(ids) > 3)}"
                for reason, ids in reasons.items()
            ]
    return lines
