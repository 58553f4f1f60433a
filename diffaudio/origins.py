"""What outputs were made from: keys, the names of inputs, the code that a recipe brings along.

An input that is a path is recorded relative to the output folder, so that it is found again from
any current directory and when the whole tree was moved. What is compared of it is its own name and
its digest, not where it lies.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from diffaudio.files import digest

__all__ = ["Usual", "code", "elsewhere", "none_usual", "other_inputs", "other_keys", "pairs"]
__all__ += ["place", "shown", "stored"]

Usual = Callable[[str], bool]
"""Whether a flat key has its default: `Config.usual`."""


def stored(out: Path, name: str) -> str:
    """Return an input's name as `out` records it: of a path relative to `out`, others as given."""
    path = Path(name)
    return os.path.relpath(path.resolve(), out.resolve()) if path.exists() else name


def place(out: Path, name: str) -> Path:
    """Return where an input lies that `out` recorded as `name`."""
    return Path(os.path.normpath(out.resolve() / name))


def shown(out: Path, name: str) -> str:
    """Return a recorded input as it reads best: from the current directory, if it is below it."""
    path, here = place(out, name), Path.cwd()
    if not path.exists():
        return name
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def pairs(inputs: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return what is compared of inputs, (own name, digest), each with the name it came under."""
    return {(Path(name).name, held): name for name, held in sorted(inputs.items())}


def other_inputs(out: Path, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Name the inputs that changed from what `out` has recorded, or are not read any more."""
    before, now = pairs(old), pairs(new)
    for pair in sorted({*now} - {*before}):
        yield f"input {shown(out, now[pair])} changed"
    for pair in sorted({*before} - {*now}):
        if pair[0] not in {name for name, _ in now}:
            yield f"input {shown(out, before[pair])} is not read any more"


def none_usual(key: str) -> bool:
    """Say that no key has a default: whatever `old` lacks is a change to `other_keys`."""
    del key
    return False


def other_keys(
    old: Mapping[str, Any], new: Mapping[str, Any], usual: Usual = none_usual
) -> dict[str, str]:
    """Name the configuration keys that differ, each with its old and new value in words.

    Args:
        old: flat keys as they were recorded.
        new: those of now.
        usual: says of a key in `new` that it has its default. One that `old` lacks was not there
            yet when `old` was recorded: what was made then was made as with the default.
    """
    names = sorted(name for name in {*old} ^ {*new} if name in old or not usual(name))
    names += sorted(name for name in {*old} & {*new} if old[name] != new[name])
    return {name: f"{name}: {_word(old, name)} -> {_word(new, name)}" for name in names}


def _word(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name], ensure_ascii=False) if name in values else "absent"


def elsewhere(
    out: Path, old: Mapping[str, str], new: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield old and new place of folders that are of one name, in two places, and not the same.

    Args:
        out: the folder that was made.
        old: the inputs that it has recorded.
        new: those it would have now, by paths.
    """
    held = {Path(name).name: name for name in old}
    for name, found in new.items():
        before = held.get(Path(name).name)
        if before is None or old[before] == found or not Path(name).is_dir():
            continue
        if place(out, before) != Path(name).resolve():
            yield shown(out, before), name


def code(folder: Path | None = None) -> dict[str, str]:
    """Return file and digest of every loaded module that a recipe brings: `local` and below it.

    Args:
        folder: modules whose files lie below it count as well, installed packages excepted.
    """
    found = {}
    for name, module in list(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "")
        if path.suffix != ".py" or not path.is_file():
            continue
        inside = folder is not None and path.resolve().is_relative_to(folder.resolve())
        if name.split(".")[0] == "local" or (inside and "site-packages" not in path.parts):
            found[str(path)] = digest(path)
    return found
