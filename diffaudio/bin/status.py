"""`diffaudio status`: what is done, stale, unfinished or missing, and how big it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from diffaudio import provenance
from diffaudio.config import parse
from diffaudio.files import read_json

__all__ = ["main"]

_HEAD = ("folder", "stage", "state", "size", "when", "")


def main(argv: list[str]) -> int:
    """Print a row for every output folder below the given ones."""
    config = parse(
        argv,
        prog="diffaudio status",
        description="Show the state of output folders, and of all those below them.",
        sections={},
        options=lambda parser: parser.add_argument(
            "folders", type=Path, nargs="+", help="dump/train, exp, ..."
        ),
    )
    rows: list[tuple[str, ...]] = [_HEAD]
    rows += [_row(folder) for top in config.options.folders for folder in _below(top)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return 0


def _below(top: Path) -> Iterator[Path]:
    """Yield the folders at and below `top` that a stage wrote; `top` itself if there is none."""
    found = sorted(path.parent for path in top.rglob(provenance.RECORD))
    yield from found or [top]


def _row(folder: Path) -> tuple[str, ...]:
    state, why = provenance.state(folder)
    if state in {"missing", "damaged"}:
        return str(folder), "", state, "", "", why
    record = read_json(folder / provenance.RECORD)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    when = (record["finished"] or "").replace("T", " ")
    return str(folder), record["stage"], state, _size(total), when, why


def _size(total: int) -> str:
    """Return a size as people read it: 3.1 GB."""
    size, units = float(total), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.3g} {units[0]}"
