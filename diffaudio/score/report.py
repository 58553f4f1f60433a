"""report.html: one file, readable without a network, that lets one see and hear a score."""

from __future__ import annotations

import importlib.resources
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from diffaudio.data.audio import AudioSpec
from diffaudio.metrics import METRICS
from diffaudio.score import charts
from diffaudio.score.listen import Chosen, Other, card, choose
from diffaudio.score.measure import Scored
from diffaudio.score.pairs import Sound
from diffaudio.score.results import Result
from diffaudio.score.scores import Rival
from diffaudio.score.sheet import sheet, verdicts
from diffaudio.score.table import speeds, warning
from diffaudio.score.timing import Timing

__all__ = ["Evidence", "assembled", "report"]

_TIMED = (
    " The blocks below a synthesis are the symbols that were read, as long as the model took them "
    "to last; lines are starts of words. Pointing at a block names its symbol."
)


@dataclass(frozen=True)
class Evidence:
    """What a report is made from.

    Args:
        found: the system's result.
        table: the system's utterances; empty where whole sets are compared.
        before: those of what the model is given, or of the recordings, in the same order; empty for
            none.
        sounds: the test set, in the same order.
        gaps: lines about missing values.
        protocol: what `found` names by its digest.
        environment: of the scoring.
        config: the resolved configuration as YAML.
        log: the training's log.jsonl, which may not exist.
        versus: whose `before` is, where it is not what the model is given.
        rival: whose utterances can be heard beside.
        timings: of utterances that were made from a text, by id: when each symbol begins.
    """

    found: Result
    table: Sequence[Scored]
    before: Sequence[Scored]
    sounds: Sequence[Sound]
    gaps: Sequence[str]
    protocol: Mapping[str, Any]
    environment: Mapping[str, str]
    config: str
    log: Path
    versus: str | None = None
    rival: Rival | None = None
    timings: Mapping[str, Timing] = field(default_factory=dict)


def report(evidence: Evidence, spec: AudioSpec, *, count: int) -> str:
    """Return the page.

    Args:
        evidence: scores, sounds and settings.
        spec: of the audio.
        count: utterances of each kind, worst and median, to listen to.
    """
    sections = {
        "Scores": sheet(evidence.found, evidence.gaps),
        "Listen": _listen(evidence, spec, count),
        "Utterances": charts.utterances(
            evidence.found, evidence.before, evidence.table, versus=evidence.versus
        ),
    }
    return assembled(evidence, sections)


def assembled(evidence: Evidence, sections: Mapping[str, str]) -> str:
    """Return the page: what is known of the run, the sections given, training and protocol.

    Args:
        evidence: the result and its settings.
        sections: title to HTML; an empty one is left out.
    """
    last = {"Training": charts.training(evidence.log), "Protocol": _protocol(evidence)}
    shown = {name: inner for name, inner in {**sections, **last}.items() if inner}
    body = [f'<section id="{n}"><h2>{n}</h2>{inner}</section>' for n, inner in shown.items()]
    return Template(_asset("report.html")).substitute(
        title=escape(f"{evidence.found['system']} on {evidence.found['corpus']}"),
        style=_asset("report.css"),
        script=_asset("report.js"),
        head=_head(evidence),
        links="".join(f'<a href="#{name}">{name}</a>' for name in shown),
        body="".join(body),
        made=escape(
            f"{time.strftime('%Y-%m-%d %H:%M')}, scored at commit {evidence.found['commit']}"
        ),
    )


def _asset(name: str) -> str:
    return (importlib.resources.files("diffaudio.score") / name).read_text(encoding="utf-8")


def _head(evidence: Evidence) -> str:
    """Return title, what is better and what is not, and the facts of the run."""
    found = evidence.found
    parts = [f"<h1>{escape(found['system'])}</h1>"]
    split = evidence.protocol["test_set"]["split"]
    parts.append(f'<p class="on">on {escape(found["corpus"])}, {escape(split)} set</p>')
    words = [f"{found['label']}." if found.get("label") else "", warning(found)]
    if text := " ".join(filter(None, words)):
        parts.append(f'<p class="label">{escape(text)}</p>')
    return "".join(parts) + verdicts(found) + _facts(found)


