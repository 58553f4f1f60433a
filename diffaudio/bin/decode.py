"""`diffaudio decode`: every utterance of a set through a trained model."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser

from diffaudio.config import parse
from diffaudio.decode.configuration import SECTIONS
from diffaudio.decode.stage import decode_set

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Decode a set, unless that is done."""
    config = parse(
        argv,
        prog="diffaudio decode",
        description="Generate the audio of every utterance of a set with a trained model, in "
        "EXP/decode/TAG/SET.",
        sections=SECTIONS,
        options=_options,
    )
    options = config.options
    decode_set(
        config,
        data=options.data / f"{options.set}.jsonl",
        dump=options.dump / options.set,
        exp=options.exp,
        out=options.exp / "decode" / options.tag / options.set,
        workers=options.ngpu or options.nj,
        on_gpu=options.ngpu > 0,
        force=options.force,
    )
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--dump", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--exp", type=Path, required=True, help="experiment of the trained model")
    parser.add_argument("--set", default="test", help="which split of the corpus")
    parser.add_argument("--tag", default="default", help="name of this way to decode")
    parser.add_argument("--nj", type=int, default=1, help="jobs at once, on processors")
    parser.add_argument("--ngpu", type=int, default=0, help="GPUs, one job on each; 0 uses none")
    parser.add_argument("--force", action="store_true", help="decode again what is done")
