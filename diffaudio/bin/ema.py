"""`diffaudio ema`: the weights' average over another length, made after training."""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ArgumentParser

from diffaudio.config import parse
from diffaudio.train.posthoc import synthesise

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Write a checkpoint and print its name, which `--decode.checkpoint` takes."""
    config = parse(
        argv,
        prog="diffaudio ema",
        description="Make the power-function average of any length from the snapshots of a run "
        "with train.ema_profiles. Prints the checkpoint's name, for --decode.checkpoint.",
        sections={},
        options=_options,
    )
    options = config.options
    made = synthesise(options.exp, options.sigma_rel, options.step)
    sys.stdout.write(f"{made.name}\n")
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--exp", type=Path, required=True, help="experiment to read and write")
    parser.add_argument(
        "--sigma_rel", type=float, required=True, help="length, 0.05 short to 0.2 long"
    )
    parser.add_argument("--step", type=int, help="where it ends; by default the last snapshot")
