"""`diffaudio enhance`: files and folders of one's own through a trained model."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from jsonargparse import ArgumentParser

from diffaudio.config import parse
from diffaudio.decode.configuration import MODEL, check_config, read_config
from diffaudio.decode.enhance import enhance_files, pairs
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import load
from diffaudio.log import Refusal

__all__ = ["experiment", "main"]

_STANDARD = Path("-")


def main(argv: list[str]) -> int:
    """Enhance one file or all audio files below a folder."""
    exp = experiment(argv)
    config = parse(
        argv if exp is None else ["--config", str(exp / "config.yaml"), *argv],
        prog="diffaudio enhance",
        description="Enhance a file, or all audio files below a folder: any sample rate, length "
        "and number of channels. The output has the input's rate; its bandwidth is the model's.",
        sections={"decode": DecodeSpec},
        options=_options,
    )
    options = config.options
    torch.set_num_threads(options.threads or len(os.sched_getaffinity(0)))
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    with _standard(options.input, options.output) as (source, target):
        work = pairs(source, target)
        trained = read_config(options.exp / "config.yaml", sections=MODEL)
        model = load(options.exp, trained, config.build(DecodeSpec), device=device)
        enhance_files(model, work, keep_rate=options.keep_rate)
    return 0


def experiment(argv: list[str]) -> Path | None:
    """Return the folder after --exp, whose configuration other options change; None for --help.

    Raises:
        Refusal: it is not given, or holds no trained model.
    """
    if {"-h", "--help"} & set(argv):
        return None
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--exp", type=Path)
    exp: Path | None = early.parse_known_args(argv)[0].exp
    if exp is None:
        raise Refusal("--exp is missing", mend="give the folder of a trained model: --exp DIR")
    check_config(exp / "config.yaml")
    return exp


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", type=Path, help="audio file, folder, or - (stdin)")
    parser.add_argument("output", metavar="OUT", type=Path, help="file, folder, or - (stdout)")
    parser.add_argument("--exp", type=Path, help="experiment or exported folder")
    parser.add_argument(
        "--keep_rate", type=bool, default=True, help="write at the input's rate, not the model's"
    )
    parser.add_argument(
        "--device", type=Literal["auto", "cpu", "cuda"], default="auto", help="where to compute"
    )
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0 takes all")


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
