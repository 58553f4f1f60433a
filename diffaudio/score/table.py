"""Score tables as text: numbers with their intervals, and the table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from diffaudio.metrics import column
from diffaudio.score.about import scope
from diffaudio.score.results import Result, compared_with
from diffaudio.score.verdict import BETTER, SAME, WORSE, sentence

__all__ = [
    "APART",
    "NOTE",
    "STAR",
    "apart",
    "cell",
    "compared",
    "difference",
    "facts",
    "failed",
    "neighbours",
    "number",
    "p_value",
    "ratios",
    "speeds",
    "terminal",
    "uncompared",
    "warning",
]

GRIFFIN_LIM = "Griffin-Lim"  # as decoding calls what stands in for a vocoder
_PARTS = ("text", "sampler", "vocoder")  # in the order in which they work; JSON sorts them
STAR = "the 95 % interval of the paired difference excludes 0 and p < 0.05"
NOTE = "the p-value is from a sign-flip test, after Holm's correction for the number of metrics"
APART = (
    "Below them, by parts of the real clips with their number: of a row of real clips, its own; "
    "of a distance, that from each part of the test set"
)
_WORDS = {BETTER: "* better", WORSE: "* worse", SAME: ""}
_SMALL = 0.001  # p-values are not told apart below


def number(value: float, metric: str, *, sign: bool = False) -> str:
    """Return a value with the decimals of its metric, and a plus sign where asked for."""
    about = column(metric)
    return f"{value:{'+' if sign else ''}.{about.decimals if about else 2}f}"


def cell(entry: Mapping[str, Any], metric: str) -> str:
    """Return `1.92 [1.83, 2.02]`; no brackets without an interval, `none` without a mean."""
    return _with_ends(entry["mean"], entry["ci95"], metric, sign=False)


def apart(entry: Mapping[str, Any], metric: str) -> list[str]:
    """Return `real (31): 12.3 [10.1, 14.2]` for each part of a set that is reported apart."""
    parts = entry.get("apart", {}).items()
    return [f"{name or 'others'} ({one['n']}): {cell(one, metric)}" for name, one in parts]


def difference(compared: Mapping[str, Any], metric: str) -> str:
    """Return `+0.39 [+0.33, +0.45]`, the paired difference; `none` without pairs."""
    return _with_ends(compared["mean_difference"], compared["ci95"], metric, sign=True)


def p_value(compared: Mapping[str, Any]) -> str:
    """Return `p = 0.012` or `p < 0.001`, corrected for the number of metrics; "" for none."""
    p = compared["p_holm"]
    if p is None:
        return ""
    return f"p = {p:.3f}" if p >= _SMALL else f"p < {_SMALL:g}"


def failed(entry: Mapping[str, Any]) -> str:
    """Return `3 of 128 failed`; "" where the metric failed for no utterance."""
    count = entry["failed"]
    return f"{count} of {entry['n'] + count + entry['missing']} failed" if count else ""


def neighbours(found: Result) -> list[str]:
    """Return how near generated clips are to training clips, a sentence for each measure."""
    lines = []
    for measure, one in found.get("neighbours", {}).items():
        sets = [f"{name} {quantile['50 %']:.3g}" for name, quantile in one["distances"].items()]
        shares = [f"{share:.1%} than of {name}" for name, share in one["nearer"].items()]
        lines.append(
            f"median distance from the nearest training clip, {measure}: {', '.join(sets)}; "
            f"nearer than all but 1 %: {', '.join(shares)}"
        )
    return lines


def warning(found: Result) -> str:
    """Return why a result's numbers compare with no published ones; "" where they do."""
    reasons = found["not_comparable"]
    if not reasons:
        return ""
    return f"These numbers are not comparable with published ones: {'; '.join(reasons)}."


