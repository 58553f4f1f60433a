"""scores.jsonl: the values of every utterance, and a rival's to compare with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffaudio import provenance, records
from diffaudio.files import digest, read_json
from diffaudio.log import Refusal, log
from diffaudio.score.measure import Scored
from diffaudio.score.pairs import scored_wavs
from diffaudio.score.spec import comparable

__all__ = ["PROTOCOL", "SCORES", "SUMMARY", "Rival", "lines", "read", "rival"]

SCORES, SUMMARY, PROTOCOL = "scores.jsonl", "summary.json", "protocol.json"


@dataclass(frozen=True)
class Rival:
    """Another system that was scored on the same test set.

    Args:
        name: of the system, in tables.
        table: its utterances.
        inputs: what the stage reads of it, name to digest.
        wavs: folder of its utterances; None where they are no longer what was scored.
    """

    name: str
    table: list[Scored]
    inputs: dict[str, str]
    wavs: Path | None = None


def lines(table: Sequence[Scored], beside: Mapping[str, Sequence[Scored]]) -> str:
    """Return scores.jsonl: id, seconds, scores, missing and failed of each utterance, a line each.

    `weights` and `heard` come where there are any.

    Args:
        table: the system's utterances.
        beside: name to the same utterances, in the same order, of what stands beside it; each line
            holds them under that name.
    """
    written = []
    for number, row in enumerate(table):
        line: dict[str, Any] = {"id": row.id, "seconds": row.seconds, **_values(row)}
        line |= {name: _values(other[number]) for name, other in beside.items()}
        written.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(written)


def read(folder: Path) -> list[Scored]:
    """Return the system's utterances of a finished score."""
    rows = map(json.loads, (folder / SCORES).read_text(encoding="utf-8").splitlines())
    return [
        Scored(
            row["id"],
            row["seconds"],
            row["scores"],
            row["missing"],
            row["failed"],
            row.get("weights", {}),
            row.get("heard"),
        )
        for row in rows
    ]


def rival(folder: Path, protocol: Mapping[str, Any]) -> Rival:
    """Return the scores of another system, which must be of the same test set and metrics.

    Args:
        folder: of its score, `exp/other/score/default/test`.
        protocol: of the system that is to be compared with it.

    Raises:
        Refusal: it has not been scored, its score is stale, or it followed another protocol.
    """
    mend = "score it again, with the same metrics and data"
    provenance.require(folder, stage="score", keys={}, mend=mend)
    held, ours = (comparable(dict(one)) for one in (read_json(folder / PROTOCOL), protocol))
    unlike = [name for name in ours if held.get(name) != ours[name]]
    if unlike:
        raise Refusal(
            f"{folder}: cannot be compared, scored by another protocol ({', '.join(unlike)})",
            mend=mend,
        )
    name = read_json(folder / SUMMARY)["system"]
    inputs = {str(folder / SCORES): digest(folder / SCORES)}
    record = records.read(folder)
    found = scored_wavs(folder, record["inputs"]) if record else None
    if found is None:
        log.info("%s: not played in the report: its wavs are not there as they were scored", folder)
        return Rival(name, read(folder), inputs)
    wavs, theirs = found
    return Rival(name, read(folder), {**inputs, f"wavs of {name}": theirs}, wavs)


def _values(row: Scored) -> dict[str, Any]:
    values: dict[str, Any] = {"scores": row.values, "missing": row.missing, "failed": row.failed}
    values |= {"weights": row.weights} if row.weights else {}
    return values | ({} if row.heard is None else {"heard": row.heard})
