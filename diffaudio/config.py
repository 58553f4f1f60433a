"""Typed constructors are the only declaration of options; a YAML file and the command line fill them.

A file has top-level sections (`SECTIONS`), one file for the whole experiment. A command names the
sections it needs and the class that each one builds; jsonargparse reads them into the parameters
of those classes. Messages name the key, its place and what was probably meant.
"""

from __future__ import annotations

import argparse
import difflib
import json
import pydoc
import re
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import isabstract, signature
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentParser, Namespace, set_loader

from diffaudio import strict
from diffaudio.files import write_text
from diffaudio.log import Refusal

__all__ = ["SECTIONS", "Config", "parse", "suggest"]

SECTIONS = ("audio", "shard", "model", "train", "decode", "score")

T = TypeVar("T")

set_loader("diffaudio", strict.scalar, exceptions=(yaml.YAMLError,))


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?`, or `one of: ...` when nothing known is like `word`."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"one of: {', '.join(names)}" if names else ""


class Config:
    """What a command was asked to do: its options, and sections that are built on demand.

    Args:
        values: what file and command line gave for the sections.
        types: section name to the class it builds.
        others: sections of the file that this command does not read; `save` keeps them.
        options: the command's own options.
    """

    def __init__(
        self,
        values: Namespace,
        types: Mapping[str, type],
        others: Mapping[str, Any],
        options: Namespace,
    ) -> None:
        self.options: Any = options
        self._values, self._types, self._others = values, types, others
        plain = _parser(types).dump(values, format="json", skip_none=False)
        self.sections: dict[str, Any] = json.loads(plain)

    def build(self, cls: type[T]) -> T:
        """Return the object of the section that was declared to build `cls`."""
        name = next(name for name, kind in self._types.items() if kind is cls)
        parser = _parser({name: cls})
        try:
            return parser.instantiate_classes(Namespace(**{name: self._values[name]}))[name]
        except (TypeError, ValueError) as error:
            raise Refusal(f"{name}: cannot be built: {error}") from error

    def keys(self, *sections: str) -> dict[str, Any]:
        """Return the flat keys of `sections`: {"audio.rate": 16000, "model.net": "...", ...}."""
        flat: dict[str, Any] = {}
        for name in sections:
            _flatten(name, self.sections[name], flat)
        return flat

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
    if str(Path.cwd()) not in sys.path:  # a recipe brings its own classes: local.nets.MyNet
        sys.path.insert(0, str(Path.cwd()))
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--config", action="append", default=[], type=Path)
    files, rest = early.parse_known_args(argv)
    given, places = _read(files.config)
    places.update({_key(word): "command line" for word in rest if word.startswith("--")})
    parser = _parser(sections, prog=prog, description=description)
    own = parser.add_argument_group("options")
    own.add_argument("--config", action="config", metavar="FILE", help="YAML; several are merged")
    own.add_argument("--print_config", action="store_true", help="print what was read and stop")
    if options:
        options(parser)
    mine = {name: value for name, value in given.items() if name in sections}
    try:
        found = parser.parse_args(["--config", strict.dump(mine), *rest] if mine else rest)
    except argparse.ArgumentError as error:
        raise _Blame(parser, sections, places).refusal(str(error)) from error
    values = Namespace(**{name: found.pop(name) for name in sections})
    others = {name: value for name, value in given.items() if name not in sections}
    config = Config(values, sections, others, found)
    if found.print_config:
        sys.stdout.write(config.text())
        raise SystemExit(0)
    return config


def _parser(sections: Mapping[str, type], **about: str) -> ArgumentParser:
    parser = ArgumentParser(
        parser_mode="diffaudio", exit_on_error=False, allow_abbrev=False, default_env=False, **about
    )
    for name, cls in sections.items():
        parser.add_class_arguments(cls, name)
    return parser


def _key(flag: str) -> str:
    """Return the flat key that a flag sets: `--model.net.init_args.depth=6` is model.net.depth."""
    return flag.lstrip("-").split("=")[0].replace(".init_args", "")


def _read(paths: Iterable[Path]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the merged files, and where each flat key was given last."""
    merged: dict[str, Any] = {}
    places: dict[str, str] = {}
    for path in paths:
        for name, value in strict.load(path, places).items():
            if name not in SECTIONS:
                raise Refusal(f"{places[name]}: no section {name!r}", mend=suggest(name, SECTIONS))
            if value is not None and not isinstance(value, dict):
                raise Refusal(f"{places[name]}: {name}: expected keys and values, got {value!r}")
            merged[name] = strict.merge(merged.get(name, {}), value or {})
    return merged, places


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


class _Blame:
    """Turns a message of jsonargparse into key, value, place and suggestion.

    Args:
        parser: the parser that refused.
        sections: section name to class.
        places: flat key to where it was given.
    """

    def __init__(
        self, parser: ArgumentParser, sections: Mapping[str, type], places: Mapping[str, str]
    ) -> None:
        self.sections, self.places = sections, places
        self.known = list(parser.get_defaults(skip_validation=True).keys())

    def refusal(self, text: str) -> Refusal:
        """Return what to tell the user for jsonargparse's `text`."""
        text = " ".join(text.split())
        key = ".".join(re.findall(r'Parser key "([^"]+)"', text))
        if found := re.search(r"unrecognized arguments: (\S+)", text):
            return self._stray(found[1])
        if found := re.search(r"Group '(\S+)' does not accept option '(\S+)'", text):
            known = [name for name in self.known if name.startswith(found[1])]
            return self._unknown(f"{found[1]}.{found[2]}", known)
        if found := re.search(r"Option '(\S+)' is not accepted", text):
            return self._unknown(f"{key}.{found[1]}", [f"{key}.{n}" for n in _parameters(text)])
        if found := re.search(r"arguments are required: ([\w., ]*\w)", text):
            names = [f"{key}.{name}".lstrip(".") for name in found[1].split(", ")]
            mend = f"add it to the file, or give --{names[0]} VALUE"
            return self._at(names[0], f"{', '.join(names)}: missing", mend)
        if re.search(r"dot import path|has no attribute|No module named|subclass", text):
            return self._at(key, f"{key}: {_core(text)}", self._classes(key))
        return self._at(key, f"{key}: {_core(text)}" if key else text, "")

    def _stray(self, word: str) -> Refusal:
        if not word.startswith("--"):
            return Refusal(f"unexpected argument {word!r}")
        section = _key(word).split(".")[0]
        if section in SECTIONS and section not in self.sections:
            return Refusal(
                f"{word}: this command does not read the section {section}",
                mend=f"it reads {', '.join(self.sections)}",
            )
        return Refusal(f"{word}: no such option", mend=suggest(_key(word), self.known))

    def _unknown(self, key: str, known: Iterable[str]) -> Refusal:
        if key.endswith(".class_path"):
            key = key.rpartition(".")[0]
            return self._at(key, f"{key}: options beside class_path", "put them under init_args")
        return self._at(key, f"{key}: no such option", suggest(key, known))

    def _at(self, key: str, message: str, mend: str) -> Refusal:
        while key and key not in self.places:
            key = key.rpartition(".")[0]
        return Refusal(f"{self.places[key]}: {message}" if key else message, mend=mend)

    def _classes(self, key: str) -> str:
        """Name the classes that could stand at `model.net`, as far as they are imported."""
        section, _, part = key.partition(".")
        if section not in self.sections or "." in part:
            return ""
        hint = typing.get_type_hints(self.sections[section].__init__).get(part)
        pending = [kind for kind in (hint, *typing.get_args(hint)) if isinstance(kind, type)]
        names = []
        for kind in pending:
            pending += kind.__subclasses__()
            names += [] if isabstract(kind) else [kind.__name__]
        return f"one of: {', '.join(sorted(names))}" if names else ""


def _parameters(text: str) -> list[str]:
    """Return what the innermost class of a message accepts."""
    found = re.search(r"is not accepted.*?class_path='([\w.]+)'", text) or re.search(
        r"(?:.*)given class_path '([\w.]+)'", text
    )
    located = pydoc.locate(found[1]) if found else None
    return [name for name in signature(located).parameters] if isinstance(located, type) else []


def _core(text: str) -> str:
    """Return the innermost complaint: `expected int, got 'x'`."""
    if found := re.search(r"Expected an? (.+?)\. Got value: (.*?)(?:\. Got value.*)?$", text):
        return f"expected {re.sub(r'<class (.+?)>|typing.', r'', found[1])}, got {found[2]!r}"
    return re.sub(r"\.? Got value: .*", "", text.split(": ", 1)[-1])
