"""From the scores of all cells to a table and a recommended setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diffaudio.sweep.spec import Cell

__all__ = ["Row", "knee", "markdown", "row"]


@dataclass(frozen=True)
class Row:
    """A cell and how it was scored.

    Args:
        cell: the cell.
        evaluations: of the network for each utterance: guided calls have several.
        seconds: of processing for a second of audio.
        n: utterances.
        metrics: name to {"mean", "ci95", "better"}.
    """

    cell: Cell
    evaluations: float
    seconds: float
    n: int
    metrics: Mapping[str, Mapping[str, Any]]

    def mean(self, name: str) -> float:
        """Return a metric's mean, worst of all where there is none."""
        entry = self.metrics[name]
        worst = -math.inf if entry["better"] == "higher" else math.inf
        return worst if entry["mean"] is None else float(entry["mean"])


def row(cell: Cell, decoded: Mapping[str, Any], scored: Mapping[str, Any]) -> Row:
    """Return a cell's row from its decode.json and summary.json."""
    return Row(
        cell=cell,
        evaluations=decoded["evaluations"],
        seconds=decoded["rtf"],
        n=scored["n"],
        metrics=scored["metrics"],
    )


def ranked(rows: Sequence[Row], metric: str) -> list[Row]:
    """Return the rows, the best mean first."""
    sign = -1.0 if rows[0].metrics[metric]["better"] == "higher" else 1.0
    return sorted(rows, key=lambda one: sign * one.mean(metric))


def knee(rows: Sequence[Row], metric: str) -> Row:
    """Return the recommended setting: the cheapest whose interval reaches the best mean.

    Args:
        rows: of one model, or of several on the same test set.
        metric: that ranks them.
    """
    best = ranked(rows, metric)[0]
    level = best.mean(metric)
    higher = best.metrics[metric]["better"] == "higher"

    def reaches(one: Row) -> bool:
        interval = one.metrics[metric]["ci95"]
        if one is best or interval is None:
            return one is best
        return bool(interval[1] >= level if higher else interval[0] <= level)

    sign = -1.0 if higher else 1.0
    return min(filter(reaches, rows), key=lambda one: (one.evaluations, sign * one.mean(metric)))


def markdown(rows: Sequence[Row], metric: str) -> str:
    """Return the table, the best first, the recommended setting of each model marked."""
    chosen = [
        knee([one for one in rows if one.cell.model == model], metric).cell
        for model in dict.fromkeys(one.cell.model for one in rows)
    ]
    names = [metric, *(name for name in rows[0].metrics if name != metric)]
    head = ["model", "sampler", "calls", "guidance", "evaluations", "s / s of audio", *names, ""]
    lines = [head, ["---"] * len(head)]
    for one in ranked(rows, metric):
        cell = one.cell
        fixed = [cell.model, cell.sampler, str(cell.calls), cell.guidance]
        cost = [f"{one.evaluations:g}", f"{one.seconds:.3g}"]
        values = [_shown(one.metrics[name]) for name in names]
        mark = "recommended" if cell in chosen else ""
        lines.append([*fixed, *cost, *values, mark])
    counts = ", ".join(sorted({str(one.n) for one in rows}))
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{table}\n\nRanked by {metric}; 95 % intervals in brackets; {counts} outputs a cell. "
        f"Recommended for a model: the fewest evaluations whose interval reaches the best mean.\n"
    )


def _shown(entry: Mapping[str, Any]) -> str:
    """Return a mean and its interval: 0.91 [0.88, 0.93]."""
    if entry["mean"] is None:
        return "none"
    if entry["ci95"] is None:
        return f"{entry['mean']:.3g}"
    return f"{entry['mean']:.3g} [{entry['ci95'][0]:.3g}, {entry['ci95'][1]:.3g}]"
