"""A data set of shards, read at random: whole items, or crops through a window into the tar."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from diffaudio.data.columns import About, Columns, load
from diffaudio.data.shards import BLOCK, ShardError, damaged, read_footer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Index", "Window"]

_BUFFER = 1 << 16  # bytes read at once for a crop
_OPEN = 64  # shards held open by one process


class Window(io.RawIOBase):
    """A read-only window into an open file, so that a decoder can seek inside one member of a tar.

    Reads by position: the descriptor's own offset is never used, so processes may share it.

    Args:
        descriptor: of a file open for reading; the window does not close it.
        offset: the window's first byte.
        size: its length in bytes.
    """

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        super().__init__()
        self.size = size
        self._descriptor, self._offset, self._position = descriptor, offset, 0

    def readable(self) -> bool:
        """A window can be read."""
        return True

    def seekable(self) -> bool:
        """A window can be sought in."""
        return True

    def tell(self) -> int:
        """Return the position inside the window."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to `offset` from the window's start, the present position or the window's end."""
        position = (0, self._position, self.size)[whence] + offset
        if position < 0:
            raise ValueError(f"seek to {position}, before the window")
        self._position = position
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer` from the window; return the number of bytes, 0 at its end."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self.size - self._position))
        count = os.preadv(self._descriptor, [view[:wanted]], self._offset + self._position)
        self._position += count
        return count


class Index:
    """A data set: rows in the order of their ids, read at random. Made by `Index.open`.

    Reads by position, so it can be used on both sides of a fork; pickled, it opens itself again.

    Attributes:
        samples: (rows,) length of each item in samples at `rate`.
        rate: Hz.
        sha256: identity of the data set: of all ids, lengths and contents (by their CRC-32).
    """

    def __init__(self, folder: Path, about: About, columns: Columns) -> None:
        self.folder = folder
        self.rate = about.rate
        self.samples = columns["samples"]
        self.sha256 = hashlib.sha256(json.dumps(about.shards).encode()).hexdigest()
        self._columns, self._fields = columns, about.fields
        self._shards = [folder / name for name, *_ in about.shards]
        self._first = np.cumsum([0] + [rows for _, _, rows, _ in about.shards])
        self._open: dict[int, io.FileIO] = {}

    @classmethod
    def open(cls, folder: Path) -> Index:
        """Open the data set in `folder`.

        Raises:
            Refusal: there is no index.
            ShardError: the index is damaged, or a shard is missing, cut, or not the one indexed.
        """
        about, columns = load(folder / "index")
        for name, size, _, sha256 in about.shards:
            found = (read_footer(folder / name).sha256, (folder / name).stat().st_size)
            if found != (sha256, size):
                raise damaged(folder / name, "is not the shard that was indexed")
        return cls(folder, about, columns)

    def __reduce__(self) -> tuple[Any, ...]:
        return Index.open, (self.folder,)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the audio stored for every row."""
        return tuple(name.split(".")[0] for name in self._fields if name.endswith(".flac"))

    def id(self, i: int) -> str:
        """Return the id of row `i`."""
        ends = self._columns["ends"]
        start = int(ends[i - 1]) if i else 0
        return bytes(self._columns["ids"][start : int(ends[i])]).decode("ascii")

    def find(self, name: str) -> int:
        """Return the row of id `name`.

        Raises:
            KeyError: no such row.
        """
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.id(middle) < name else (low, middle)
        if low == len(self) or self.id(low) != name:
            raise KeyError(name)
        return low

    def row(self, i: int) -> dict[str, Any]:
        """Return what the manifest and preparation said of row `i`, without the audio."""
        return json.loads(self._bytes(i, "json"))

    def read(self, i: int, role: str, start: int = 0, frames: int | None = None) -> np.ndarray:
        """Read audio of row `i`, all of it or a crop.

        A whole item is checked against its CRC-32. A crop touches only the bytes it needs, some
        tens of kB however long the item is; the checksums of FLAC's own frames guard it.

        Args:
            i: row.
            role: as in the manifest.
            start: first sample.
            frames: number of samples; None reads to the end.

        Returns:
            (n, a) float32, full scale 1.

        Raises:
            ShardError: the stored audio is damaged.
            ValueError: the crop does not lie inside the item.
        """
        samples = int(self.samples[i])
        count = samples - start if frames is None else frames
        if not 0 <= start <= start + count <= samples:
            raise ValueError(f"{self.id(i)}: samples {start} to {start + count} of {samples}")
        field = f"{role}.flac"
        if count == samples:
            source: io.BufferedIOBase = io.BytesIO(self._bytes(i, field))
        else:
            source = io.BufferedReader(self._place(i, field)[0], _BUFFER)
        try:
            with soundfile.SoundFile(source) as audio:
                if (audio.frames, audio.samplerate) != (samples, self.rate):
                    raise self._damaged(i, field, "its header does not match the index")
                if start:  # seeking to 0 takes time as well
                    audio.seek(start)
                crop = audio.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise self._damaged(i, field, str(error)) from error
        if len(crop) != count:
            raise self._damaged(i, field, f"{len(crop)} samples of {count} could be decoded")
        return crop

    def _place(self, i: int, field: str) -> tuple[Window, int]:
        """Return a window on a field of row `i`, and the field's CRC-32."""
        if field not in self._fields:
            raise KeyError(f"{self.folder}: no field {field}; there are {', '.join(self._fields)}")
        block, size, crc = self._columns["fields"][i, self._fields.index(field)].tolist()
        return Window(self._shard(i).fileno(), block * BLOCK, size), crc

    def _shard(self, i: int) -> io.FileIO:
        """Return the open shard of row `i`; the least recently used one gives way."""
        number = int(np.searchsorted(self._first, i, side="right")) - 1
        file = self._open.pop(number, None) or io.FileIO(self._shards[number])
        self._open[number] = file
        if len(self._open) > _OPEN:
            self._open.pop(next(iter(self._open))).close()
        return file

    def _bytes(self, i: int, field: str) -> bytes:
        window, crc = self._place(i, field)
        data = io.BufferedReader(window).read(window.size)
        if zlib.crc32(data) != crc:
            raise self._damaged(i, field, "it does not match its CRC-32")
        return data

    def _damaged(self, i: int, field: str, what: str) -> ShardError:
        return damaged(Path(str(self._shard(i).name)), f"{self.id(i)}.{field} is damaged: {what}")
