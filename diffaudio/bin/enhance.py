"""`diffaudio enhance`: files and folders of one's own through a trained model."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jsonargparse import ArgumentParser

from diffaudio.bin.model import asked, opened, run_options
from diffaudio.decode.enhance import enhance_files, pairs

__all__ = ["main"]

_STANDARD = Path("-")


def main(argv: list[str]) -> int:
    """Enhance one file or all audio files below a folder."""
    config = asked(
        argv,
        prog="diffaudio enhance",
        description="Enhance a file, or all audio files below a folder: any sample rate, length "
        "and number of channels. The output has the input's rate; its bandwidth is the model's.",
        options=_options,
    )
    options = config.options
    with _standard(options.input, options.output) as (source, target):
        work = pairs(source, target)
        enhance_files(opened(config), work, keep_rate=options.keep_rate)
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", type=Path, help="audio file, folder, or - (stdin)")
    parser.add_argument("output", metavar="OUT", type=Path, help="file, folder, or - (stdout)")
    parser.add_argument(
        "--keep_rate", type=bool, default=True, help="write at the input's rate, not the model's"
    )
    run_options(parser)


@contextlib.contextmanager
def _standard(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Let `-` stand for standard input and output: WAV, passed on when it is whole."""
    with tempfile.TemporaryDirectory(prefix="diffaudio-") as name:
        inner, outer = Path(name) / "stdin.wav", Path(name) / "stdout.wav"
        if source == _STANDARD:
            with inner.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        yield inner if source == _STANDARD else source, outer if target == _STANDARD else target
        if target == _STANDARD:
            with outer.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
