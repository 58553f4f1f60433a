"""The files of a data set's merged index: columns of numbers, mapped into memory when read.

    dump/<split>/index/index.json   rate, fields, shards with their sizes and digests
                       ids.npy      all ids, one after another in ASCII, ascending
                       ends.npy     (rows,) where each id ends in ids.npy
                       samples.npy  (rows,) length of each item
                       fields.npy   (rows, fields, 3) first block in the tar, bytes, CRC-32

All numbers are 32-bit, so that a million rows of two roles take some 60 MB, shared by all processes
that read them. The index says nothing that the shards do not say.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from diffaudio.data.shards import LETTERS, LONGEST, damaged
from diffaudio.files import atomic, read_json, write_json

__all__ = ["NAMES", "About", "Columns", "load", "save"]

VERSION = 1
_LETTERS = np.zeros(256, dtype=bool)
_LETTERS[list(LETTERS.encode())] = True
NAMES = ("ids", "ends", "samples", "fields")

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class About:
    """What index.json says.

    Args:
        rate: of the audio in Hz.
        fields: their names, in the order of the column `fields`.
        shards: (name, bytes, rows, SHA-256 of the index inside), in the order of the rows.
    """

    rate: int
    fields: list[str]
    shards: list[tuple[str, int, int, str]]


def save(folder: Path, about: About, columns: Columns) -> None:
    """Write an index, index.json last.

    Args:
        folder: of the index; it is made.
        about: what cannot be a column.
        columns: one array for each of `NAMES`.
    """
    crc = {}
    for name in NAMES:
        file = io.BytesIO()
        np.save(file, columns[name], allow_pickle=False)
        with atomic(folder / f"{name}.npy") as out:
            out.write(file.getbuffer())
        crc[name] = zlib.crc32(file.getbuffer())
    write_json(folder / "index.json", {"version": VERSION, "crc": crc, **asdict(about)})


def load(folder: Path) -> tuple[About, Columns]:
    """Read what `save` wrote; the columns stay on the disk and are checked by their CRC-32.

    Raises:
        Refusal: there is no index.
        ShardError: it is damaged, or from another version of this program.
    """
    path = folder / "index.json"
    held = read_json(path)
    try:
        version, recorded = held.pop("version"), held.pop("crc")
        crc = {name: recorded[name] for name in NAMES}
        about = About(**held)
    except (TypeError, KeyError, AttributeError) as error:
        raise damaged(path, f"is not an index ({error})") from error
    if version != VERSION:
        raise damaged(path, f"has version {version}, this program reads {VERSION}")
    columns = {name: _column(folder / f"{name}.npy", crc[name]) for name in NAMES}
    _check_ids(folder, columns["ids"], columns["ends"])
    for name, *_ in about.shards:
        if Path(name).name != name:
            raise damaged(path, f"the shard {name!r} does not lie beside it")
    return about, columns


def _check_ids(folder: Path, ids: np.ndarray, ends: np.ndarray) -> None:
    """Refuse ids that a shard would not hold: they become names of files. A million take 20 ms.

    Raises:
        ShardError: an id that is empty, too long or of other letters, or columns that do not fit.
    """
    if (ids.dtype.name, ids.ndim, ends.dtype.name, ends.ndim) != ("uint8", 1, "uint32", 1):
        raise damaged(folder / "ids.npy", "is not a column of ids")
    lengths = np.diff(ends.astype(np.int64), prepend=0)
    if not _LETTERS[ids].all() or len(ids) != lengths.sum():
        raise damaged(folder / "ids.npy", "holds letters that no id may have, or is cut")
    if len(lengths) and not 1 <= lengths.min() <= lengths.max() <= LONGEST:
        raise damaged(folder / "ends.npy", f"an id has not 1 to {LONGEST} letters")


def _column(path: Path, crc: int) -> np.ndarray:
    found = 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                found = zlib.crc32(block, found)
        if found != crc:
            raise damaged(path, "does not match its CRC-32")
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise damaged(path, f"cannot be read ({error})") from error
