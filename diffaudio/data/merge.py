"""Merging the indexes of a data set's shards into columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from diffaudio.data.columns import NAMES, About, save
from diffaudio.data.index import Index
from diffaudio.data.shards import BLOCK, Entry, ShardError, damaged, read_footer, read_index

__all__ = ["build"]


def build(folder: Path, shards: Sequence[Path], *, rate: int) -> Index:
    """Merge the indexes of `shards`, which lie in `folder` and hold ascending ids, and open it.

    Raises:
        ShardError: a damaged shard, ids out of order, items of different fields, or a size beyond
            the index's 32-bit numbers.
    """
    names, last = sorted(_first_entry(shards).fields), ""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    about = []
    for path in shards:
        entries = read_index(path)
        last = _check_order(path, last, entries)
        for name, column in _columns(path, entries, names).items():
            parts[name].append(column)
        footer = read_footer(path)
        about.append((path.name, path.stat().st_size, footer.entries, footer.sha256))
    columns = {name: np.concatenate(part) for name, part in parts.items()}
    columns["ends"] = np.cumsum(columns["ends"], dtype=np.uint32)
    save(folder / "index", About(rate, names, about), columns)
    return Index.open(folder)


def _first_entry(shards: Sequence[Path]) -> Entry:
    for path in shards:
        for entry in read_index(path):
            return entry
    raise ShardError(f"no item in {len(shards)} shards", mend="check the manifest")


def _check_order(path: Path, last: str, entries: list[Entry]) -> str:
    """Refuse ids that do not ascend, from `last` on; return the last one."""
    for entry in entries:
        if entry.key <= last:
            raise damaged(path, f"{entry.key} comes after {last}, ids must ascend")
        last = entry.key
    return last


def _columns(path: Path, entries: list[Entry], names: list[str]) -> dict[str, np.ndarray]:
    """Return one shard's part of every column; `ends` still counts from each id's own start."""
    for entry in entries:
        if sorted(entry.fields) != names:
            raise damaged(path, f"{entry.key} has other fields than {', '.join(names)}")
    places = [[entry.fields[name] for name in names] for entry in entries]
    fields = [[(field.offset // BLOCK, field.size, field.crc) for field in row] for row in places]
    samples = [entry.samples for entry in entries]
    try:
        return {
            "ids": np.frombuffer("".join(entry.key for entry in entries).encode(), np.uint8),
            "ends": np.array([len(entry.key) for entry in entries], np.uint32),
            "samples": np.array(samples, np.uint32),
            "fields": np.array(fields, np.uint32).reshape(-1, len(names), 3),
        }
    except (OverflowError, ValueError, TypeError) as error:
        raise damaged(path, "an item exceeds 4 GB or 2^32 samples: cut it up") from error
