"""report.html of a generated set: scores beside real clips, clips to hear, the closest copies."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from diffaudio.data.audio import AudioSpec
from diffaudio.score.copied import Copied
from diffaudio.score.listen import article
from diffaudio.score.pairs import Sound, read_clip
from diffaudio.score.report import Evidence, assembled
from diffaudio.score.results import Result
from diffaudio.score.sheet import grid, sheet_of_sets

__all__ = ["gallery"]

_KEYS = (
    '<p class="note">Keys, on a chosen clip: <kbd>1</kbd> <kbd>2</kbd> switch the version, '
    "<kbd>space</kbd> plays and pauses, <kbd>j</kbd> <kbd>k</kbd> go to the next and the last "
    "one.</p>"
)
_COPIES = (
    "How far a clip is from its nearest training clip, and below which distance 1, 5, 50 and 95 % "
    "of a set lie. Training clips are held against each other. A model that copies has distances "
    "below those of real clips that it was not trained on; where its voices are those of the "
    "training set, below those of other voices anyway."
)


def gallery(
    evidence: Evidence,
    beside: Sequence[Result],
    near: Copied,
    spec: AudioSpec,
    *,
    label: str,
    count: int,
) -> str:
    """Return the page.

    Args:
        evidence: the generated set's result, its clips and settings.
        beside: results of real clips.
        near: the nearest training clips.
        spec: of the audio.
        label: field of a row that says what a clip should be.
        count: closest pairs to hear, for each measure.
    """
    sections = {
        "Scores": sheet_of_sets(evidence.found, beside),
        "Listen": _one_each(evidence.sounds, spec, label),
        "Copies": _distances(near) + _closest(near, spec, count),
    }
    return assembled(evidence, sections)


def _one_each(sounds: Sequence[Sound], spec: AudioSpec, label: str) -> str:
    """Return the first clip of each class."""
    first: dict[str, Sound] = {}
    for sound in sounds:
        first.setdefault(str(sound.row[label]), sound)
    cards = [
        article(
            f"{name}: {first[name].row['id']}",
            [],
            {"generated": read_clip(first[name], spec)},
            spec.rate,
        )
        for name in sorted(first)
    ]
    return f"{_KEYS}<h3>The first clip of each class</h3>{''.join(cards)}"


def _distances(near: Copied) -> str:
    """Return the table of quantiles, and the share of clips that are suspiciously near."""
    rows, first = [], next(iter(near.summary.values()))["distances"]["generated"]
    heads = ["distance", "set", *first, "generated clips nearer than all but 1 %"]
    for measure, one in near.summary.items():
        for name, quantiles in one["distances"].items():
            values = [f"<td>{value:.3g}</td>" for value in quantiles.values()]
            share = one["nearer"].get(name)
            last = "" if share is None else f"{share:.1%}"
            head = f'<th scope="row">{escape(measure)}</th><td>{escape(name)}</td>'
            rows.append([head, *values, f"<td>{last}</td>"])
    return f'<p class="note">{_COPIES}</p>{grid(heads, rows)}'


def _closest(near: Copied, spec: AudioSpec, count: int) -> str:
    """Return the closest pairs by each measure, to be heard."""
    parts = []
    for measure in near.found:
        pairs = near.closest(measure, count)
        if pairs:
            parts.append(f"<h3>The {len(pairs)} closest pairs in {escape(measure)}</h3>")
        for pair in pairs:
            name, other = pair.made.row["id"], pair.train.row["id"]
            versions = {"generated": read_clip(pair.made, spec), other: read_clip(pair.train, spec)}
            about = [f"distance {pair.distance:.3g}", f"from {other}"]
            parts.append(article(f"{name}, {measure}", about, versions, spec.rate))
    return "".join(parts)
