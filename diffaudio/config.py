"""Typed constructors are the only declaration of options; YAML and the command line fill them.

A file has top-level sections (`SECTIONS`), one file for the whole experiment. A command names the
sections it needs and the class that each one builds; jsonargparse reads them into the parameters
of those classes. Messages name the key, its place and what was probably meant.
"""

from __future__ import annotations

import argparse
import copy
import json
import pydoc
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentParser, set_loader

from diffaudio import strict
from diffaudio.files import write_text
from diffaudio.log import Refusal
from diffaudio.mistakes import Mistakes, flat_key, suggest

__all__ = ["SECTIONS", "Config", "make_local_found", "parse"]

SECTIONS = ("audio", "shard", "model", "train", "decode", "score", "sweep")

T = TypeVar("T")

set_loader("diffaudio", strict.scalar, exceptions=(yaml.YAMLError,))


class _Local(PathFinder):
    """Finds a recipe's own package, `local`, in the current folder, and nothing else there.

    With the whole folder on `sys.path`, any file in it could pass for a package that is missing.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find `local`; the modules in it are found by its own path."""
        if fullname != "local" or path is not None:
            return None
        return super().find_spec(fullname, [str(Path.cwd())], target)


def make_local_found() -> None:
    """Let `import local` find a recipe's own package in the current folder."""
    if _Local not in sys.meta_path:
        sys.meta_path.append(_Local)


_NEGATIVE = re.compile(rf"(?=-){strict.NUMBER}$")
"""What is a value on the command line though it begins like an option; argparse knows no -1e-3."""


class Config:
    """What a command was asked to do: its options, and sections that are built on demand.

    Args:
        sections: what file and command line gave, in plain values.
        types: section name to the class it builds.
        others: sections of the file that this command does not read; `save` keeps them.
        options: the command's own options.
    """

    def __init__(
        self,
        sections: Mapping[str, Any],
        types: Mapping[str, type],
        others: Mapping[str, Any],
        options: Any,
    ) -> None:
        self.sections, self.options = sections, options
        self._types, self._others = types, others

    def build(self, cls: type[T]) -> T:
        """Return the object of the section that was declared to build `cls`."""
        name = next(name for name, kind in self._types.items() if kind is cls)
        parser = _parser({name: cls})
        try:
            # A copy: the parser writes into mappings of classes.
            values = parser.parse_object({name: copy.deepcopy(self.sections[name])})
            built: T = parser.instantiate(values)[name]
        except (ValueError, RuntimeError, ArithmeticError) as error:  # sizes that do not fit
            raise Refusal(f"section {name}: {error}") from error
        return built

    def of(self, sections: Mapping[str, Any]) -> Config:
        """Return a configuration with other values in its sections, of the same types."""
        return Config(sections, self._types, self._others, self.options)

    def keys(self, *sections: str) -> dict[str, Any]:
        """Return the flat keys of `sections`: {"audio.rate": 16000, "model.net": "...", ...}."""
        flat: dict[str, Any] = {}
        for name in sections:
            _flatten(name, self.sections[name], flat)
        return flat

    def usual(self, key: str) -> bool:
        """Say whether a flat key has its default: without it the sections come to the same.

        A record that lacks such a key is of a time before the key was there, and no change.
        """
        name = key.partition(".")[0]
        if name not in self._types:
            return False
        parser = _parser({name: self._types[name]})
        try:
            values = parser.parse_object({name: _without(name, self.sections[name], key)})
        except argparse.ArgumentError:  # it has no default
            return False
        plain = json.loads(parser.dump(values, format="json", skip_unset=False))
        return bool(plain[name] == self.sections[name])

    def text(self) -> str:
        """Return the resolved configuration as YAML that `parse` reads back identically."""
        whole = {**self._others, **self.sections}
        return strict.dump({name: whole[name] for name in SECTIONS if name in whole})

    def save(self, path: Path) -> None:
        """Write the resolved configuration to `path`."""
        write_text(path, self.text())


