"""`diffaudio export`: a trained model as one portable folder."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser

from diffaudio.bin.model import asked
from diffaudio.decode.configuration import SECTIONS
from diffaudio.decode.export import export

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Write weights, configuration and model card into one folder."""
    config = asked(
        argv,
        prog="diffaudio export",
        description="Pack a trained model, and its vocoder, into one folder that `diffaudio "
        "enhance`, `say`, `generate`, `restore` and `diffaudio.load` take on any machine. A voice "
        "that reads phonemes also needs the dictionary that tools/install.sh installs.",
        sections=SECTIONS,
        options=_options,
    )
    options = config.options
    export(options.exp, options.out, config, data=options.data, force=options.force)
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--exp", type=Path, required=True, help="experiment of the trained model")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--data", type=Path, help="manifests it was trained on, for the model card")
    parser.add_argument("--force", action="store_true", help="replace what was exported before")