def terminal(found: Result, gaps: Sequence[str], beside: Sequence[Result] = ()) -> str:
    """Return what the command prints at its end: title, tables, what they mean.

    Args:
        found: the system's result.
        gaps: lines about missing values.
        beside: results that stand beside one that is compared with none.
    """
    lines = ["", f"{found['system']} on {found['corpus']}: {facts(found)}"]
    lines += [f"Corpus: {found['label']}."] if found.get("label") else []
    lines += [warning(found)] if warning(found) else []
    others = compared_with(found)
    if not others or uncompared(found):
        lines += ["", *_columns(_rows_beside(found, beside))]
    for versus in others:
        lines += ["", *_columns(_compared_rows(found, versus))]
    lines += [""] + ([f"* {STAR}; {NOTE}"] if others else [])
    lines += [sentence(found, versus) for versus in others]
    lines += [ratios(found)] if ratios(found) else []
    return "\n".join([*lines, scope(found), *gaps, ""])


def compared(found: Result, versus: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (metric, comparison) of a result with `versus`, in the order of the metrics."""
    metrics = [(name, one.get("versus", {})) for name, one in found["metrics"].items()]
    return [(name, others[versus]) for name, others in metrics if versus in others]


def uncompared(found: Result) -> list[str]:
    """Return the metrics in which a result is compared with nothing."""
    return [name for name, one in found["metrics"].items() if not one.get("versus")]


def ratios(found: Result) -> str:
    """Return which means are no means of utterances' values; "" for none."""
    names = [name for name, one in found["metrics"].items() if "weight" in one]
    verb = "are" if len(names) > 1 else "is"
    return f"{', '.join(names)} {verb} of the whole set: all errors by all parts." if names else ""


def facts(found: Result) -> str:
    """Return `128 utterances, 2 speakers, 1 network call, ...`, as far as it is known."""
    parts = [f"{found['n']} {'clips' if found.get('reference') else 'utterances'}"]
    if found.get("speakers"):
        parts.append(f"{found['speakers']} speaker{'s' * (found['speakers'] > 1)}")
    if found.get("calls"):
        parts.append(f"{found['calls']:g} network call{'s' * (found['calls'] > 1)}")
    if found.get("rtf"):
        inner = f" ({', '.join(speeds(found))})" if speeds(found) else ""
        parts.append(f"real-time factor {found['rtf']:.3g}{inner}")
    return ", ".join(parts)


def speeds(found: Result) -> list[str]:
    """Return `text 0.004 (1 %)` and so on: the real-time factors and shares of a voice's parts."""
    named = {"vocoder": found["vocoder"]} if found.get("vocoder") == GRIFFIN_LIM else {}
    parts = found.get("parts", {})
    return [
        f"{named.get(name, name)} {parts[name]['rtf']:.2g} ({100 * parts[name]['share']:.0f} %)"
        for name in _PARTS
        if name in parts
    ]


def _rows_beside(found: Result, beside: Sequence[Result]) -> list[list[str]]:
    """Return the terminal's table of means: a system, what failed for it, and others beside it."""
    rows = [["metric", found["system"], "", *(other["system"] for other in beside)]]
    for name in uncompared(found):
        one = found["metrics"][name]
        others = [other["metrics"].get(name) for other in beside]
        cells = ["" if other is None else cell(other, name) for other in others]
        rows.append([name, cell(one, name), failed(one), *cells])
    return rows


def _compared_rows(found: Result, versus: str) -> list[list[str]]:
    """Return the terminal's table of one comparison: both means are over the same utterances."""
    rows = [["metric", versus, found["system"], "difference", "", ""]]
    for name, one in compared(found, versus):
        means = [cell(one[side], name) for side in ("baseline", "system")]
        word = _WORDS.get(one["verdict"], f"no verdict: {one['withheld']}")
        rows.append([name, *means, difference(one, name), p_value(one), word])
    return rows


def _with_ends(
    value: float | None, ends: Sequence[float] | None, metric: str, *, sign: bool
) -> str:
    if value is None:
        return "none"
    text = number(value, metric, sign=sign)
    if ends is None:
        return text
    low, high = (number(end, metric, sign=sign) for end in ends)
    return f"{text} [{low}, {high}]"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of equal column widths, as text."""
    columns = [list(column) for column in zip_longest(*rows, fillvalue="")]
    padded = [[f"{text:{max(map(len, column))}}" for text in column] for column in columns]
    return ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]