def parse(
    argv: Sequence[str],
    *,
    prog: str,
    description: str,
    sections: Mapping[str, type],
    options: Callable[[ArgumentParser], Any] | None = None,
) -> Config:
    """Read `--config` files (merged left to right) and the command line, which wins.

    Args:
        argv: the arguments after the verb.
        prog: the command's name in help and messages: `diffaudio train`.
        description: one or two sentences for `--help`.
        sections: name in `SECTIONS` to the class whose parameters it holds.
        options: adds the command's own options with `parser.add_argument`.

    Raises:
        Refusal: an unknown, missing, mistyped or duplicate key, with its place and a suggestion.
    """
    make_local_found()
    early, rest = _early(argv)
    given, places = _read(early.config)
    places.update({flat_key(word): "command line" for word in rest if word.startswith("--")})
    parser = _parser(sections, prog=prog, description=description)
    if sections:
        parser.add_argument("--config", action="config", help="YAML; several are merged in turn")
    if options:
        options(parser)
    _refuse_groups(parser, rest)
    mine = {name: value for name, value in given.items() if name in sections}
    try:
        found = parser.parse_args(["--config", strict.dump(mine), *rest] if mine else rest)
    except argparse.ArgumentError as error:
        raise Mistakes(parser, sections, places).explain(str(error)) from error
    plain = json.loads(parser.dump(found, format="json", skip_unset=False))
    _refuse_functions("", {name: plain[name] for name in sections})
    config = Config(
        {name: plain[name] for name in sections},
        sections,
        {name: value for name, value in given.items() if name not in sections},
        found,
    )
    if early.print_config:
        sys.stdout.write(config.text())
        raise SystemExit(0)
    return config


def _parser(sections: Mapping[str, type], prog: str = "", description: str = "") -> ArgumentParser:
    parser = ArgumentParser(
        prog=prog,
        description=description,
        parser_mode="diffaudio",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser._negative_number_matcher = _NEGATIVE
    for name, cls in sections.items():
        parser.add_class_arguments(cls, name)
    return parser


def _early(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return what is read before everything else, and the other arguments."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early._negative_number_matcher = _NEGATIVE
    early.add_argument("--config", action="append", default=[], type=Path)
    early.add_argument("--print_config", action="store_true")
    try:
        return early.parse_known_args(argv)
    except argparse.ArgumentError as error:
        raise Refusal(str(error)) from error


def _read(paths: Iterable[Path]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the merged files, and where each flat key was given last."""
    merged: dict[str, Any] = {}
    places: dict[str, str] = {}
    for path in paths:
        for name, value in strict.load(path, places).items():
            if name not in SECTIONS:
                place = places.get(str(name), str(path))
                raise Refusal(f"{place}: no section {name!r}", mend=suggest(str(name), SECTIONS))
            if value is not None and not isinstance(value, dict):
                raise Refusal(f"{places[name]}: {name}: expected keys and values, got {value!r}")
            merged[name] = strict.merge(merged.get(name, {}), value or {})
    return merged, places


def _refuse_groups(parser: ArgumentParser, words: Iterable[str]) -> None:
    """Let no flag read a file of its own: what `--config` checks would not be checked there."""
    for action in parser._actions:
        if action.metavar != "CONFIG":  # how jsonargparse marks the flag of a group
            continue
        action.help = argparse.SUPPRESS
        for word in words:
            if word.startswith("--") and flat_key(word) == action.dest:
                raise Refusal(
                    f"command line: {word.split('=')[0]}: a group of keys, not a key",
                    mend=f"give files with --config, single values as --{action.dest}.KEY VALUE",
                )


def _refuse_functions(key: str, value: Any) -> None:
    """Let a file choose among classes only: `os.system` with a command is no network."""
    if isinstance(value, dict):
        name = value.get("class_path")
        if name is not None and not isinstance(pydoc.locate(name), type):
            raise Refusal(f"{key}: {name} is not a class")
        for part, inner in value.items():
            _refuse_functions(f"{key}.{part}".lstrip("."), inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _refuse_functions(f"{key}.{number}", inner)


def _flatten(key: str, value: Any, flat: dict[str, Any]) -> None:
    if isinstance(value, dict):
        if "class_path" in value:
            flat[key] = value["class_path"]
        for name, inner in value.get("init_args", value).items():
            if name != "class_path":
                _flatten(f"{key}.{name}", inner, flat)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            _flatten(f"{key}.{number}", item, flat)
    else:
        flat[key] = value


def _without(key: str, value: Any, gone: str) -> Any:
    """Return `value`, whose flat key is `key`, without what has the flat key `gone`."""
    if isinstance(value, list):
        flat = [(f"{key}.{number}", item) for number, item in enumerate(value)]
        return [_without(name, item, gone) for name, item in flat if name != gone]
    if not isinstance(value, dict):
        return value
    names = {name: key if name == "init_args" else f"{key}.{name}" for name in value}
    return {name: _without(names[name], value[name], gone) for name in value if names[name] != gone}
