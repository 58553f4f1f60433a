"""Files of any rate, length and number of channels through a trained model, as streams.

Each channel is enhanced by itself; memory holds a few chunks, whatever the length. The output has
the input's rate, channels and length; its bandwidth is the model's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from diffaudio.data import plan
from diffaudio.decode.stream import (
    Encoding,
    blocks,
    exactly,
    reading,
    refuse_same,
    resampled,
    shown,
    writing,
)
from diffaudio.decode.trained import Trained
from diffaudio.log import Refusal, log

__all__ = ["SUFFIXES", "enhance_file", "enhance_files", "enhanced", "pairs"]

SUFFIXES = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".caf", ".w64"}


def enhanced(
    trained: Trained,
    pieces: Iterable[np.ndarray],
    *,
    name: str,
    rate: int,
    rate_out: int,
    channels: int,
    samples: int,
) -> Iterator[np.ndarray]:
    """Yield a stream enhanced, in blocks (n, a); the same sound and seed give the same output.

    Args:
        trained: the model.
        pieces: consecutive blocks (n, a).
        name: of the input, for messages.
        rate: of the input, in Hz.
        rate_out: of the output, in Hz.
        channels: a.
        samples: of the input, in all.

    Raises:
        Refusal: the model takes several channels at once and these do not divide by them.
    """
    if channels % trained.audio.channels:
        raise Refusal(
            f"{name}: {channels} channels, but the model takes {trained.audio.channels} at a time",
            mend="convert it to as many channels, or use a model for one channel",
        )
    given = resampled(pieces, rate, trained.audio.rate, channels)
    made = trained.stream(given, partial(plan.key, trained.spec.seed))
    back = resampled(made, trained.audio.rate, rate_out, channels)
    return exactly(back, -(-samples * rate_out // rate))


def enhance_file(
    trained: Trained,
    source: Path,
    target: Path,
    *,
    keep_rate: bool = True,
    advance: Callable[[float], object] = lambda _: None,
) -> None:
    """Enhance one audio file into another, which appears whole or not at all.

    Args:
        trained: the model.
        source: the input.
        target: the output; its suffix is its format, the input's sample format is kept.
        keep_rate: write at the input's rate rather than the model's.
        advance: told of each block's seconds when it is read.

    Raises:
        Refusal: the input is not usable audio or the output cannot be written.
    """
    refuse_same(source, target)
    with reading(source) as sound:
        rate, channels, model = sound.samplerate, sound.channels, trained.audio.rate
        rate_out = rate if keep_rate else model
        started = time.perf_counter()
        encoding = Encoding.of(target, source, sound)
        log.info("%s: %s", shown(source), _what(sound.frames, rate, rate_out, channels, model))

        def told() -> Iterator[np.ndarray]:
            for block in blocks(source, sound):
                advance(len(block) / rate)
                yield block

        stream = enhanced(
            trained,
            told(),
            name=shown(source),
            rate=rate,
            rate_out=rate_out,
            channels=channels,
            samples=sound.frames,
        )
        try:
            with writing(target, rate_out, channels, encoding) as write:
                for block in stream:
                    write(block)
        except OSError as error:
            raise Refusal(
                f"{shown(target)}: cannot be written ({error.strerror})",
                mend="choose a folder that may be written",
            ) from error
        factor = (time.perf_counter() - started) * rate / sound.frames
        log.info("%s: written, real-time factor %.3g", shown(target), factor)


def _what(frames: int, rate: int, rate_out: int, channels: int, model: int) -> str:
    """Say how long the input is and what becomes of its rate."""
    text = f"{frames / rate:.1f} s, {channels} channel{'s' * (channels > 1)}, {rate} Hz"
    if rate != model:
        text += f"; resampled to the model's {model} Hz"
        text += " and back" if rate_out == rate else ""
    if rate_out > model:
        text += f", so nothing above {model // 2} Hz is left"
    return text


def pairs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Return which file becomes which: one, or all audio files below a folder, mirrored.

    Hidden files, files without an audio suffix and whatever is below `target` are left alone.

    Raises:
        Refusal: there is nothing to do, or an output would replace an input.
    """
    if not source.is_dir():
        if target.is_dir():
            raise Refusal(
                f"{shown(target)}: is a folder, but {shown(source)} is one file",
                mend=f"give a file, such as {shown(target / source.name)}",
            )
        return [(source, target)]
    if target.exists() and not target.is_dir():
        raise Refusal(
            f"{shown(target)}: is a file, but {shown(source)} is a folder",
            mend="give a folder for the output",
        )
    found, others = _below(source, target.resolve())
    if not found:
        raise Refusal(
            f"{shown(source)}: no audio files ({', '.join(sorted(SUFFIXES))})",
            mend="give a file, or a folder that holds some",
        )
    if others:
        log.info("%s: %d files without an audio suffix are left alone", shown(source), others)
    result = [(path, target / path.relative_to(source)) for path in found]
    inputs = {path.resolve() for path in found}
    for path, out in result:
        if out.resolve() in inputs:
            raise Refusal(
                f"{shown(out)}: would be replaced by {shown(path)} enhanced, but is an input",
                mend="give another folder for the output",
            )
    return result


def _below(source: Path, target: Path) -> tuple[list[Path], int]:
    """Return the audio files below `source` in order, and how many other files there are."""
    found, others = [], 0
    for root, folders, names in os.walk(source):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (Path(root) / name).resolve() != target
        )
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(root) / name
            if path.suffix.lower() in SUFFIXES:
                found.append(path)
            else:
                others += 1
    return found, others


def enhance_files(
    trained: Trained, work: list[tuple[Path, Path]], *, keep_rate: bool = True
) -> None:
    """Enhance files one after another, with a progress line; a bad one does not stop the others.

    Raises:
        Refusal: at the end, with the list of the files that could not be enhanced and why.
    """
    failed: list[Refusal] = []
    total = round(sum(_seconds(source) for source, _ in work), 1)
    with (
        logging_redirect_tqdm([log]),
        tqdm(total=total, unit="s", desc="enhance", disable=None) as bar,  # for eyes, not logs
    ):
        for source, target in work:
            try:
                enhance_file(trained, source, target, keep_rate=keep_rate, advance=bar.update)
            except Refusal as refusal:
                if len(work) == 1:
                    raise
                log.error("%s", refusal)
                failed.append(refusal)
    if failed:
        listed = "".join(f"\n  {refusal.message}" for refusal in failed)
        raise Refusal(
            f"{len(failed)} of {len(work)} files could not be enhanced:{listed}",
            mend="the others are done; mend these and run again",
        )


def _seconds(path: Path) -> float:
    """Return a file's duration for the progress line; 0 where it cannot be read."""
    try:
        with reading(path) as sound:
            return float(sound.frames / sound.samplerate)
    except Refusal:
        return 0.0
