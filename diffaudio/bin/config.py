"""`diffaudio config`: is a configuration right, and what does it come to?"""

from __future__ import annotations

import sys
from typing import Any

from diffaudio.config import parse
from diffaudio.data.audio import AudioSpec
from diffaudio.data.prepare import ShardSpec
from diffaudio.decode.spec import DecodeSpec
from diffaudio.model import Model
from diffaudio.score import ScoreSpec
from diffaudio.train.choice import check
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
    """Read every section, build every part, hold them against each other; print `ok`, or refuse.

    With --print_config the whole configuration is printed, once every part could be built.
    """
    config = parse(
        [word for word in argv if word != "--print_config"],
        prog="diffaudio config",
        description="Check every section of a configuration by building every part it names; "
        "--print_config prints what it comes to.",
        sections=EXPERIMENT,
    )
    built: dict[str, Any] = {name: config.build(cls) for name, cls in EXPERIMENT.items()}
    audio, train = built["audio"], built["train"]
    built["model"].check(audio)
    if train.valid_every:
        check(train.valid_metric, audio)
    ok = f"ok: {', '.join(EXPERIMENT)}\n"
    sys.stdout.write(config.text() if "--print_config" in argv else ok)
    return 0
