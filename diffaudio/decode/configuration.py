"""The configuration of a trained model, which may come from elsewhere: read, and not trusted."""

from __future__ import annotations

import copy
import importlib.util
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffaudio import strict
from diffaudio.config import Config, make_local_found, parse
from diffaudio.data.audio import AudioSpec
from diffaudio.decode.spec import DecodeSpec
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.text import held_files

__all__ = ["MODEL", "SECTIONS", "check_config", "own_classes", "read_config", "with_front_end"]

MODEL: dict[str, type] = {"audio": AudioSpec, "model": Model}  # what was trained
SECTIONS: dict[str, type] = {**MODEL, "decode": DecodeSpec}  # and how to run it
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_OWN = ("diffaudio.", "local.")


def check_config(path: Path) -> None:
    """Check that a configuration from elsewhere is there and cannot choose what code runs here.

    Raises:
        Refusal: it is missing or broken, or names code that is neither diffaudio's nor the
            recipe's own (`local.*`); or that own code would come from the model's folder itself.
    """
    if not path.is_file():
        raise Refusal(
            f"{path}: no such file, so {path.parent} is no trained model",
            mend="give an experiment (exp/NAME) or a folder that `diffaudio export` made",
        )
    content = strict.load(path, {})
    _refuse_foreign(content, path)
    if "local." in strict.dump(content):
        _refuse_inside(path.parent)


def _refuse_inside(folder: Path) -> None:
    """Refuse a package `local` that would be found in a model's folder: it may be a stranger's."""
    make_local_found()
    spec = importlib.util.find_spec("local")
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    for place in places:
        if place and Path(place).resolve().is_relative_to(folder.resolve()):
            raise Refusal(
                f"{place}: lies in the folder of the model, whose code is never run",
                mend="change to the recipe's folder, whose local/ you trust, and give --exp from "
                "there",
            )


def read_config(
    path: Path, overrides: Sequence[str] = (), *, sections: Mapping[str, type] = SECTIONS
) -> Config:
    """Read a trained model's configuration, having checked it.

    Args:
        path: the config.yaml of an experiment or of an exported folder.
        overrides: as on a command line, `["--decode.sampler.calls", "1"]`.
        sections: those that are wanted.

    Raises:
        Refusal: as `check_config`, or an override names no key.
    """
    check_config(path)
    return parse(
        ["--config", str(path), *overrides],
        prog="diffaudio",
        description="A trained model's configuration.",
        sections=sections,
    )


def with_front_end(config: Config, folder: Path, shown: str | None = None) -> Config:
    """Return the configuration with the front end's files where they are: beside the model.

    The configuration itself names them where they were when it was written, or not at all: pieces
    are learned in stage 3.

    Args:
        config: section model among others.
        folder: of the model, or of what stage 3 has read.
        shown: the folder that the configuration names instead.
    """
    sections = copy.deepcopy(dict(config.sections))
    if sections["model"]["prior"] is None:
        return config
    units = sections["model"]["prior"]["init_args"]["front_end"]["units"]
    held = held_files(folder, units["class_path"])
    if not held:
        return config
    place = folder if shown is None else shown
    units["init_args"].update({field: f"{place}/{path.name}" for field, path in held.items()})
    return config.of(sections)


def own_classes(config: Config) -> list[str]:
    """Return the recipe's own classes (`local.*`) that the model or its sampler is made of."""
    values = config.keys(*SECTIONS).values()
    return sorted({str(value) for value in values if str(value).startswith("local.")})


def _refuse_foreign(value: Any, path: Path, key: str = "") -> None:
    """Refuse a dotted name, wherever it stands, that would import anything but our own code."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_foreign(inner, path, name)
    elif isinstance(value, list):
        for inner in value:
            _refuse_foreign(inner, path, key)
    elif isinstance(value, str) and _DOTTED.fullmatch(value) and not value.startswith(_OWN):
        if key != "class_path" and not _importable(value):
            return  # the name of a file, words.tsv
        raise Refusal(
            f"{path}: names {value}; only classes of diffaudio.* and local.* are accepted",
            mend="a class of your own belongs in the recipe's local/; distrust a model whose "
            "configuration asks for others",
        )


def _importable(name: str) -> bool:
    """Say whether there is a package or module that a dotted name begins with; none is run."""
    try:
        return importlib.util.find_spec(name.partition(".")[0]) is not None
    except ValueError:  # a module that runs already and was found nowhere
        return True
