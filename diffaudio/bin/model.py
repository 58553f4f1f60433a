"""A trained model as commands use it: opened from --exp, its sampler and sizes as asked for."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from jsonargparse import ArgumentParser

from diffaudio.config import Config, parse
from diffaudio.decode.configuration import MODEL, check_config, read_config
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained, load
from diffaudio.decode.vocoder import with_vocoder
from diffaudio.log import Refusal

__all__ = ["asked", "opened", "run_options"]


def asked(
    argv: list[str],
    *,
    prog: str,
    description: str,
    options: Callable[[ArgumentParser], Any],
    sections: Mapping[str, type] | None = None,
) -> Config:
    """Read a command line that changes the configuration of the model in --exp.

    Args:
        argv: the arguments after the verb.
        prog: the command's name.
        description: for --help.
        options: adds the command's own, --exp among them.
        sections: those that may be changed; by default how the model is run.

    Raises:
        Refusal: there is no such model, or an option is none.
    """
    exp = _experiment(argv)
    return parse(
        argv if exp is None else ["--config", str(exp / "config.yaml"), *argv],
        prog=prog,
        description=f"{description} Defaults shown here are those of options that neither the "
        "command nor the model's config.yaml gives.",
        sections=sections or {"decode": DecodeSpec},
        options=options,
    )


def run_options(parser: ArgumentParser) -> None:
    """Add what `opened` reads."""
    parser.add_argument("--exp", type=Path, help="experiment or exported folder")
    places = Literal["auto", "cpu", "cuda"]
    parser.add_argument("--device", type=places, default="auto", help="where to compute")
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0 takes all")


def opened(config: Config, *, vocoder: bool = True) -> Trained:
    """Return the model that `asked` has named, where it shall run.

    Args:
        config: as `asked` returns it.
        vocoder: whether mels become sound: by the one that is asked for, or without, and says so.
    """
    options = config.options
    if options.threads < 0:
        raise Refusal(f"--threads {options.threads}: is negative", mend="0 takes all processors")
    torch.set_num_threads(options.threads or len(os.sched_getaffinity(0)))
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    own = read_config(options.exp / "config.yaml", sections=MODEL)
    trained = load(options.exp, own, config.build(DecodeSpec), device=device)
    return with_vocoder(trained, options.exp) if vocoder else trained


def _experiment(argv: list[str]) -> Path | None:
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
