"""Rows of a comparison, for the tests of its table and of its plot."""

from diffaudio.sweep import Cell
from diffaudio.sweep.table import Row


def row(calls, mean, half, *, better="higher", model="exp/a", sampler="ddim", evaluations=None):
    interval = None if mean is None else [mean - half, mean + half]
    metrics = {"M": {"mean": mean, "ci95": interval, "better": better}}
    metrics["other"] = {"mean": 1.0, "ci95": None, "better": "lower"}
    cell = Cell(model, sampler, calls, "plain")
    about = {"system": "x", "role": "system", "corpus": "mini", "commit": "c0ffee", "n": 64}
    return Row(cell, evaluations or calls, 0.1 * calls, {**about, "metrics": metrics})
