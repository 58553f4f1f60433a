"""`diffaudio status`: what is done, stale, unfinished or missing, and how big it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diffaudio import provenance
from diffaudio.config import parse
from diffaudio.files import read_json

__all__ = ["STAGES", "main"]

STAGES = ("corpus", "manifest", "shard", "extract", "train", "decode", "score", "sweep")
"""The stages of a recipe, by their numbers."""

_HEAD = ("folder", "stage", "state", "size", "when", "")


def main(argv: list[str]) -> int:
    """Print a row for every output folder below the given ones."""
    sections = _sections() if any(word.partition("=")[0] == "--config" for word in argv) else {}
    config = parse(
        argv,
        prog="diffaudio status",
        description="Show the state of output folders, and of all those below them. With --config "
        "what was made with other settings is stale.",
        sections=sections,
        options=lambda parser: parser.add_argument(
            "folders", nargs="+", help="dump/train, exp, ...; 4=exp/demo says whose stage it is"
        ),
    )
    tops = dict(map(_top, config.options.folders))
    keys = config.keys(*sections)
    rows: list[tuple[str, ...]] = [_HEAD]
    rows += [_row(folder, stage, keys) for folder, stage in _below(tops)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return 0


def _sections() -> dict[str, type]:
    from diffaudio.bin.config import EXPERIMENT  # imports torch

    return EXPERIMENT


def _top(word: str) -> tuple[Path, str]:
    """Return folder and stage of `4=exp/demo`; a folder alone is of no stage in particular."""
    number, _, folder = word.partition("=")
    if folder and number in map(str, range(len(STAGES))):
        return Path(folder), STAGES[int(number)]
    return Path(word), ""


def _below(tops: Mapping[Path, str]) -> Iterator[tuple[Path, str]]:
    """Yield the folders that a stage wrote, each once, with the stage of the top it is below.

    A top itself comes up where its stage wrote nothing, or no stage did.
    """
    for top, stage in tops.items():
        found = sorted(path.parent for path in top.rglob(provenance.RECORD))
        own = [folder for folder in found if _nearest(folder, tops) == top]
        if not own and (stage or not found):
            own = [top]
        yield from ((folder, stage) for folder in own)


def _nearest(folder: Path, tops: Mapping[Path, str]) -> Path:
    return next(path for path in (folder, *folder.parents) if path in tops)


def _row(folder: Path, stage: str, keys: Mapping[str, Any]) -> tuple[str, ...]:
    state, why = provenance.state(folder, keys=keys, stage=stage)
    if state == "missing" and stage == STAGES[0] and folder.is_dir():
        return str(folder), _numbered(stage), "there", "", "", "a corpus of one's own"
    if state in {"missing", "damaged"}:
        return str(folder), _numbered(stage), state, "", "", why
    record = read_json(folder / provenance.RECORD)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    when = (record["finished"] or "").replace("T", " ")
    return str(folder), _numbered(record["stage"]), state, _size(total), when, why


def _numbered(stage: str) -> str:
    """Return a stage as run.sh counts it: `4 train`."""
    return f"{STAGES.index(stage)} {stage}" if stage in STAGES else stage


def _size(total: int) -> str:
    """Return a size as people read it: 3.1 GB."""
    size, units = float(total), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.3g} {units[0]}"
