"""YAML that means one thing: the scalars of YAML 1.2, no duplicate keys, every key with its line.

Readers of YAML disagree about `no`, `012` and `12:30:45`, and most of them let a second copy of a
key win in silence. All of these are refused when a file is read. Nothing read can run code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from diffaudio.log import Refusal

__all__ = ["NUMBER", "dump", "load", "merge", "scalar"]

NUMBER = r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_SCALARS = {  # 1e-4 is a number, as in YAML 1.2
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(?:0|[1-9][0-9]*)",
    "float": rf"{NUMBER}|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    "null": r"~|null|Null|NULL|",
}
_AMBIGUOUS = re.compile(r"(?i:yes|no|on|off|y|n)|[-+]?0[0-9_]+|[-+]?[0-9]+(?::[0-9]+)+")


class _Loader(yaml.SafeLoader):
    """Safe, with the scalars above in place of those of YAML 1.1."""

    yaml_implicit_resolvers: dict[str, Any] = {}


class _Dumper(yaml.SafeDumper):
    """Quotes every string that `_Loader` or a reader of YAML 1.1 would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal lists twice rather than as an anchor and an alias."""
        del data
        return True


for _tag, _pattern in _SCALARS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), None
        )
# What `load` refuses unquoted must be written quoted: `y` and 089 are plain words to both of them.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(f"^(?:{_AMBIGUOUS.pattern})$"), None
)


def scalar(text: str) -> Any:
    """Return the value of one piece of YAML, such as an option on the command line.

    Raises:
        Refusal: it is a mapping or list that `load` would refuse: `{rate: 1, rate: 2}`.
        yaml.YAMLError: not YAML.
    """
    loader = _Loader(text)
    node = loader.get_single_node()
    if isinstance(node, yaml.CollectionNode):  # a word by itself is a word: `--audio.given no`
        _refuse_odd(node, "command line")
        _examine(node, "", "command line", {})
    return None if node is None else loader.construct_document(node)


def dump(values: Mapping[str, Any]) -> str:
    """Return `values` as YAML that `load` reads back identically."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def load(path: Path, places: dict[str, str]) -> dict[str, Any]:
    """Read one file and note in `places` where each key stands: {"audio.rate": "x.yaml, line 3"}.

    `init_args` is left out of the noted keys, so that they read like the keys of provenance.

    Raises:
        Refusal: not readable, not YAML, not a mapping, a duplicate key or an ambiguous value.
    """
    try:
        loader = _Loader(path.read_text(encoding="utf-8-sig"))
        node = loader.get_single_node()
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise Refusal(f"{path}: expected keys and values at the top level")
        _refuse_odd(node, path)
        _examine(node, "", path, places)
        content: dict[str, Any] = loader.construct_document(node)
        return content
    except OSError as error:
        there = ", ".join(sorted(str(near) for near in path.parent.glob("*.yaml")))
        raise Refusal(
            f"{path}: cannot be read ({error.strerror})",
            mend=f"give a file that is there: {there}" if there else "check folder and name",
        ) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        what = ", ".join(filter(None, (error.context, error.problem)))
        raise Refusal(f"{path}, line {line}: not YAML: {what}") from error
    except (ValueError, yaml.YAMLError) as error:  # no UTF-8, or `!!int abc`
        raise Refusal(f"{path}: not YAML ({error})") from error


def _refuse_odd(node: yaml.Node, path: Path | str, above: tuple[yaml.Node, ...] = ()) -> None:
    """Refuse what YAML can say and a configuration cannot: keys that are no words, and loops."""
    place = f"{path}, line {node.start_mark.line + 1}"
    if node in above:
        raise Refusal(f"{place}: this holds itself", mend="write it out, without `*`")
    held = node.value if isinstance(node, yaml.CollectionNode) else []
    for one in held:
        key, value = one if isinstance(node, yaml.MappingNode) else (None, one)
        if isinstance(key, yaml.CollectionNode):
            raise Refusal(f"{place}: a key is not a word")
        _refuse_odd(value, path, (*above, node))


def _examine(node: yaml.Node, key: str, path: Path | str, places: dict[str, str]) -> None:
    """Note the place of every key below `node`; refuse what readers of YAML disagree about."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for name, value in node.value:
            inner = key if name.value == "init_args" else f"{key}.{name.value}".lstrip(".")
            place = f"{path}, line {name.start_mark.line + 1}"
            if name.value in seen:
                raise Refusal(f"{place}: {inner}: given twice", mend="keep one of the two")
            seen.add(name.value)
            if inner != key:
                places[inner] = place
            _examine(value, inner, path, places)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _examine(value, f"{key}.{number}", path, places)
    elif (
        isinstance(node, yaml.ScalarNode)
        and node.style is None
        and _AMBIGUOUS.fullmatch(node.value)
    ):
        raise Refusal(
            f"{path}, line {node.start_mark.line + 1}: {key}: {node.value} means different things "
            "to different readers of YAML",
            mend=f"write true, false or a plain number, or quote it: '{node.value}'",
        )


def merge(old: Any, new: Any) -> Any:
    """Lay `new` over `old`, mapping by mapping; another class starts from its own defaults."""
    if isinstance(old, str) and isinstance(new, dict):  # `net: UNet2d`, then its init_args
        old = {"class_path": old}
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    if not _one_class(new.get("class_path", old.get("class_path")), old.get("class_path")):
        return new
    return {**old, **{name: merge(old.get(name), value) for name, value in new.items()}}


def _one_class(one: Any, other: Any) -> bool:
    """Say whether two names are of one class: people write UNet2d, records the whole name."""
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    short, long = sorted((one, other), key=len)
    return "." not in short and long.startswith("diffaudio.") and long.endswith(f".{short}")
