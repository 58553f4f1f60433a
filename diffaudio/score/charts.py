"""The drawings of the report: every utterance before and after, and how the model was trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from diffaudio.files import read_log
from diffaudio.metrics import METRICS
from diffaudio.score import plot
from diffaudio.score.measure import Scored
from diffaudio.score.results import Result
from diffaudio.score.table import number
from diffaudio.score.verdict import failures

__all__ = ["training", "utterances"]

_LOSS = "training loss"
_LINES = {"loss": _LOSS, "lr": "learning rate"}  # of a row of log.jsonl


def utterances(
    found: Result, before: Sequence[Scored], after: Sequence[Scored], *, versus: str | None = None
) -> str:
    """Return one scatter per metric; nothing without a baseline.

    Args:
        found: the system's result.
        before: the baseline's utterances.
        after: the system's, in the same order.
        versus: the baseline's name, where it is not what the model is given.
    """
    drawings = []
    for name in found["metrics"]:
        better = METRICS[name].better
        points = [
            (one.values[name], two.values[name], _said(one, two, name))
            for one, two in zip(before, after, strict=bool(before))
            if name in one.values and name in two.values
        ]
        if points and better:
            drawing = plot.scatter(points, f"{name} of every utterance", better=better)
            gains = drawing.count('class="gain"')
            total = len(points) + failures(after, name)
            drawings.append(_figure(f"<b>{name}</b> better in {gains} of {total}", drawing))
    if not drawings:
        return ""
    return (
        f'<p class="note">One dot per utterance: {escape(_across(found, versus))}'
        f'</p><div class="plots">{"".join(drawings)}</div>'
    )


def training(path: Path) -> str:
    """Return the curves of a log.jsonl; nothing where there is no such file."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in read_log(path):
        named = {title: row[key] for key, title in _LINES.items() if key in row}
        named |= {f"validation: {name}": value for name, value in row.get("valid", {}).items()}
        for title, value in named.items():
            if value is not None and math.isfinite(value):  # a step that was skipped has none
                curves.setdefault(title, []).append((row["step"], value))
    drawings = [
        _figure(f"<b>{escape(name)}</b>", plot.curve(points, name, smooth=name == _LOSS))
        for name, points in curves.items()
    ]
    return f'<div class="plots broad">{"".join(drawings)}</div>' if drawings else ""


def _across(found: Result, versus: str | None) -> str:
    if versus in (None, found.get("given")):
        return "what was given across, what was made of it up. On the line nothing changed."
    return f"{versus} across, {found['system']} up. On the line both are equal."


def _figure(caption: str, drawing: str) -> str:
    return f"<figure><figcaption>{caption}</figcaption>{drawing}</figure>"


def _said(before: Scored, after: Scored, metric: str) -> str:
    """Return a dot's tooltip: `p232_001: 1.24 → 1.78`."""
    values = (number(row.values[metric], metric) for row in (before, after))
    return f"{after.id}: {' → '.join(values)}"
