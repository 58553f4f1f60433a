"""One shard: a plain tar that webdataset reads as one of its own, with an index and a footer.

    <id>.clean.flac  <id>.noisy.flac  <id>.json  ...  __index__  __footer__  two zero blocks

The footer lies at a fixed distance from the end and holds the index's place and SHA-256; the index
holds place, size and CRC-32 of every field. No footer, no shard: a cut file is refused, a flipped
bit is refused or harmless. The bytes are a function of what was written, nothing else. Nothing is
ever extracted or unpickled, so links, paths and code inside a foreign tar have no effect.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import string
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from diffaudio.files import atomic
from diffaudio.log import Refusal

__all__ = ["BLOCK", "LETTERS", "LONGEST", "Entry", "Footer", "ShardError", "ShardWriter"]
__all__ += ["create", "damaged", "read_footer", "read_index"]

BLOCK = 512
VERSION = 1
_TAIL = 4 * BLOCK  # the footer's header, the footer, two zero blocks
LETTERS = string.ascii_letters + string.digits + "_-"  # of a key: a dot would end it for webdataset
LONGEST = 200  # letters in a key
_KEY = re.compile(f"[{LETTERS}]{{1,{LONGEST}}}")
_FIELD = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")  # webdataset folds capitals


class ShardError(Refusal):
    """A shard that is cut, damaged or not one of ours, or a field that cannot be stored."""


class Field(NamedTuple):
    """Where one field lies: its first byte, its size in bytes, its CRC-32."""

    offset: int
    size: int
    crc: int


class Entry(NamedTuple):
    """One item of a shard: its key, its length in samples, its fields by name."""

    key: str
    samples: int
    fields: Mapping[str, Field]


@dataclass(frozen=True)
class Footer:
    """The last member: number of entries, the index's first byte, size and SHA-256."""

    entries: int
    offset: int
    size: int
    sha256: str


class ShardWriter:
    """Adds items to an open shard; made by `create`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._position = file, 0
        self._entries: dict[str, Entry] = {}

    def write(
        self, key: str, fields: Mapping[str, bytes], meta: Mapping[str, Any], *, samples: int
    ) -> None:
        """Add one item.

        Args:
            key: 1 to 200 letters (A to Z), digits, `_` or `-`, new to this shard.
            fields: name (lower case, such as `clean.flac`, not `json`) to content.
            meta: what else is known of the item; it becomes the field `json`.
            samples: the item's length, which plans sort by.

        Raises:
            ShardError: a key or field name that webdataset would read differently, or a second
                item of the same key.
        """
        if not _KEY.fullmatch(key):
            raise ShardError(
                f"item {key!r}: not a usable id", mend="use 1 to 200 of A-Z a-z 0-9 _ and -"
            )
        if key in self._entries:
            raise ShardError(f"item {key!r}: a second item of this id", mend="give it another id")
        for name in fields:
            if not _FIELD.fullmatch(name) or name == "json":
                raise ShardError(f"item {key!r}: field {name!r} is not lower case a-z 0-9 _ - .")
        content = {**{name: fields[name] for name in sorted(fields)}, "json": _json(meta)}
        places = {name: self._member(f"{key}.{name}", data) for name, data in content.items()}
        self._entries[key] = Entry(key, samples, places)

    def finish(self) -> None:
        """Add index, footer and end of archive."""
        index = b"\n".join(_json(entry) for entry in self._entries.values())
        place = self._member("__index__", index)
        footer = Footer(
            entries=len(self._entries),
            offset=place.offset,
            size=place.size,
            sha256=hashlib.sha256(index).hexdigest(),
        )
        self._file.write(_tail(footer))

    def _member(self, name: str, data: bytes) -> Field:
        header = _header(name, len(data))
        place = Field(self._position + len(header), len(data), zlib.crc32(data))
        self._file.write(header)
        self._file.write(data)
        self._file.write(bytes(_padding(len(data))))
        self._position = place.offset + place.size + _padding(place.size)
        return place


@contextlib.contextmanager
def create(path: Path) -> Iterator[ShardWriter]:
    """Write a shard that appears under `path` only when it is complete and on the disk.

    Raises:
        Refusal: the disk is full; nothing is left behind.
    """
    with atomic(path) as file:
        writer = ShardWriter(file)
        yield writer
        writer.finish()


def read_footer(path: Path) -> Footer:
    """Read and check a shard's footer: two small reads, whatever the shard's size.

    Raises:
        ShardError: the file is missing, cut, not finished or not a shard.
    """
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - _TAIL))
            tail = file.read()
        footer = Footer(**json.loads(tail[BLOCK : 2 * BLOCK].rstrip(b"\0"))["footer"])
        whole = _tail(footer) == tail
        whole &= footer.offset + footer.size + _padding(footer.size) == end - _TAIL
    except OSError as error:
        raise damaged(path, error.strerror or "unreadable") from error
    except (ValueError, KeyError, TypeError, Refusal) as error:
        raise damaged(path, "no footer: cut, or never finished") from error
    if not whole:
        raise damaged(path, "footer and file do not agree")
    return footer


def read_index(path: Path) -> list[Entry]:
    """Read and check a shard's index, in the order of writing.

    Raises:
        ShardError: as `read_footer`; or the index is damaged or points outside of the file.
    """
    footer = read_footer(path)
    with path.open("rb") as file:
        file.seek(footer.offset)
        index = file.read(footer.size)
    if hashlib.sha256(index).hexdigest() != footer.sha256:
        raise damaged(path, "the index does not match its SHA-256")
    try:
        return [_entry(line, footer.offset) for line in index.splitlines()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, f"the index cannot be used ({error})") from error


def _json(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _padding(size: int) -> int:
    return -size % BLOCK


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)  # time 0, owner 0
    info.size, info.mode = size, 0o444
    return info.tobuf(tarfile.PAX_FORMAT)


def _tail(footer: Footer) -> bytes:
    """Return the last four blocks of a shard; reading compares them whole."""
    content = asdict(footer)
    crc = zlib.crc32(_json(content))
    text = _json({"crc": crc, "footer": content, "version": VERSION})
    return _header("__footer__", len(text)) + text + bytes(_padding(len(text)) + 2 * BLOCK)


def _entry(line: bytes, end: int) -> Entry:
    """Read one line of the index; every field must lie on a block before byte `end`."""
    key, samples, places = json.loads(line)
    fields = {name: Field(*place) for name, place in places.items()}
    for name, (offset, size, _) in fields.items():
        if not 0 <= offset <= offset + size <= end or offset % BLOCK:
            raise ValueError(f"{name} of {key} lies outside of the file")
    if not _KEY.fullmatch(key):
        raise ValueError(f"key {key!r}")
    return Entry(key, samples, fields)


def damaged(path: Path, what: str) -> ShardError:
    """Return the error for a file of a data set that cannot be used."""
    return ShardError(f"{path}: {what}", mend="write it again: `diffaudio shard`")
