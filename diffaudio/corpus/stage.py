"""The command line of a recipe's local/data.py: make a corpus by its name, or check a folder.

Each corpus that can be made is a module beside data.py with `make(folder, downloads)`; it is
imported when it is asked for, so nobody needs the packages of another.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from diffaudio import provenance
from diffaudio.files import exclusive
from diffaudio.log import Refusal, setup_log

__all__ = ["main"]


def main(
    argv: Sequence[str],
    *,
    about: str,
    made: Sequence[str],
    outputs: Sequence[str],
    needed: Sequence[str],
) -> int:
    """Bring a corpus to disk, or check one that is there, and print its folder.

    Args:
        argv: --corpus, --downloads and --force.
        about: text of --help.
        made: names of the corpora that can be made; a module is named after each.
        outputs: glob patterns of what they write, relative to the corpus.
        needed: names that every corpus holds, as the official one does.

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
    options = parser.parse_args(argv)
    setup_log()
    try:
        folder = Path(options.corpus)
        if options.corpus in made:
            folder = options.downloads / options.corpus
            force = options.force == "true"
            _make(options.corpus, folder, options.downloads, outputs=outputs, force=force)
        _check(folder, needed, made)
    except Refusal as refusal:
        print(f"local/data.py: {refusal}", file=sys.stderr)  # noqa: T201  nothing to log yet
        return int(refusal.code)
    print(folder)  # noqa: T201  what the command is asked for
    return 0


def _check(folder: Path, needed: Sequence[str], made: Sequence[str]) -> None:
    """Refuse a folder that is not laid out as the official corpus, naming what is missing."""
    if missing := [name for name in needed if not (folder / name).exists()]:
        raise Refusal(
            f"{folder}: has no {', '.join(missing)}",
            mend=f"--corpus takes {', '.join(made)}, or a folder that holds {', '.join(needed)}",
        )


def _make(name: str, folder: Path, downloads: Path, *, outputs: Sequence[str], force: bool) -> None:
    """Make a corpus in `folder` unless it is there."""
    with exclusive(folder):
        must_run = provenance.begin(
            folder,
            stage="corpus",
            version=1,
            keys={"corpus": name},
            inputs={},
            force=force,
            outputs=outputs,
        )
        if must_run:
            importlib.import_module(name).make(folder, downloads)
            provenance.finish(folder)
