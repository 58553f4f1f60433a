"""`diffaudio manifest`: a corpus listed and checked, one JSON object per line and item."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from jsonargparse import ArgumentParser

from diffaudio import inventory, origins, provenance
from diffaudio.config import parse
from diffaudio.data import corpus, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import digest, exclusive, read_json
from diffaudio.jobs import check_jobs
from diffaudio.log import Refusal, log

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
    _check_numbers(options)
    recipe = load_recipe(options.recipe)
    spec = config.build(AudioSpec)
    with exclusive(options.out):
        held = _held(options.out)
        inputs = {**origins.code(options.recipe.parent), **_inputs(options.recipe, root)}
        if not options.force:
            mend = (
                "give another --tag (of a recipe) or --out to keep both, or --force to replace it"
            )
            provenance.refuse_other(options.out, inputs, mend=mend)
        must_run = provenance.begin(
            options.out,
            stage="manifest",
            version=VERSION,
            keys={
                **config.keys("audio"),
                "limit": options.limit,
                "max_reject": options.max_reject,
            },
            usual=config.usual,
            inputs=inputs,
            force=options.force,
            outputs=("*.jsonl", "corpus.json"),
        )
        if must_run:
            if options.limit and held > options.limit:
                log.warning(
                    "%s: --limit %d replaces manifests of up to %d items; another folder (--tag "
                    "of a recipe) keeps both",
                    *(options.out, options.limit, held),
                )
            corpus.build(
                _first(_rows(recipe, root), options.limit),
                options.out,
                root=root,
                spec=spec,
                label=_label(root),
                disjoint=_disjoint(recipe),
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
        "--max_reject",
        type=float | None,
        default=None,
        help="share of each split's rows that may be left out, 0 to 1; by default 0.01, and "
        "none of a split that DISJOINT names",
    )
    parser.add_argument("--limit", type=int, default=0, help="first rows of each split; 0 for all")
    parser.add_argument("--force", action="store_true", help="check everything again")


def _check_numbers(options: Any) -> None:
    """Refuse numbers that make no sense before anything is begun."""
    check_jobs(options.nj)
    if options.limit < 0:
        raise Refusal(f"--limit {options.limit}: is negative", mend="give 0 to take all rows")
    if options.max_reject is not None and not 0 <= options.max_reject <= 1:
        raise Refusal(
            f"--max_reject {options.max_reject}: is not a share from 0 to 1",
            mend="give 0.01 for one row in a hundred",
        )


def load_recipe(path: Path) -> ModuleType:
    """Import a recipe's file by its path; it can import its neighbours by their names.

    Raises:
        Refusal: there is no such file, it cannot be imported, or it has no function rows().
    """
    spec = importlib.util.spec_from_file_location("recipe_data", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise Refusal(
            f"{path}: no such recipe", mend="give the file that has rows(), local/data.py"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules["recipe_data"] = module  # dataclasses in the recipe look their module up
    folder = str(path.resolve().parent)
    if folder not in sys.path:  # as for `python local/data.py`
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except Refusal:
        raise
    except Exception as error:
        raise _failed(path, "cannot be imported", error, "correct the file") from error
    given = vars(module).get("rows")
    if not callable(given):
        raise Refusal(
            f"{path}: has no rows(corpus)" + ("" if given is None else f", rows is {given!r}"),
            mend="write that function; CONTRIBUTING.md, `What rows() yields`, has an example",
        )
    return module


def _failed(path: Path | str, what: str, error: Exception, mend: str) -> Refusal:
    """Tell an error in a recipe's code with the line of the recipe it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).resolve() == Path(path).resolve()]
    line, text = (own[-1].lineno, own[-1].line) if own else (None, "")
    if isinstance(error, SyntaxError):
        line, text = error.lineno, f"{(error.text or '').strip()} ({error.filename})"
    where = f"\n  in line {line}: {text}" if line else ""
    return Refusal(f"{path}: {what}: {type(error).__name__}: {error}{where}", mend=mend)


def _disjoint(recipe: ModuleType) -> dict[str, list[str]]:
    """Return a recipe's DISJOINT, split to fields.

    Raises:
        Refusal: it is not a dictionary of lists of names.
    """
    found = vars(recipe).get("DISJOINT", {})
    lists = found.values() if type(found) is dict else [None]
    if not all(type(each) in {list, tuple} for each in lists):
        raise Refusal(
            f"{recipe.__file__}: DISJOINT is {found!r}",
            mend='write split to fields: DISJOINT = {"test": ["speaker"]}',
        )
    return {str(split): [str(name) for name in fields] for split, fields in found.items()}


def _rows(recipe: ModuleType, root: Path) -> Iterator[Any]:
    """Yield the recipe's rows; an error in it is told with its line.

    Raises:
        Refusal: the corpus is not there, or the recipe failed.
    """
    if not root.is_dir():
        raise Refusal(f"{root}: no such corpus folder", mend="run stage 0, or correct --corpus")
    path = str(recipe.__file__)
    try:
        found = recipe.rows(root)
        if not isinstance(found, Iterable):
            raise Refusal(f"{path}: rows() returned {found!r}", mend="let it yield dictionaries")
        yield from found
    except Refusal:
        raise
    except Exception as error:
        mend = "correct rows()"
        if isinstance(error, UnicodeDecodeError):
            mend += "; text that is not UTF-8 must be decoded by its own encoding"
        raise _failed(path, "rows() failed", error, mend) from error


def _held(out: Path) -> int:
    """Return the number of items of the largest split that `out` lists; 0 if there is none."""
    try:
        return max(split["rows"] for split in manifest.about(out)["splits"].values())
    except (Refusal, ValueError, KeyError):  # none, of no split, or not ours
        return 0


def _first(rows: Iterable[Any], limit: int) -> Iterator[Any]:
    """Yield at most `limit` rows of each split; all of them for 0."""
    taken: Counter[str] = Counter()
    for row in rows:
        split = str(row.get("split")) if type(row) is dict else ""
        taken[split] += 1
        if not limit or taken[split] <= limit:
            yield row


def _label(root: Path) -> str:
    """Return what a corpus calls itself in corpus.json; without one, its folder's name.

    A corpus may have a corpus.json of its own that says something else.
    """
    try:
        about = read_json(root / "corpus.json")
    except Refusal:
        about = {}
    label = about.get("label") if type(about) is dict else None
    return label if type(label) is str and label else root.resolve().name


def _inputs(recipe: Path, root: Path) -> dict[str, str]:
    """Return digests of the recipe and of the corpus: names, sizes and times of its files.

    Hidden files do not count (records and locks of stage 0), nor do folders that a stage wrote.

    Raises:
        Refusal: stage 0 was interrupted while it made the corpus.
    """
    state, _ = provenance.state(root)
    if state == "unfinished":
        raise Refusal(f"{root}: the corpus is not complete", mend="run stage 0 again")
    return {str(recipe): digest(recipe), str(root): inventory.state(root, mark=provenance.RECORD)}
