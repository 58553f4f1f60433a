"""`diffaudio generate`: sounds from nothing but what the model is told."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser

from diffaudio.bin.model import asked, opened, run_options
from diffaudio.decode.generate import generate_files

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Generate one sound, or a folder of them."""
    config = asked(
        argv,
        prog="diffaudio generate",
        description="Generate a sound from nothing, or a folder of sounds. The model is one that "
        "was trained without given audio; --decode.seed draws others.",
        options=_options,
    )
    options = config.options
    model = opened(config)
    generate_files(model, options.output, options.seconds, options.fields or {}, options.count)
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("output", metavar="OUT", type=Path, help="file; with --count a folder")
    parser.add_argument("--seconds", type=float, required=True, help="length of a sound")
    parser.add_argument("--count", type=int, help="how many: OUT/000.wav, OUT/001.wav, ...")
    parser.add_argument(
        "--fields", type=dict, help="what the model is told, {label: seven}; by default nothing"
    )
    run_options(parser)
