"""What is asked of scoring, and what every kind of score records of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffaudio.files import digest

__all__ = ["Request", "Work", "configuration", "trained"]


@dataclass(frozen=True)
class Request:
    """What is scored, and where the scores go.

    Args:
        data: folder of the manifests, `data/mini`.
        split: `test`.
        wavs: folder of the estimates, `exp/demo/decode/default/test`.
        exp: experiment, `exp/demo`; its log and configuration go into the report.
        out: `exp/demo/score/default/test`.
        system: the name in tables.
        recipe: the name of the recipe.
        versus: score of another system to compare with, `exp/other/score/default/test`.
    """

    data: Path
    split: str
    wavs: Path
    exp: Path
    out: Path
    system: str
    recipe: str
    versus: Path | None = None

    @property
    def manifest(self) -> Path:
        """The manifest of the test set."""
        return self.data / f"{self.split}.jsonl"


@dataclass(frozen=True)
class Work:
    """A kind of score, ready to be made.

    Args:
        named: keys of the stage: names, metrics and versions.
        read: name to digest of what it reads beside the wavs.
        outputs: what it writes, patterns of names.
        run: makes it.
    """

    named: Mapping[str, Any]
    read: Mapping[str, str]
    outputs: tuple[str, ...]
    run: Callable[[], None]


def configuration(request: Request) -> str:
    """Return the configuration that decoded, or else the one that trained."""
    for path in (request.wavs / "config.yaml", request.exp / "config.yaml"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return "not recorded"


def trained(request: Request) -> Mapping[str, str]:
    """Return, as an input of the stage, the configuration of the training, if it is there."""
    config = request.exp / "config.yaml"
    return {str(config): digest(config)} if config.is_file() else {}
