"""The part of the report that one hears: players and spectrograms of chosen utterances."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np

from diffaudio.data.audio import AudioSpec
from diffaudio.data.convert import encode, quantise
from diffaudio.score import picture
from diffaudio.score.measure import Scored
from diffaudio.score.others import RECORDINGS
from diffaudio.score.pairs import Samples, Sound, read_estimate, read_role
from diffaudio.score.table import number
from diffaudio.score.timing import Timing, drawing, lines

__all__ = ["Chosen", "Other", "article", "card", "choose"]

_SECONDS = 10.0  # of an utterance that are shown; bounds the size of the page
_HIDDEN = ("id", "audio", "start", "end", "samples", "rate")  # of a row; the page says it elsewhere


class Other(NamedTuple):
    """The same utterance of a system that is compared.

    Attributes:
        system: its name.
        heard: what a recogniser heard in it, if one listened.
        file: of the utterance, if it is still there.
    """

    system: str
    heard: str | None
    file: Path | None


@dataclass(frozen=True)
class Chosen:
    """An utterance to listen to.

    Args:
        sound: of the test set, with its estimate.
        scored: its values.
        baseline: those of what the model is given, or of the recording.
        timing: when its symbols begin.
        other: of a system that is compared.
    """

    sound: Sound
    scored: Scored
    baseline: Scored | None
    timing: Timing | None = None
    other: Other | None = None


def choose(table: Sequence[Scored], metric: str, better: str, count: int) -> dict[str, list[str]]:
    """Return the ids of the worst and of the median utterances, in that order of quality.

    Where the metric failed, nothing is worse.

    Args:
        table: the system's utterances.
        metric: that ranks them.
        better: "higher" or "lower".
        count: of each kind; fewer if the test set is small, and none twice.
    """
    measured = [row for row in table if metric in row.values]
    sign = 1 if better == "higher" else -1
    ranked = [row.id for row in table if metric in row.failed]
    ranked += [row.id for row in sorted(measured, key=lambda row: sign * row.values[metric])]
    worst, rest = ranked[:count], ranked[count:]
    middle = len(ranked) // 2 - count  # of the whole table, counted in what is left
    first = min(max(0, middle - count // 2), max(0, len(rest) - count))
    return {"worst": worst, "median": rest[first : first + count]}


def card(chosen: Chosen, spec: AudioSpec, system: str) -> str:
    """Return one utterance: given, systems and reference, each with player and spectrogram."""
    sound, name = chosen.sound, chosen.scored.id
    reference = read_role(sound, spec.target, spec)
    versions: dict[str, Samples] = {}
    if spec.given is not None:
        versions[spec.given] = read_role(sound, spec.given, spec)
    if chosen.other is not None and chosen.other.file is not None:
        versions[chosen.other.system] = _made(chosen.other.file, spec)
    if sound.estimate is not None:
        versions[system] = _made(sound.estimate, spec)
    versions[spec.target] = reference
    longest = max(map(len, versions.values()))
    cut = f", the first {_SECONDS:g} s shown" if longest > _SECONDS * spec.rate else ""
    said = "" if sound.prompt is None else sound.prompt.text  # stands below
    about = [f"{chosen.scored.seconds:.1f} s{cut}"]
    about += [
        f"{key} {value}"
        for key, value in sound.row.items()
        if key not in _HIDDEN and value not in ("", said)
    ]
    values = _values(chosen) + _heard(chosen, system, spec.given or RECORDINGS)
    below = {}
    if chosen.timing is not None and system in versions:
        seconds = min(len(versions[system]) / spec.rate, _SECONDS)
        below = {system: drawing(chosen.timing, seconds)}
    mel = sound.prompt is not None
    return article(name, about, versions, spec.rate, values=values, mel=mel, below=below)


def _made(path: Path, spec: AudioSpec) -> Samples:
    return np.nan_to_num(read_estimate(path, spec), nan=0.0, posinf=1.0, neginf=-1.0)


def article(
    name: str,
    about: Sequence[str],
    versions: Mapping[str, Samples],
    rate: int,
    *,
    values: str = "",
    mel: bool = False,
    below: Mapping[str, str] | None = None,
) -> str:
    """Return sounds to listen to side by side, each with player and spectrogram.

    Args:
        name: the title.
        about: facts below it.
        versions: name to (n, a); the last one's spectrogram sets the colours of all.
        rate: in Hz.
        values: HTML below the facts.
        mel: whether the pictures are mel spectrograms.
        below: HTML over and below the picture of a version, by its name.
    """
    shown = {role: x[: round(_SECONDS * rate)] for role, x in versions.items()}
    peak = max(1.0, *(float(np.abs(x).max(initial=0.0)) for x in shown.values()))
    level, kind = (picture.mel_level, "Mel spectrogram") if mel else (picture.level, "Spectrogram")
    levels = {role: level(x.mean(axis=1), rate) for role, x in shown.items()}
    top = float(levels[list(shown)[-1]].max())
    figures = [
        _figure(
            key,
            role,
            x / np.float32(peak),
            picture.spectrogram(levels[role], top),
            rate,
            kind=kind,
            below=(below or {}).get(role, ""),
        )
        for key, (role, x) in enumerate(shown.items(), start=1)
    ]
    return (
        f'<article class="utterance{" voice" * mel}" tabindex="0" id="u-{escape(name)}">'
        f"<header><h4>{escape(name)}</h4><p>{escape(' · '.join(about))}</p>{values}</header>"
        f'<div class="versions">{"".join(figures)}</div></article>'
    )


def _values(chosen: Chosen) -> str:
    """Return the utterance's values, with the baseline's where there is one."""
    parts = []
    for metric, value in chosen.scored.values.items():
        text = f"<b>{number(value, metric)}</b>"
        before = chosen.baseline.values.get(metric) if chosen.baseline else None
        if before is not None:
            text = f"{number(before, metric)} → {text}"
        parts.append(f"<li><span>{escape(metric)}</span> {text}</li>")
    for metric, reason in chosen.scored.missing.items():
        parts.append(f"<li><span>{escape(metric)}</span> none ({escape(reason)})</li>")
    for metric, reason in chosen.scored.failed.items():
        parts.append(f"<li><span>{escape(metric)}</span> <b>failed</b> ({escape(reason)})</li>")
    return f'<ul class="values">{"".join(parts)}</ul>'


def _heard(chosen: Chosen, system: str, versus: str) -> str:
    """Return what should be said, as what it was read, and what a recogniser heard."""
    prompt, baseline = chosen.sound.prompt, chosen.baseline
    if prompt is None:
        return ""
    told: dict[str, str | None] = {"should be": prompt.text}
    told |= {} if chosen.timing is None else lines(chosen.timing, prompt.text)
    told |= {f"heard in {system}": chosen.scored.heard}
    told |= {f"heard in {chosen.other.system}": chosen.other.heard} if chosen.other else {}
    told |= {f"heard in {versus}": baseline.heard} if baseline else {}
    return "".join(
        f'<p class="said"><span>{escape(what)}</span> {escape(text) or "nothing"}</p>'
        for what, text in told.items()
        if text is not None
    )


def _figure(
    key: int, role: str, x: Samples, image: bytes, rate: int, *, kind: str, below: str
) -> str:
    coded = base64.b64encode(image).decode()
    audio = base64.b64encode(encode(quantise(x)[0], rate)).decode()
    name = escape(role)
    return (
        f"<figure><figcaption><kbd>{key}</kbd> {name}</figcaption>"
        f'<div class="picture{" timed" * bool(below)}"><img alt="{kind}, {name}, 0 to '
        f'{rate / 2000:g} kHz, {len(x) / rate:.1f} s" src="data:image/png;base64,{coded}">{below}'
        f'<i></i><span class="khz">{rate / 2000:g} kHz</span>'
        f'<span class="seconds">{len(x) / rate:.1f} s</span></div>'
        f'<audio controls preload="metadata" aria-label="{name}" '
        f'src="data:audio/flac;base64,{audio}"></audio></figure>'
    )
