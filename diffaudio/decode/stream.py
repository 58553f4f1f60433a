"""Audio files as streams: read in blocks, at another rate, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr

from diffaudio.files import atomic
from diffaudio.log import Refusal, log

__all__ = [
    "Encoding",
    "blocks",
    "exactly",
    "reading",
    "refuse_same",
    "resampled",
    "shown",
    "writing",
]

_SECONDS = 1.0  # of audio in a block
_STREAMED = 0x7FFFF000  # a writer that cannot seek leaves sizes from here on: the length is unknown
_SIZES = re.compile(
    r"^ *(?:data|SSND|Data Size|Riff size|riff) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)


def shown(path: Path) -> str:
    """Return a path for messages: on one line, whatever characters its name holds."""
    text = str(path)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@dataclass(frozen=True)
class Encoding:
    """How samples are stored: container and sample format, as libsndfile names them."""

    format: str
    subtype: str

    @classmethod
    def named(cls, path: Path) -> Encoding:
        """Return what a file's suffix asks for: the container, with its usual sample format.

        Raises:
            Refusal: the suffix is of no format that can be written.
        """
        if path.is_dir():
            raise Refusal(f"{shown(path)}: is a folder", mend="name a file in it, with its suffix")
        suffix = path.suffix.lower()
        name = {".aif": "AIFF", ".oga": "OGG", ".opus": "OGG"}.get(suffix, suffix[1:].upper())
        if name not in soundfile.available_formats() or name == "RAW":
            raise Refusal(
                f"{shown(path)}: {suffix or 'no suffix'} is not a format that can be written",
                mend="end the output's name in .wav, .flac, .ogg or .mp3",
            )
        return cls(name, "OPUS" if suffix == ".opus" else soundfile.default_subtype(name))

    @classmethod
    def of(cls, target: Path, source: Path, sound: soundfile.SoundFile) -> Encoding:
        """Return what a file's suffix asks for: that of the sound it is made from, if it is one."""
        if target.suffix.lower() == source.suffix.lower():
            return cls(sound.format, sound.subtype)
        return cls.named(target)


def refuse_same(source: Path, target: Path) -> None:
    """Refuse an output that would replace its input."""
    if target.exists() and source.exists() and target.samefile(source):
        raise Refusal(f"{shown(target)}: output and input are one file", mend="give another output")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open an audio file.

    Raises:
        Refusal: it is missing, a folder, empty, not audio, cut short or holds no samples.
    """
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise Refusal(f"{shown(path)}: cannot be read ({error.strerror})") from error
    if size == 0:
        raise Refusal(f"{shown(path)}: empty file (0 bytes)", mend="copy or record it again")
    try:
        sound = soundfile.SoundFile(os.fsencode(path))
    except soundfile.LibsndfileError as error:
        raise Refusal(
            f"{shown(path)}: not an audio file that can be read ({error.error_string})",
            mend="wav, flac, ogg and mp3 can be; convert others first, with ffmpeg for example",
        ) from error
    with sound:
        if sound.frames == 0:
            raise Refusal(f"{shown(path)}: holds no samples", mend="copy or record it again")
        if cut := _SIZES.search(sound.extra_info):
            stated, found = int(cut[1]), int(cut[2])
            if found < stated < _STREAMED:
                raise _truncated(path, f"{found} bytes of audio of the {stated} it states")
        yield sound


def _truncated(path: Path, what: str) -> Refusal:
    return Refusal(f"{shown(path)}: cut short ({what})", mend="copy or record it again")


def blocks(path: Path, sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """Yield a file's samples in order, (n, a) float32, about one second at a time.

    Raises:
        Refusal: the file ends early or is damaged, or a sample is not a finite number.
    """
    size = max(int(sound.samplerate * _SECONDS), 1)
    done = 0
    while done < sound.frames:
        try:
            block = sound.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            where = f"at {done / sound.samplerate:.2f} s: {error.error_string}"
            raise _truncated(path, where) from error
        if not len(block):
            raise _truncated(path, f"{done} samples of the {sound.frames} it states")
        if not np.isfinite(block).all():
            bad = done + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise Refusal(
                f"{shown(path)}: a sample is not a number, at {bad / sound.samplerate:.3f} s",
                mend="mend or leave out this file",
            )
        done += len(block)
        yield block


def resampled(
    pieces: Iterable[np.ndarray], rate_in: int, rate_out: int, channels: int
) -> Iterator[np.ndarray]:
    """Yield the same sound at another rate (soxr, high quality), without delay."""
    if rate_in == rate_out:
        yield from pieces
        return
    stream = soxr.ResampleStream(rate_in, rate_out, channels, dtype="float32", quality="HQ")
    for piece in pieces:
        yield stream.resample_chunk(np.ascontiguousarray(piece, dtype=np.float32))
    yield stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)


def exactly(pieces: Iterable[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    """Yield `samples` samples of a stream: rounding of rates may leave one too many or too few."""
    left = samples
    channels = 1
    for piece in pieces:
        channels = piece.shape[1]
        yield piece[:left]
        left -= len(piece[:left])
    if left:
        yield np.zeros((left, channels), np.float32)


class _Kept:
    """A file for libsndfile, which drops the reason of a failed write: this keeps it.

    What libsndfile calls may not raise: the trace would be printed and the error be lost. Moving
    in a file writes, too: what was buffered.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.tell, self.read = file.tell, file.read
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        return self._kept(self.file.write, data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._kept(self.file.seek, offset, whence)

    def _kept(self, call: Callable[..., int], *args: bytes | int) -> int:
        try:
            return call(*args)
        except OSError as error:
            self.error = self.error or error
            return 0


@contextlib.contextmanager
def writing(
    path: Path, rate: int, channels: int, encoding: Encoding
) -> Iterator[Callable[[np.ndarray], None]]:
    """Yield a function that appends (n, a) samples to a file that appears whole or not at all.

    Sample formats of integers end at full scale: what is beyond is clipped, counted and reported.

    Raises:
        Refusal: the disk is full, the folder may not be written, the format cannot take this, or
            samples are not finite.
    """
    clipped = 0
    integers = encoding.subtype not in {"FLOAT", "DOUBLE"}

    def write(samples: np.ndarray) -> None:
        nonlocal clipped
        if not np.isfinite(samples).all():
            raise Refusal(
                f"{shown(path)}: samples that are not numbers came out of the model",
                mend="compute in --decode.precision fp32; if it stays, the weights are damaged",
            )
        if integers:
            clipped += int((np.abs(samples) > 1).sum())
            samples = np.clip(samples, -1, 1)
        with _blame(path, kept):
            sound.write(samples)

    with atomic(path) as file:
        kept = _Kept(file)
        with _blame(path, kept):
            sound = soundfile.SoundFile(
                kept, "w", rate, channels, encoding.subtype, format=encoding.format
            )
        try:
            yield write
        finally:
            with _blame(path, kept):
                sound.close()
    if clipped:
        log.warning("%s: %d samples beyond full scale were clipped", shown(path), clipped)


@contextlib.contextmanager
def _blame(path: Path, kept: _Kept) -> Iterator[None]:
    """Raise the reason why libsndfile could not write."""
    try:
        yield
    except (soundfile.SoundFileError, AssertionError, ValueError) as error:
        if not kept.error:
            raise Refusal(
                f"{shown(path)}: this format cannot take it ({error})",
                mend="end the output's name in .wav",
            ) from error
    if kept.error:
        raise kept.error
