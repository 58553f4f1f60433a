"""`diffaudio manifest`: a corpus listed and checked, one JSON object per line and item."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from jsonargparse import ArgumentParser

from diffaudio import provenance
from diffaudio.config import parse
from diffaudio.data import corpus
from diffaudio.data.audio import AudioSpec
from diffaudio.files import digest, exclusive, read_json
from diffaudio.log import Refusal

__all__ = ["load_recipe", "main"]

VERSION = 1  # raise it by hand when the same corpus would give other manifests


def main(argv: list[str]) -> int:
    """Check every row of a recipe and its audio, write the manifests, name every problem."""
    config = parse(
        argv,
        prog="diffaudio manifest",
        description="List a corpus in <split>.jsonl; every problem is named with file and mend.",
        sections={"audio": AudioSpec},
        options=_options,
    )
    options, root = config.options, config.options.corpus
    recipe = load_recipe(options.recipe)
    spec = config.build(AudioSpec)
    with exclusive(options.out):
        must_run = provenance.begin(
            options.out,
            stage="manifest",
            version=VERSION,
            keys={
                **config.keys("audio"),
                "corpus": str(root),
                "limit": options.limit,
                "max_reject": options.max_reject,
            },
            inputs=_inputs(options.recipe, root, options.out),
            force=options.force,
            outputs=("*.jsonl", "corpus.json"),
        )
        if must_run:
            corpus.build(
                _first(_rows(recipe, root), options.limit),
                options.out,
                root=root,
                spec=spec,
                label=_label(root),
                disjoint=vars(recipe).get("DISJOINT", {}),
                max_reject=options.max_reject,
                nj=options.nj,
            )
            provenance.finish(options.out)
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--recipe", type=Path, required=True, help="file with rows(), local/data.py"
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, data/NAME")
    parser.add_argument("--nj", type=int, default=1, help="jobs that check audio at once")
    parser.add_argument(
        "--max_reject", type=float, default=0.01, help="share of rows that may be left out"
    )
    parser.add_argument("--limit", type=int, default=0, help="rows of each split; 0 for all")
    parser.add_argument("--force", action="store_true", help="check everything again")


def load_recipe(path: Path) -> ModuleType:
    """Import a recipe's file by its path.

    Raises:
        Refusal: there is no such file, or it has no rows().
    """
    spec = importlib.util.spec_from_file_location("recipe_data", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise Refusal(
            f"{path}: no such recipe", mend="give the file that has rows(), local/data.py"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules["recipe_data"] = module  # dataclasses in the recipe look their module up
    spec.loader.exec_module(module)
    if "rows" not in vars(module):
        raise Refusal(f"{path}: has no rows(corpus)", mend="CONTRIBUTING.md says what it yields")
    return module


def _rows(recipe: ModuleType, root: Path) -> Iterator[Any]:
    """Yield the recipe's rows; an error in it is told with its line.

    Raises:
        Refusal: the corpus is not there, or the recipe failed.
    """
    if not root.is_dir():
        raise Refusal(f"{root}: no such corpus folder", mend="run stage 0, or correct --corpus")
    try:
        yield from recipe.rows(root)
    except Refusal:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == recipe.__file__] or frames
        raise Refusal(
            f"{recipe.__file__}: rows() failed: {type(error).__name__}: {error}\n"
            f"  in line {own[-1].lineno}: {own[-1].line}",
            mend="correct rows(); text that is not UTF-8 must be decoded by its own encoding",
        ) from error


def _first(rows: Iterable[Any], limit: int) -> Iterator[Any]:
    """Yield at most `limit` rows of each split; all of them for 0."""
    taken: Counter[str] = Counter()
    for row in rows:
        split = str(row.get("split")) if type(row) is dict else ""
        taken[split] += 1
        if not limit or taken[split] <= limit:
            yield row


def _label(root: Path) -> str:
    """Return what a corpus calls itself in corpus.json; without one, its folder's name."""
    about = root / "corpus.json"
    return str(read_json(about)["label"]) if about.is_file() else root.resolve().name


def _inputs(recipe: Path, root: Path, out: Path) -> dict[str, str]:
    """Return digests of the recipe and of the corpus: names, sizes and times of its files.

    Hidden files do not count: records and locks of stage 0.

    Raises:
        Refusal: stage 0 was interrupted while it made the corpus.
    """
    state, _ = provenance.state(root)
    if state == "unfinished":
        raise Refusal(f"{root}: the corpus is not complete", mend="run stage 0 again")
    total = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if Path(folder, name) != out)
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(folder, name)
            about = path.lstat()
            line = f"{path.relative_to(root)} {about.st_size} {about.st_mtime_ns}\n"
            total.update(line.encode("utf-8", "surrogateescape"))
    return {str(recipe): digest(recipe), f"files in {root}": total.hexdigest()}
