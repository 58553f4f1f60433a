"""`diffaudio config`: is a configuration right, and what does it come to?"""

from __future__ import annotations

import sys

from diffaudio.config import parse
from diffaudio.data.audio import AudioSpec
from diffaudio.data.prepare import ShardSpec
from diffaudio.decode.spec import DecodeSpec
from diffaudio.model import Model
from diffaudio.score import ScoreSpec
from diffaudio.train.spec import TrainSpec

__all__ = ["EXPERIMENT", "main"]

EXPERIMENT: dict[str, type] = {
    "audio": AudioSpec,
    "shard": ShardSpec,
    "model": Model,
    "train": TrainSpec,
    "decode": DecodeSpec,
    "score": ScoreSpec,
}
"""Every section of an experiment's file and the class it builds."""


def main(argv: list[str]) -> int:
    """Read every section and build every part; print `ok`, or refuse with key and place."""
    config = parse(
        argv,
        prog="diffaudio config",
        description="Check every section of a configuration by building every part it names.",
        sections=EXPERIMENT,
    )
    for cls in EXPERIMENT.values():
        config.build(cls)
    sys.stdout.write(f"ok: {', '.join(EXPERIMENT)}\n")
    return 0
