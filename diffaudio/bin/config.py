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
    """Read every section and build every part; print `ok`, or refuse with key and place.

    With --print_config the whole configuration is printed, once every part could be built.
    """
    config = parse(
        [word for word in argv if word != "--print_config"],
        prog="diffaudio config",
        description="Check every section of a configuration by building every part it names; "
        "--print_config prints what it comes to.",
        sections=EXPERIMENT,
    )
    for cls in EXPERIMENT.values():
        config.build(cls)
    ok = f"ok: {', '.join(EXPERIMENT)}\n"
    sys.stdout.write(config.text() if "--print_config" in argv else ok)
    return 0
