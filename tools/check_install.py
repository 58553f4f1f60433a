"""Says, per recipe and per extra, what is installed, what is missing, and how to mend it.

Usage: tools/check_install.py [--list EXTRA,...]. The exit status is 1 when something is missing
that a recipe cannot do without. Names and extras are read from the installed package's metadata,
tested versions from tools/constraints.txt, so nothing is listed twice.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
IMPORTED = ("torch", "torchaudio", "soundfile")  # binaries that may be there and not load
PROGRAMS = {
    "apt-get": "makes --corpus mini from Debian packages",
    "dpkg-deb": "makes --corpus mini from Debian packages",
    "bats": "tests of the shell scripts: apt-get install bats",
    "shellcheck": "lint of the shell scripts: apt-get install shellcheck",
}
MENDS = {
    "pesq": "needs a C compiler and Python's headers: apt-get install gcc python3-dev",
    "pyworld": "needs a C++ compiler and Python's headers: apt-get install g++ python3-dev",
    "cluster": "tools/install.sh --extras score,report,corpus,cluster",
}


@dataclass(frozen=True)
class Recipe:
    """What a recipe cannot do without, and what it leaves out with a line when it is missing."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    programs: tuple[str, ...]


RECIPES = {
    "voicebank": Recipe(
        required=("base", "report", "corpus"),
        optional=("score", "optional.txt"),
        programs=("apt-get", "dpkg-deb"),
    ),
    "sc09": Recipe(
        required=("base", "report", "corpus"),
        optional=("score", "optional.txt"),
        programs=("apt-get", "dpkg-deb"),
    ),
    "ljspeech": Recipe(
        required=("base", "report", "corpus"),
        optional=("score", "optional.txt"),
        programs=("apt-get", "dpkg-deb"),
    ),
}


def requirements() -> dict[str, list[str]]:
    """Return the names of the packages that `base` and every extra of diffaudio require."""
    groups: dict[str, list[str]] = {"base": []}
    for line in metadata.requires("diffaudio") or []:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        groups.setdefault(extra[1] if extra else "base", []).append(name)
    groups["optional.txt"] = list(pins("optional.txt"))
    return groups


def pins(file: str) -> dict[str, str]:
    """Return the versions that a file of this folder pins, by normalised name."""
    text = (TOOLS / file).read_text(encoding="utf-8")
    return {
        normal(name): version for name, version in re.findall(r"^([\w-]+)==([\w.]+)", text, re.M)
    }


def normal(name: str) -> str:
    """Return a package's name as indexes write it: `types_PyYAML` is types-pyyaml."""
    return re.sub(r"[-_.]+", "-", name).lower()


def state(name: str, tested: dict[str, str]) -> tuple[str, bool]:
    """Return what there is of package `name`, in words, and whether it can be used."""
    try:
        version = metadata.version(name)
        if name in IMPORTED:
            importlib.import_module(name)
    except metadata.PackageNotFoundError:
        return "missing", False
    except Exception as error:  # whatever a broken binary raises
        return f"{version}, but cannot be imported: {error}", False
    wanted = tested.get(normal(name), version)
    return version + ("" if version.split("+")[0] == wanted else f" (tested: {wanted})"), True


def lacking(groups: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Print a line per group and yield (group, package) for what is missing."""
    tested = pins("constraints.txt")
    for group, names in groups.items():
        found = {name: state(name, tested) for name in names}
        bad = [name for name, (_, usable) in found.items() if not usable]
        print(f"{group:14}{('incomplete' if len(bad) < len(names) else 'absent') if bad else 'ok'}")
        for name, (words, usable) in found.items():
            if not usable or "tested" in words:
                hint = (
                    "" if usable else f"; {MENDS.get(name, MENDS.get(group, 'tools/install.sh'))}"
                )
                print(f"{'':14}{name}: {words}{hint}")
        yield from ((group, name) for name in bad)


def main(argv: list[str]) -> int:
    """Print the report, or with --list the packages of some extras; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--list", metavar="EXTRA,...", help="print the packages of extras and stop")
    options = parser.parse_args(argv)
    try:
        groups = requirements()
    except metadata.PackageNotFoundError:
        print(f"diffaudio is not installed in {sys.prefix}: tools/install.sh")
        return 1
    if options.list:
        extras = options.list.split(",")
        if unknown := sorted({*extras} - {*groups}):
            parser.error(f"no extra {', '.join(unknown)}; there are {', '.join(sorted(groups))}")
        print("\n".join(name for extra in extras for name in groups[extra]))
        return 0
    print(f"{'python':14}{platform.python_version()} in {sys.prefix}")
    missing = list(lacking(groups))
    for program, use in PROGRAMS.items():
        if shutil.which(program) is None:
            print(f"{'program':14}{program}: missing; {use}")
    failed = False
    for title, recipe in RECIPES.items():
        blocking = [name for group, name in missing if group in recipe.required]
        lost = [name for group, name in missing if group in recipe.optional]
        lost += [name for name in recipe.programs if shutil.which(name) is None]
        words = f"cannot run without {', '.join(blocking)}" if blocking else "ready"
        print(f"egs/{title:10}{words}" + (f", lacks {', '.join(lost)}" if lost else ""))
        failed = failed or bool(blocking)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
