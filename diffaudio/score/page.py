"""RESULTS.md: a table of scores per test set and protocol, and how each system was made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from diffaudio.metrics import in_order
from diffaudio.score.about import scope
from diffaudio.score.results import INPUT, REAL, SYSTEM, Result, compared_with, withheld
from diffaudio.score.table import (
    APART,
    NOTE,
    STAR,
    apart,
    cell,
    difference,
    failed,
    neighbours,
    p_value,
    ratios,
    speeds,
    warning,
)
from diffaudio.score.verdict import BETTER, WORSE, sentence

__all__ = ["environments", "made_of", "making", "markdown", "plain", "table"]


def markdown(
    results: Sequence[Result],
    protocols: Mapping[str, Mapping[str, Any]],
    environment: Mapping[str, str],
    notes: Sequence[str] = (),
) -> str:
    """Return RESULTS.md: environments, one section per test set and protocol, the protocols.

    Args:
        results: in the order of the rows; baselines are rows as well.
        protocols: by SHA-256, those that the results name.
        environment: where this page was written.
        notes: what is not in the tables, and why.
    """
    lines = ["<!-- Written by `diffaudio score`; changes made by hand are lost. -->", "# Results"]
    if notes:
        lines += ["", *(f"- {plain(note)}" for note in notes)]
    lines += ["", "## Environments", ""]
    lines += [f"- this page: {name} {value}" for name, value in environment.items()]
    lines += [f"- {plain(where)}" for where in environments(results)]
    for sha in dict.fromkeys(found["protocol_sha256"] for found in results):
        of_it = [found for found in results if found["protocol_sha256"] == sha]
        lines += ["", *_section(of_it, sha, protocols[sha])]
    return "\n".join(lines) + "\n"


def _section(results: Sequence[Result], sha: str, protocol: Mapping[str, Any]) -> list[str]:
    """Return the heading, the tables and the protocol of results that share a protocol."""
    first = results[0]
    label = f" ({plain(first['label'])})" if first.get("label") else ""
    split = protocol["test_set"]["split"]
    lines = [f"## {plain(first['recipe'])}: {plain(first['corpus'])}, {split}{label}", ""]
    for text in dict.fromkeys(filter(None, map(warning, results))):
        lines += [f"**{plain(text)}**", ""]
    names = in_order(protocol["metrics"])
    lines += table(
        ["system", "calls", "RTF", "n", "trained", *names],
        [[*_about(found), *(_cell(found, name) for name in names)] for found in results],
    )
    lines += ["", _legend(first, protocol["baseline"]), scope(first), ""]
    made = [found for found in results if found["role"] == SYSTEM]
    lines += [f"- {plain(text)}" for found in made for text in _told(found)]
    lines += ["", "How the systems were made:", ""]
    lines += made_of([{"system": _name(found), **making(found)} for found in made])
    lines += ["", f"<details><summary>Protocol {sha[:12]}</summary>", "", "```json"]
    return [*lines, json.dumps(protocol, indent=1, ensure_ascii=False), "```", "", "</details>"]


def _legend(first: Result, given: str | None) -> str:
    if first.get("reference"):
        return f"Values of whole sets with 95 % intervals. {APART}."
    text = f"Means over utterances with 95 % intervals. {ratios(first)}".strip()
    if given is None and first["role"] != REAL:
        return text
    others = ("" if given is None else f"{plain(given)}, or from ") + "another system"
    return (
        f"{text} Below them: the paired difference from {others} "
        f"that is named there, with its p-value; `*` if {STAR}. {NOTE[0].upper()}{NOTE[1:]}."
    )


def _name(found: Result) -> str:
    return plain(found["system"]) + " (input)" * (found["role"] == INPUT)


def _about(found: Result) -> list[str]:
    train = found.get("train") or {}
    trained = [f"{train['steps']} steps"] if train.get("steps") else []
    trained += [f"{train['hours']:.2g} h"] if train.get("hours") else []
    trained += [f"{train['params'] / 1e6:.2g} M params"] if train.get("params") else []
    calls, rtf = found.get("calls"), found.get("rtf")
    return [
        _name(found),
        "" if calls is None else f"{calls:g}",
        "" if rtf is None else "<br>".join([f"{rtf:.3g}", *map(plain, speeds(found))]),
        str(found["n"]),
        ", ".join(trained),
    ]


def _cell(found: Result, name: str) -> str:
    """Return a metric's mean, and below it what failed and the differences from others."""
    entry = found["metrics"].get(name)
    if entry is None:
        return ""
    parts = [cell(entry, name), failed(entry), *apart(entry, name)]
    for versus in compared_with(found):
        one = entry.get("versus", {}).get(versus)
        if one and one["n"]:
            star = " *" if one["verdict"] in (BETTER, WORSE) else ""
            than = "" if versus == found.get("given") else f"than {plain(versus)}: "
            parts.append(f"{than}{difference(one, name)}, {p_value(one)}{star}")
    return "<br>".join(filter(None, parts))


def _told(found: Result) -> list[str]:
    """Return the sentences below the table: verdicts, and where there are no values."""
    name = found["system"]
    lines = [f"{name}: {sentence(found, versus)}" for versus in compared_with(found)]
    for metric, entry in found["metrics"].items():
        if entry["failed"]:
            lines.append(f"{name}: {metric}: {failed(entry)}")
        if entry["missing"]:
            count = f"{entry['missing']} of {found['n']}"
            lines.append(f"{name}: {metric} has no value for {count}, whatever the estimate")
    lines += [f"{name}: {text}" for text in withheld(found)]
    return lines + [f"{name}: {text}" for text in neighbours(found)]


def making(found: Result, *, sampler: bool = True) -> dict[str, str]:
    """Return how a system was made, "" for what is not known; with how it was sampled or not."""
    train = found.get("train") or {}
    names = (*("solver", "grid") * sampler, "seed", "device", "threads", "precision")
    values = {
        "checkpoint": _checkpoint(found),
        **{name: found.get(name) for name in names},
        "training seed": train.get("seed"),
        "training config": _short(train.get("config_sha256")),
    }
    some = (*("temperature",) * sampler, "vocoder")
    values |= {name: found[name] for name in some if found.get(name) is not None}
    return {name: "" if value is None else plain(str(value)) for name, value in values.items()}


def made_of(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the lines of a table of how things were made: a name first, then `making`."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return table(heads, [[row.get(head, "") for head in heads] for row in rows]) if rows else []


def _checkpoint(found: Result) -> str:
    """Return `step_00000500 (1a2b3c4d)`, as far as it is known."""
    sha = _short(found.get("checkpoint_sha256"))
    return " ".join(filter(None, [found.get("checkpoint"), f"({sha})" * bool(sha)]))


def _short(sha: str | None) -> str | None:
    return sha[:8] if sha else None


def environments(results: Sequence[Result]) -> list[str]:
    """Return each commit and machine once, with the systems that were scored or decoded there."""
    systems: dict[str, list[str]] = {}
    for found in results:
        where = f"scored at commit {found['commit']}"
        if found.get("hardware"):
            commit = found.get("decode_commit")
            at = f" at commit {commit}" if commit else ""
            where += f", decoded{at} on {found['hardware']}"
        if found["role"] == SYSTEM:
            systems.setdefault(where, []).append(found["system"])
    return [f"{where}: {', '.join(dict.fromkeys(names))}" for where, names in systems.items()]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown: names on the left, numbers on the right."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (head, marks, *rows)]


def plain(text: str) -> str:
    """Return text that cannot break a Markdown table or smuggle in HTML."""
    for mark, instead in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(mark, instead)
    return text
