"""The command line of a recipe's local/data.py: make a corpus by its name, or check a folder.

Each corpus that can be made is a module beside data.py with `make(folder, downloads)`; it is
imported when it is asked for, so nobody needs the packages of another. What a corpus can be told
besides is an `Option`, which `make` gets as a keyword.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffaudio import provenance
from diffaudio.files import exclusive
from diffaudio.log import Refusal, setup_log

__all__ = ["Option", "main"]


@dataclass(frozen=True)
class Option:
    """A number that one of the corpora is made by, more than zero.

    Args:
        corpus: that it is for; given for another, it is refused.
        name: on the command line, --name, and of the keyword of `make`.
        default: where it is not given.
        help: its text.
    """

    corpus: str
    name: str
    default: float
    help: str


def main(
    argv: Sequence[str],
    *,
    about: str,
    made: Sequence[str],
    outputs: Sequence[str],
    needed: Sequence[str],
    options: Sequence[Option] = (),
) -> int:
    """Bring a corpus to disk, or check one that is there, and print its folder.

    Args:
        argv: --corpus, --downloads and --force.
        about: text of --help.
        made: names of the corpora that can be made; a module is named after each.
        outputs: glob patterns of what they write, relative to the corpus.
        needed: names that every corpus holds, as the official one does.
        options: of the corpora; a corpus that was made with another value is made again.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--corpus", default="mini", help=f"{', '.join(made)} or a folder")
    add("--downloads", type=Path, default=Path("downloads"), help="folder for what is downloaded")
    truth = ("true", "false")
    add("--force", nargs="?", const="true", default="false", choices=truth, help="make it again")
    for option in options:
        about_it = f"{option.help} (default: {option.default:g})"
        add(f"--{option.name}", type=float, help=about_it)
    given = parser.parse_args(argv)
    setup_log()
    try:
        folder = Path(given.corpus)
        values = _values(given, options)
        if given.corpus in made:
            folder = given.downloads / given.corpus
            force = given.force == "true"
            _make(given.corpus, folder, given.downloads, values, outputs=outputs, force=force)
        _check(folder, needed, made)
    except Refusal as refusal:
        print(f"local/data.py: {refusal}", file=sys.stderr)  # noqa: T201  nothing to log yet
        return int(refusal.code)
    print(folder)  # noqa: T201  what the command is asked for
    return 0


def _values(given: argparse.Namespace, options: Sequence[Option]) -> dict[str, float]:
    """Return the options of the corpus that is asked for.

    Raises:
        Refusal: an option is for another corpus, or is no number above zero.
    """
    values = {}
    for option in options:
        value = getattr(given, option.name)
        if value is not None and given.corpus != option.corpus:
            raise Refusal(
                f"--{option.name} is not for the corpus {given.corpus}",
                mend=f"leave it out, or give --corpus {option.corpus}",
            )
        value = option.default if value is None else value
        if not 0 < value < float("inf"):
            raise Refusal(f"--{option.name} {value:g} is not above zero", mend="give another")
        if given.corpus == option.corpus:
            values[option.name] = value
    return values


def _check(folder: Path, needed: Sequence[str], made: Sequence[str]) -> None:
    """Refuse a folder that is not laid out as the official corpus, naming what is missing."""
    if missing := [name for name in needed if not (folder / name).exists()]:
        raise Refusal(
            f"{folder}: has no {', '.join(missing)}",
            mend=f"--corpus takes {', '.join(made)}, or a folder that holds {', '.join(needed)}",
        )


def _make(
    name: str,
    folder: Path,
    downloads: Path,
    values: Mapping[str, float],
    *,
    outputs: Sequence[str],
    force: bool,
) -> None:
    """Make a corpus in `folder` unless it is there."""
    with exclusive(folder):
        must_run = provenance.begin(
            folder,
            stage="corpus",
            version=1,
            keys={"corpus": name, **values},
            inputs={},
            force=force,
            outputs=outputs,
        )
        if must_run:
            importlib.import_module(name).make(folder, downloads, **values)
            provenance.finish(folder)
