"""The columns of a table of sets: a metric by who listened, and what a row holds in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from diffaudio.log import Refusal
from diffaudio.metrics import SetMetric, of_sets
from diffaudio.metrics.intervals import interval
from diffaudio.metrics.sets import Measured
from diffaudio.score.embedder import Embedder
from diffaudio.score.spec import ScoreSpec
from diffaudio.score.verdict import mean_and_ends

__all__ = ["Column", "Parts", "columns", "entries"]

Parts = Mapping[str, npt.NDArray[np.bool_]]
"""Parts of a set by name: which of its clips are in each."""


@dataclass(frozen=True)
class Column:
    """A metric of sets by one embedder.

    Args:
        name: `KAD (classifier)`.
        metric: `KAD`.
        who: listened, `classifier`.
    """

    name: str
    metric: SetMetric
    who: str


def columns(names: Sequence[str], embedders: Sequence[Embedder]) -> list[Column]:
    """Return the columns that names of metrics stand for, by metric and then by embedder.

    Args:
        names: `KAD` is meant for all that can give it, `KAD (classifier)` for one.
        embedders: who listens.

    Raises:
        Refusal: a name is not known, or nobody who listens gives it.
    """
    found = []
    for name, metric in zip(names, of_sets(names), strict=True):
        made = [
            Column(f"{metric.name} ({who.name})", metric, who.name)
            for who in embedders
            if metric.needs in who.gives and name in (metric.name, f"{metric.name} ({who.name})")
        ]
        if not made:
            there = ", ".join(who.name for who in embedders)
            raise Refusal(
                f"score.metrics: {name}: no embedder gives {metric.needs} ({there})",
                mend="leave it out, or name another in score.sets.embedders",
            )
        found += made
    return found


def entries(
    chosen: Sequence[Column],
    cases: Mapping[str, Measured],
    spec: ScoreSpec,
    *,
    own: Parts,
    against: Parts,
) -> dict[str, dict[str, Any]]:
    """Measure one set in all columns.

    Args:
        chosen: the columns.
        cases: by embedder: the set, and what it is measured against.
        spec: of the intervals.
        own: parts of the set that are also reported apart.
        against: parts of the reference that the set is also held against apart.

    Returns:
        {COLUMN: {"mean", "ci95", "better", "n", "failed": 0, "missing": 0, "withheld"?: why there
        is no value, "apart"?: {PART: {"mean", "ci95", "n"}}}}; `n` are the clips of the set and, in
        a part of the reference, of that. The reference itself has no distance from itself.
    """
    found = {}
    for column in chosen:
        case, metric = cases[column.who], column.metric
        if metric.against and case.reference is None:
            continue
        entry = _entry(metric, case, spec)
        parts = _against(case, against) if metric.against else _own(case, own)
        apart = {name: {**_entry(metric, part, spec), "n": n} for name, (part, n) in parts.items()}
        kept = {name: _short(one) for name, one in apart.items() if one["mean"] is not None}
        found[column.name] = {**entry, "apart": kept} if kept else entry
    return found


def _entry(metric: SetMetric, case: Measured, spec: ScoreSpec) -> dict[str, Any]:
    about = {"better": metric.better, "n": len(case.said), "failed": 0, "missing": 0}
    try:
        statistic = metric.function(case)
    except Refusal as refusal:
        return {"mean": None, "ci95": None, **about, "withheld": refusal.message}
    return {**mean_and_ends(interval(statistic, resamples=spec.resamples, seed=spec.seed)), **about}


def _short(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("mean", "ci95", "n")}


def _own(case: Measured, parts: Parts) -> dict[str, tuple[Measured, int]]:
    return {
        name: (replace(case, said=case.said.take(rows), asked=case.asked[rows]), int(rows.sum()))
        for name, rows in parts.items()
    }


def _against(case: Measured, parts: Parts) -> dict[str, tuple[Measured, int]]:
    assert case.reference is not None  # as `entries` says
    return {
        name: (replace(case, reference=case.reference.take(rows)), int(rows.sum()))
        for name, rows in parts.items()
    }