def _facts(found: Result) -> str:
    train = found.get("train") or {}
    known = {
        "clips" if found.get("reference") else "utterances": found["n"],
        "speakers": found.get("speakers"),
        "network calls": _short(found.get("calls")),
        "real-time factor": _short(found.get("rtf")),
        "of its parts": ", ".join(speeds(found)),
        "vocoder": found.get("vocoder"),
        "solver": found.get("solver"),
        "grid": found.get("grid"),
        "temperature": found.get("temperature"),
        "checkpoint": found.get("checkpoint"),
        "checkpoint digest": (found.get("checkpoint_sha256") or "")[:8],
        "parameters": _short(train.get("params"), scale=1e-6, unit=" M"),
        "training steps": train.get("steps"),
        "training time": _short(train.get("hours"), unit=" h"),
        "training seed": train.get("seed"),
        "seed": found.get("seed"),
        "device": found.get("device"),
        "hardware": found.get("hardware"),
    }
    return _pairs(
        {name: value for name, value in known.items() if value not in (None, "")}, "facts"
    )


def _short(value: float | None, *, scale: float = 1.0, unit: str = "") -> str:
    return "" if value is None else f"{value * scale:.3g}{unit}"


def _before(evidence: Evidence) -> str:
    """Say what the values before the arrows are of."""
    whose = escape(evidence.versus or "what the model is given")
    return f" A change, 1.24 → 1.78, goes from {whose} to what was made." if evidence.before else ""


def _listen(evidence: Evidence, spec: AudioSpec, count: int) -> str:
    """Return the cards of the worst and of the median utterances."""
    measured = [name for name in evidence.protocol["metrics"] if name in evidence.found["metrics"]]
    metric, better = next(((n, b) for n in measured if (b := METRICS[n].better)), ("", ""))
    if not (metric and count):
        return ""
    position = {row.id: number for number, row in enumerate(evidence.table)}
    parts = [
        '<p class="note">Keys, on a chosen utterance: <kbd>1</kbd> <kbd>2</kbd> … '
        "switch the version and keep the moment, <kbd>space</kbd> plays and pauses, <kbd>←</kbd> "
        "<kbd>→</kbd> move by a second, <kbd>j</kbd> <kbd>k</kbd> go to the next and the last one. "
        f"A click on a spectrogram plays from there.{_before(evidence)}"
        f"{_TIMED * bool(evidence.timings)}</p>"
    ]
    chosen = choose(evidence.table, metric, better, count)
    for why, names in chosen.items():
        if names:
            parts.append(f"<h3>{len(names)} {why} in {escape(metric)}</h3>")
        for name in names:
            at = position[name]
            before = evidence.before[at] if evidence.before else None
            timing = evidence.timings.get(name)
            other = _other(evidence.rival, at)
            one = Chosen(evidence.sounds[at], evidence.table[at], before, timing, other)
            parts.append(card(one, spec, evidence.found["system"]))
    return "".join(parts)


def _other(rival: Rival | None, at: int) -> Other | None:
    """Return utterance number `at` of a rival."""
    if rival is None:
        return None
    row = rival.table[at]
    return Other(rival.name, row.heard, rival.wavs / f"{row.id}.wav" if rival.wavs else None)


def _protocol(evidence: Evidence) -> str:
    found, whole = evidence.found, evidence.protocol
    named = {
        "digest": found["protocol_sha256"],
        "reference": whole["reference"],
        "rate": f"{whole['rate']} Hz",
        "resampler": whole["resampler"],
        "lengths": whole["lengths"],
        "test set": _listed(whole["test_set"]),
        **{name: _listed(whole[name]) for name in ("train_set", "asked") if name in whole},
        "metrics": ", ".join(
            name + "".join(f" ({p} {v})" for p, v in one["packages"].items())
            for name, one in whole["metrics"].items()
        ),
        "intervals": whole["intervals"],
        **{name: _listed(one) for name, one in whole.get("embedders", {}).items()},
    }
    details = {
        "Environment of the scoring": "\n".join(
            f"{k}: {v}" for k, v in evidence.environment.items()
        ),
        "Configuration": evidence.config,
        "Result as JSON": json.dumps(found, indent=1, ensure_ascii=False),
    }
    folded = "".join(
        f"<details><summary>{name}</summary><pre>{escape(text)}</pre></details>"
        for name, text in details.items()
    )
    return _pairs(named, "protocol") + folded


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _pairs(values: Mapping[str, Any], name: str) -> str:
    inner = "".join(
        f"<div><dt>{escape(key)}</dt><dd>{escape(str(value))}</dd></div>"
        for key, value in values.items()
    )
    return f'<dl class="{name}">{inner}</dl>'
