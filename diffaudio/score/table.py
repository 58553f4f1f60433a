"""Score tables for people: on the terminal, and in Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from diffaudio.metrics import METRICS
from diffaudio.score.results import BETTER, SAME, WORSE, Result, side, verdict

__all__ = ["MINI", "cell", "difference", "markdown", "number", "terminal"]

MINI = "These numbers are not comparable with published ones."
_WORDS = {BETTER: "* better", WORSE: "* worse", SAME: ""}


def number(value: float, metric: str, *, sign: bool = False) -> str:
    """Return a value with the decimals of its metric, and a plus sign where asked for."""
    decimals = METRICS[metric].decimals if metric in METRICS else 2
    return f"{value:{'+' if sign else ''}.{decimals}f}"


def cell(entry: Mapping[str, Any], metric: str) -> str:
    """Return `1.92 [1.83, 2.02]`; without the brackets where there is no interval."""
    return _with_ends(entry["mean"], entry["ci95"], metric, sign=False)


def difference(entry: Mapping[str, Any], metric: str, versus: str) -> str:
    """Return `+0.39 [+0.33, +0.45]`, the paired difference."""
    compared = entry["versus"][versus]
    return _with_ends(compared["mean_difference"], compared["ci95"], metric, sign=True)


def terminal(found: Result, baseline: Result | None, gaps: Sequence[str]) -> str:
    """Return what the command prints at its end: title, table, one sentence on what it means."""
    lines = ["", f"{found['system']} on {found['corpus']}: {facts(found)}"]
    if found.get("label"):
        lines.append(f"Corpus: {found['label']}. {MINI}")
    rows = [["metric", found["system"]]]
    versus = baseline["system"] if baseline else ""
    if baseline:
        rows[0] = ["metric", versus, found["system"], "difference", ""]
    for name, entry in found["metrics"].items():
        row = [name, cell(entry, name)]
        if baseline and "versus" in entry:
            theirs = cell(baseline["metrics"][name], name)
            row = [name, theirs, row[1], difference(entry, name, versus)]
            row.append(_WORDS[side(entry, versus)])
        rows.append(row)
    lines += ["", *_columns(rows), ""]
    if baseline:
        lines += ["* the 95 % interval of the paired difference excludes 0", verdict(found, versus)]
    return "\n".join([*lines, *gaps, ""])


def facts(found: Result) -> str:
    """Return `128 utterances, 1 network call, real-time factor 0.08`, as far as it is known."""
    parts = [f"{found['n']} utterances"]
    if found.get("calls"):
        parts.append(f"{found['calls']:g} network call{'s' * (found['calls'] > 1)}")
    if found.get("rtf"):
        parts.append(f"real-time factor {found['rtf']:.3g}")
    return ", ".join(parts)


def markdown(
    results: Sequence[Result],
    protocols: Mapping[str, Mapping[str, Any]],
    environment: Mapping[str, str],
) -> str:
    """Return RESULTS.md: environments, one table per test set and protocol, the protocols.

    Args:
        results: in the order of the rows; baselines are rows as well.
        protocols: by SHA-256, those that the results name.
        environment: where this page was written.
    """
    lines = ["<!-- Written by `diffaudio score`; changes made by hand are lost. -->", "# Results"]
    lines += ["", "## Environments", ""]
    lines += [f"- {name}: {value}" for name, value in environment.items()]
    lines += [f"- measured at {_plain(where)}" for where in _environments(results)]
    for sha in dict.fromkeys(found["protocol_sha256"] for found in results):
        of_it = [found for found in results if found["protocol_sha256"] == sha]
        lines += ["", *_section(of_it, sha, protocols[sha])]
    return "\n".join(lines) + "\n"


def _section(results: Sequence[Result], sha: str, protocol: Mapping[str, Any]) -> list[str]:
    """Return the heading, the table and the protocol of results that share a protocol."""
    first = results[0]
    label = f" ({_plain(first['label'])})" if first.get("label") else ""
    split = protocol["test_set"]["split"]
    lines = [f"## {_plain(first['recipe'])}: {_plain(first['corpus'])}, {split}{label}", ""]
    if label:
        lines += [f"**{MINI}**", ""]
    versus = protocol["baseline"]
    names = [name for name in METRICS if name in protocol["metrics"]]
    head = ["system", "calls", "RTF", "n", "trained", *names]
    lines += [_row(head), _row(["---", *["---:"] * (len(head) - 1)])]
    for found in results:
        lines.append(_row([*_about(found), *(_cell(found, name, versus) for name in names)]))
    lines += ["", "Means over utterances with 95 % intervals."]
    if versus:
        lines[-1] += f" Below them: the paired difference from {versus}, `*` if its interval "
        lines[-1] += "excludes 0."
    lines += [f"- {line}" for found in results for line in _missing(found)]
    lines += ["", f"<details><summary>Protocol {sha[:12]}</summary>", "", "```json"]
    return [*lines, json.dumps(protocol, indent=1, ensure_ascii=False), "```", "", "</details>"]


def _about(found: Result) -> list[str]:
    train = found.get("train") or {}
    trained = [f"{train['steps']} steps"] if train.get("steps") else []
    trained += [f"{train['hours']:.2g} h"] if train.get("hours") else []
    trained += [f"{train['params'] / 1e6:.2g} M params"] if train.get("params") else []
    calls, rtf = found.get("calls"), found.get("rtf")
    name = _plain(found["system"])
    return [
        name,
        "" if calls is None else f"{calls:g}",
        "" if rtf is None else f"{rtf:.3g}",
        str(found["n"]),
        ", ".join(trained),
    ]


def _cell(found: Result, name: str, versus: str | None) -> str:
    """Return a metric's mean, and below it the difference from the baseline."""
    entry = found["metrics"].get(name)
    if entry is None:
        return ""
    if versus is None or versus not in entry.get("versus", {}):
        return cell(entry, name)
    star = "" if side(entry, versus) == SAME else " *"
    return f"{cell(entry, name)}<br>{difference(entry, name, versus)}{star}"


def _missing(found: Result) -> list[str]:
    return [
        f"{_plain(found['system'])}: {name} has no value for {entry['missing']} of {found['n']}"
        for name, entry in found["metrics"].items()
        if "missing" in entry
    ]


def _environments(results: Sequence[Result]) -> list[str]:
    """Return each commit and machine once, with the systems that were run there."""
    systems: dict[str, list[str]] = {}
    for found in results:
        if found.get("hardware"):
            where = f"commit {found['commit']} on {found['hardware']}"
            systems.setdefault(where, []).append(found["system"])
    return [f"{where}: {', '.join(dict.fromkeys(names))}" for where, names in systems.items()]


def _with_ends(value: float, ends: Sequence[float] | None, metric: str, *, sign: bool) -> str:
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


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Return text that cannot break a Markdown table or smuggle in HTML."""
    for mark, instead in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(mark, instead)
    return text
