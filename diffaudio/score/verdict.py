"""Whether a difference between two systems counts: decided here, once, and stored in the result.

A difference counts where its 95 % interval excludes 0 and its p-value, after Holm's correction over
the metrics of the comparison, is below 0.05. There is no verdict on few utterances, nor on a metric
that failed for some of them: what is left would speak for the ones that are lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffaudio.metrics import METRICS
from diffaudio.metrics.intervals import Estimate, holm, mean_interval, paired
from diffaudio.score.measure import Scored
from diffaudio.score.spec import ScoreSpec

__all__ = ["BETTER", "FEWEST", "SAME", "WORSE", "compare", "failures", "interval_of"]
__all__ += ["mean_and_ends", "sentence", "weights_of"]

BETTER, SAME, WORSE = "better", "same", "worse"
FEWEST = 20  # utterances; on fewer, an interval by bootstrap is too narrow
_LEVEL = 0.05
_UNJUDGED = "neither more nor less of it is better"
_WORDS = {BETTER: "better", SAME: "not significantly different", WORSE: "worse"}


def compare(
    system: Sequence[Scored],
    baseline: Sequence[Scored],
    names: Sequence[str],
    spec: ScoreSpec,
    *,
    versus: str,
) -> dict[str, dict[str, Any]]:
    """Compare two systems in all metrics at once.

    Args:
        system: its utterances.
        baseline: the same utterances of what it is compared with, in the same order.
        names: of the metrics.
        spec: of the intervals.
        versus: the baseline's name.

    Returns:
        {NAME: {"n": utterances with both values, "system" and "baseline": {"mean", "ci95"} of
        these, "mean_difference", "ci95", "p", "p_holm", "verdict": BETTER, SAME, WORSE or None,
        "withheld": why there is no verdict, or None}}. All numbers but "n" are None without pairs.
    """
    found = {name: _pairs(name, system, baseline, spec) for name in names}
    tested = [name for name in names if found[name]["p"] is not None]
    for name, p in zip(tested, holm([found[name]["p"] for name in tested]), strict=True):
        found[name]["p_holm"] = p
    for name in names:
        own, theirs = (failures(table, name) for table in (system, baseline))
        withheld = [f"{own} of {len(system)} failed"] * (own > 0)
        withheld += [f"{theirs} of {len(baseline)} failed for {versus}"] * (theirs > 0)
        withheld = withheld or _too_few(found[name]["n"])
        better = METRICS[name].better
        withheld = withheld or [_UNJUDGED] * (better is None)
        found[name]["withheld"] = ", ".join(withheld) or None
        found[name]["verdict"] = None if withheld else _verdict(found[name], better)
    return found


def failures(table: Sequence[Scored], name: str) -> int:
    """Return for how many utterances a metric failed."""
    return sum(name in row.failed for row in table)


def interval_of(
    values: np.ndarray, spec: ScoreSpec, weights: np.ndarray | None = None
) -> dict[str, Any]:
    """Return {"mean", "ci95": [low, high]} of values (n,); None where they do not exist."""
    if not len(values):
        return {"mean": None, "ci95": None}
    return mean_and_ends(mean_interval(values, weights, resamples=spec.resamples, seed=spec.seed))


def weights_of(name: str, rows: Sequence[Scored]) -> np.ndarray | None:
    """Return what the values of some rows, which all have one, count for; None for a plain mean."""
    found = [row.weights[name] for row in rows if name in row.weights]
    if found and len(found) < len(rows):
        raise ValueError(f"{name}: only {len(found)} of {len(rows)} values have weights")
    return np.array(found, np.float64) if found else None


def mean_and_ends(found: Estimate) -> dict[str, Any]:
    """Return {"mean", "ci95": [low, high]} of an estimate; no ends where there is no interval."""
    return {"mean": found.mean, "ci95": _ends(found)}


def sentence(found: Mapping[str, Any], versus: str) -> str:
    """Return what a result's verdicts say, in one sentence.

    Args:
        found: a result, as in `results/*.json`.
        versus: the name of what it was compared with.
    """
    parts: dict[str, list[str]] = {_WORDS[word]: [] for word in (BETTER, SAME, WORSE)}
    for name, entry in found["metrics"].items():
        if versus in entry.get("versus", {}):
            compared = entry["versus"][versus]
            word = _WORDS.get(compared["verdict"], f"no verdict ({compared['withheld']})")
            parts.setdefault(word, []).append(name)
    what = f"the {versus} input" if versus == found.get("given") else versus
    told = "; ".join(f"{word} in {', '.join(names)}" for word, names in parts.items() if names)
    return f"Compared with {what}: {told or 'no metric in common'}."


def _pairs(
    name: str, system: Sequence[Scored], baseline: Sequence[Scored], spec: ScoreSpec
) -> dict[str, Any]:
    """Compare one metric on the utterances where both tables have a value."""
    pairs = [
        (ours, theirs)
        for ours, theirs in zip(system, baseline, strict=True)
        if name in ours.values and name in theirs.values
    ]
    values = [(ours.values[name], theirs.values[name]) for ours, theirs in pairs]
    ours, theirs = np.array(values, np.float64).reshape(-1, 2).T
    # what a value counts for is the test set's own, the words of its texts
    weights = weights_of(name, [pair[0] for pair in pairs])
    found = {
        "n": len(pairs),
        "system": interval_of(ours, spec, weights),
        "baseline": interval_of(theirs, spec, weights),
    }
    if not pairs:
        return {**found, "mean_difference": None, "ci95": None, "p": None, "p_holm": None}
    test = paired(ours, theirs, weights, resamples=spec.resamples, seed=spec.seed)
    difference = test.difference
    return {**found, "mean_difference": difference.mean, "ci95": _ends(difference), "p": test.p}


def _too_few(n: int) -> list[str]:
    if n >= FEWEST:
        return []
    what = f"{n} utterance{'s are' if n != 1 else ' is'} too few for a verdict"
    return [f"{what}, it takes {FEWEST}" if n else "no utterance has a value on both sides"]


def _verdict(compared: Mapping[str, Any], better: str | None) -> str:
    ends = compared["ci95"]
    if ends is None or ends[0] <= 0 <= ends[1] or compared["p_holm"] >= _LEVEL:
        return SAME
    return BETTER if (compared["mean_difference"] > 0) == (better == "higher") else WORSE


def _ends(interval: Estimate) -> list[float] | None:
    return None if math.isnan(interval.low) else [interval.low, interval.high]
