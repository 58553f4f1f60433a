"""Merging the indexes of a data set's shards into the columns that `index.Index` maps."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from diffaudio.data.index import COLUMNS, VERSION, About, Index
from diffaudio.data.shards import BLOCK, Entry, ShardError, damaged, read_footer, read_index
from diffaudio.files import atomic, write_json

__all__ = ["build"]


def build(folder: Path, shards: Sequence[Path], *, rate: int) -> Index:
    """Merge the indexes of `shards`, which lie in `folder` and hold ascending ids, and open it.

    Raises:
        ShardError: a damaged shard, ids out of order, items of different fields, or a size beyond
            the index's 32-bit numbers.
    """
    names, last = sorted(_first_entry(shards).fields), ""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    about = []
    for path in shards:
        entries = read_index(path)
        last = _check_order(path, last, entries)
        for name, column in _columns(path, entries, names).items():
            parts[name].append(column)
        about.append((path.name, path.stat().st_size, len(entries), read_footer(path).sha256))
    columns = {name: np.concatenate(part) for name, part in parts.items()}
    columns["ends"] = np.cumsum(columns["ends"], dtype=np.uint32)
    crc = {name: _save(folder / "index" / f"{name}.npy", columns[name]) for name in COLUMNS}
    write_json(folder / "index" / "index.json", asdict(About(VERSION, rate, names, about, crc)))
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
    except OverflowError as error:
        raise damaged(path, "an item exceeds 4 GB or 2^32 samples: cut it up") from error


def _save(path: Path, column: np.ndarray) -> int:
    """Write a column; return the CRC-32 of its file."""
    file = io.BytesIO()
    np.save(file, column, allow_pickle=False)
    with atomic(path) as out:
        out.write(file.getbuffer())
    return zlib.crc32(file.getbuffer())
