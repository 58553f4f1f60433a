"""From the scores of all cells to a table and a recommended setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diffaudio.score.page import environments, made_of, making, plain, table
from diffaudio.score.results import Result, in_order
from diffaudio.score.table import failed
from diffaudio.sweep.spec import Cell

__all__ = ["Row", "evidence", "knee", "markdown", "row"]

_RULE = "the fewest network evaluations whose interval reaches the best mean"


@dataclass(frozen=True)
class Row:
    """A cell and how it was scored.

    Args:
        cell: the cell.
        evaluations: of the network for each utterance: guided calls have several.
        seconds: of processing for a second of audio.
        found: its result, as `summary.json` has it.
    """

    cell: Cell
    evaluations: float
    seconds: float
    found: Result

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """Name to {"mean", "ci95", "better"}."""
        metrics: Mapping[str, Mapping[str, Any]] = self.found["metrics"]
        return metrics

    def mean(self, name: str) -> float:
        """Return a metric's mean, worst of all where there is none."""
        entry = self.metrics[name]
        worst = -math.inf if entry["better"] == "higher" else math.inf
        return worst if entry["mean"] is None else float(entry["mean"])

    def whole(self, name: str) -> bool:
        """Return whether a metric failed for no output: else its mean is too good."""
        return not self.metrics[name].get("failed")


def row(cell: Cell, decoded: Mapping[str, Any], scored: Mapping[str, Any]) -> Row:
    """Return a cell's row from its decode.json and summary.json."""
    return Row(
        cell=cell,
        evaluations=decoded["evaluations"],
        seconds=decoded["rtf"],
        found=in_order(dict(scored)),
    )


def ranked(rows: Sequence[Row], metric: str) -> list[Row]:
    """Return the rows, the best mean first; those with outputs that failed come last."""
    sign = -1.0 if rows[0].metrics[metric]["better"] == "higher" else 1.0
    return sorted(rows, key=lambda one: (not one.whole(metric), sign * one.mean(metric)))


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
        if one is best or interval is None or one.whole(metric) < best.whole(metric):
            return one is best
        return bool(interval[1] >= level if higher else interval[0] <= level)

    sign = -1.0 if higher else 1.0
    return min(filter(reaches, rows), key=lambda one: (one.evaluations, sign * one.mean(metric)))


def evidence(rows: Sequence[Row], metric: str) -> list[str]:
    """Return why a setting is recommended to one model, in lines: what it reaches, and the best."""
    best, chosen = ranked(rows, metric)[0], knee(rows, metric)
    about = best.found
    lines = [
        f"Of {len(rows)} settings on {about['n']} outputs ({about['corpus']}): {_RULE},",
        f"by {metric}.",
        f"recommended: {_setting(chosen, metric)}",
    ]
    return lines if chosen is best else [*lines, f"best: {_setting(best, metric)}"]


def _setting(one: Row, metric: str) -> str:
    cell = one.cell
    return (
        f"{cell.sampler}, {cell.calls} calls, {cell.guidance}: {_shown(one.metrics[metric])} "
        f"in {one.evaluations:g} evaluations, {one.seconds:.3g} s for a second of audio"
    )


def markdown(rows: Sequence[Row], metric: str, others: Sequence[Result] = ()) -> str:
    """Return the table, the best first, each model's recommended setting marked; how all was made.

    Args:
        rows: of one set; at least one.
        metric: that ranks them.
        others: what is shown beside: the results of what the model is given, or of real clips.
    """
    models = list(dict.fromkeys(one.cell.model for one in rows))
    chosen = [knee([one for one in rows if one.cell.model == name], metric) for name in models]
    names = [metric, *(name for name in rows[0].metrics if name != metric)]
    head = ["model", "sampler", "calls", "guidance", "evaluations", "s / s of audio", *names, ""]
    cells = []
    for one in ranked(rows, metric):
        cell = one.cell
        fixed = [cell.model, cell.sampler, str(cell.calls), cell.guidance]
        cost = [f"{one.evaluations:g}", f"{one.seconds:.3g}"]
        mark = "recommended" * any(one is best for best in chosen)
        cells.append([*fixed, *cost, *_values(one.metrics, names), mark])
    for other in others:
        cells.append([other["system"], *[""] * 5, *_values(other["metrics"], names), ""])
    counts = ", ".join(sorted({str(one.found["n"]) for one in rows}))
    made = {
        one.cell.model: {"model": one.cell.model, **making(one.found, sampler=False)}
        for one in rows
    }
    where = environments([{**one.found, "system": one.cell.model} for one in rows])
    about = rows[0].found
    label = f" ({about['label']})" if about.get("label") else ""
    lines = [
        *table(head, cells),
        "",
        f"{plain(about['corpus'] + label)}. Ranked by {metric}; 95 % intervals in brackets; "
        f"{counts} outputs a cell. Recommended for a model: {_RULE}.",
        "",
        *made_of(list(made.values())),
        "",
        *(f"- {plain(text)}" for text in where),
    ]
    return "\n".join(lines) + "\n"


def _values(metrics: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    return [_shown(metrics[name]) if name in metrics else "" for name in names]


def _shown(entry: Mapping[str, Any]) -> str:
    """Return a mean and its interval: 0.91 [0.88, 0.93]."""
    if entry["mean"] is None:
        return "none"
    interval = "" if entry["ci95"] is None else " [{:.3g}, {:.3g}]".format(*entry["ci95"])
    faults = f", {failed(entry)}" if entry.get("failed") else ""
    return f"{entry['mean']:.3g}{interval}{faults}"
