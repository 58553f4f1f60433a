"""The score tables of the report: means, differences with their intervals drawn, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from diffaudio.metrics import column
from diffaudio.score import plot
from diffaudio.score.about import scope
from diffaudio.score.results import Result, compared_with, withheld
from diffaudio.score.table import (
    APART,
    NOTE,
    apart,
    cell,
    compared,
    difference,
    failed,
    p_value,
    ratios,
    uncompared,
)
from diffaudio.score.verdict import BETTER, SAME, WORSE

__all__ = ["grid", "sheet", "sheet_of_sets", "verdicts"]

_WORDS = {BETTER: "better", SAME: "not significantly different", WORSE: "worse"}
_MARK = {BETTER: "▲", SAME: "≈", WORSE: "▼", None: "–"}


def verdicts(found: Result) -> str:
    """Return what is better and what is not, than all that a result is compared with."""
    parts = []
    for versus in compared_with(found):
        named: dict[tuple[str | None, str], list[str]] = {key: [] for key in _WORDS.items()}
        for name, one in compared(found, versus):
            word = one["verdict"]
            text = _WORDS.get(word) or f"no verdict ({one['withheld']})"
            named.setdefault((word, text), []).append(name)
        chips = [
            f'<li class="{word or SAME}"><b>{_MARK[word]} {escape(text)}</b> '
            f"in {escape(', '.join(names))}</li>"
            for (word, text), names in named.items()
            if names
        ]
        what = f"the {versus} input" if versus == found.get("given") else versus
        parts.append(f'<p class="than">Compared with {escape(what)}</p>')
        parts.append(f'<ul class="verdict">{"".join(chips)}</ul>')
    return "".join(parts)


def sheet(found: Result, gaps: Sequence[str]) -> str:
    """Return one table per comparison, or the means alone, and what they mean.

    Args:
        found: the system's result.
        gaps: lines about missing values.
    """
    tables = [_compared(found, versus) for versus in compared_with(found)]
    tables += [_means(found)] * bool(uncompared(found))
    return (
        f'{"".join(tables)}<p class="note">Means over utterances with 95 % bootstrap intervals. '
        "Differences are paired: each utterance is compared with itself, and both means are over "
        "the utterances that have both values. A difference counts where its interval excludes "
        f"zero and p &lt; 0.05; {NOTE}. {escape(' '.join([ratios(found), scope(found)]).strip())}"
        "</p>"
        f"{_noted(gaps)}"
    )


def sheet_of_sets(found: Result, beside: Sequence[Result]) -> str:
    """Return the table of a set and of the sets of real clips beside it.

    Args:
        found: the system's result.
        beside: results of real clips.
    """
    rows = []
    for name in found["metrics"]:
        cells = [_set_cell(one["metrics"].get(name), name) for one in (found, *beside)]
        rows.append([_metric(name), *cells])
    return (
        f"{grid(['metric', *(one['system'] for one in (found, *beside))], rows)}"
        f'<p class="note">Values with 95 % bootstrap intervals. {escape(APART)}. '
        f"{escape(scope(found))}</p>{_noted(withheld(found))}"
    )


def _noted(lines: Iterable[str]) -> str:
    """Return notes as a list; nothing where there are none."""
    notes = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="note">{notes}</ul>' if notes else ""


def _set_cell(entry: Mapping[str, Any] | None, name: str) -> str:
    if entry is None:
        return "<td></td>"
    below = "<br>".join(map(escape, apart(entry, name)))
    return f"<td><b>{escape(cell(entry, name))}</b><small>{below}</small></td>"


def _means(found: Result) -> str:
    rows = []
    for name in uncompared(found):
        entry = found["metrics"][name]
        lost = f"<small>{failed(entry)}</small>" if failed(entry) else ""
        rows.append([_metric(name), f"<td><b>{escape(cell(entry, name))}</b>{lost}</td>"])
    return grid(["metric", found["system"]], rows)


def _compared(found: Result, versus: str) -> str:
    rows = []
    for name, one in compared(found, versus):
        theirs, ours = (escape(cell(one[side], name)) for side in ("baseline", "system"))
        means = [f"<td>{theirs}</td>", f"<td><b>{ours}</b></td>"]
        rows.append([_metric(name), *means, *_difference(one, name)])
    return grid(["metric", versus, found["system"], "paired difference", ""], rows)


def _metric(name: str) -> str:
    return f'<th scope="row">{escape(name)}<small>{escape(_unit(name))}</small></th>'


def _unit(name: str) -> str:
    about = column(name)
    return about.unit if about else ""


def _difference(one: Mapping[str, Any], name: str) -> list[str]:
    """Return the cells of a difference: numbers, why there is no verdict, the drawing."""
    word = one["verdict"]
    text = f"{_MARK[word]} {difference(one, name)}"
    below = ", ".join(filter(None, [p_value(one), one["withheld"]]))
    cells = [f'<td class="{word or SAME}">{escape(text)}<small>{escape(below)}</small></td>']
    if one["mean_difference"] is None:
        return [*cells, "<td></td>"]
    low, high = one["ci95"] or (one["mean_difference"],) * 2
    drawing = plot.interval(one["mean_difference"], low, high, word or SAME)
    return [*cells, f"<td>{drawing}</td>"]


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table: titles of the columns, and the cells of each row as HTML."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f'<div class="wide"><table class="scores"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
