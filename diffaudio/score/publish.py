"""RESULTS.md and results/*.json: the scores of an experiment, and those a recipe shows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from diffaudio import provenance
from diffaudio.files import read_json, write_json, write_text
from diffaudio.log import Refusal, environment
from diffaudio.score import scores
from diffaudio.score.page import markdown
from diffaudio.score.pairs import MADE
from diffaudio.score.results import FORMAT, SYSTEM, Result, gaps, in_order, withheld
from diffaudio.score.scores import PROTOCOL, SUMMARY
from diffaudio.score.spec import VERSION
from diffaudio.score.table import neighbours, terminal

__all__ = ["SWEEPS", "beside", "link", "publish", "show", "shown", "summarise"]

SWEEPS = "sweeps"  # in results/, a folder for each comparison of `diffaudio sweep`

_IDENTITY = ("system", "role", "corpus", "protocol_sha256")


def shown(folder: Path) -> str:
    """Return the table of a finished score for the terminal."""
    *others, found = _read(folder)
    if found.get("reference"):
        return terminal(found, [*withheld(found), *neighbours(found)], others)
    return terminal(found, gaps(scores.read(folder)))


def summarise(exp: Path) -> Path:
    """Write `exp/RESULTS.md` from all scores of an experiment and return its path.

    Only finished scores of what the experiment has decoded are rows; the page names the others.
    """
    results: list[Result] = []
    protocols: dict[str, Any] = {}
    notes = []
    for folder in sorted(path.parent for path in exp.glob(f"score/*/*/{provenance.RECORD}")):
        if reason := _outdated(exp, folder):
            notes.append(f"left out: {folder.relative_to(exp)}, {reason}")
        else:
            results += _read(folder)
            protocols[results[-1]["protocol_sha256"]] = read_json(folder / PROTOCOL)
    known = {found["checkpoint_sha256"] for found in results} - {None}
    if len(known) > 1:
        notes.append(f"the rows are of {len(known)} different checkpoints; they are named below")
    return _write(exp / "RESULTS.md", results, protocols, notes)


def link(exp: Path, folder: Path) -> Path:
    """Let `exp/report.html` lead to the report in `folder`, the latest one, and return its path."""
    path, new = exp / "report.html", exp / f".report.html.tmp.{os.getpid()}"
    new.symlink_to((folder / "report.html").relative_to(exp))
    new.replace(path)
    return path


def publish(folder: Path, recipe: Path) -> Path:
    """Copy one score into `recipe/results/`, write `recipe/RESULTS.md` anew, return its path.

    Args:
        folder: of a finished score, `exp/demo/score/default/test`.
        recipe: `egs/voicebank`.

    Raises:
        Refusal: another system's file is in the way, or one is of an older format.
    """
    store = recipe / "results"
    protocol = read_json(folder / PROTOCOL)
    mine = {store / _name(found, protocol): found for found in _read(folder)}
    for path, found in mine.items():
        _refuse_other(path, found)
    for path, found in mine.items():
        write_json(path, found)
        write_json(store / "protocols" / f"{found['protocol_sha256'][:16]}.json", protocol)
    return show(recipe)


def show(recipe: Path) -> Path:
    """Write `recipe/RESULTS.md` anew from what `recipe/results/` holds, and return its path.

    Raises:
        Refusal: a file there is of an older format.
    """
    store = recipe / "results"
    results = [_stored(path) for path in sorted(store.glob("*.json"))]
    shas = {found["protocol_sha256"] for found in results}
    protocols = {sha: read_json(store / "protocols" / f"{sha[:16]}.json") for sha in shas}
    sweeps = sorted(path.relative_to(recipe) for path in store.glob(f"{SWEEPS}/*/sweep.md"))
    notes = [f"comparison of many settings: [{path.parent.name}]({path})" for path in sweeps]
    return _write(recipe / "RESULTS.md", results, protocols, notes)


def _outdated(exp: Path, folder: Path) -> str:
    """Return why a score is no row: unfinished, stale, or of wavs that are there no more."""
    state, why = provenance.state(folder)
    if state != "done":
        return f"{state} {why}".strip()
    if read_json(folder / provenance.RECORD)["version"] != VERSION:
        return "scored by another version of diffaudio"
    old = read_json(folder / SUMMARY)["checkpoint_sha256"]
    wavs = exp / "decode" / folder.relative_to(exp / "score")
    if old is None or not wavs.is_dir():
        return ""
    made = wavs / MADE
    new = read_json(made).get("checkpoint_sha256") if made.is_file() else None
    if new != old:
        return f"stale: of checkpoint {old[:8]}, decoded again since ({str(new)[:8]})"
    state, why = provenance.state(wavs)
    return "" if state in ("done", "missing") else f"its decoding is {state} {why}".strip()


def beside(folder: Path) -> list[Result]:
    """Return the results that a finished score has beside its own: the input's, or real clips'."""
    return [in_order(read_json(path)) for path in sorted(folder.glob("baseline*.json"))]


def _read(folder: Path) -> list[Result]:
    """Return all results of a finished score, its own at the end."""
    return [*beside(folder), in_order(read_json(folder / SUMMARY))]


def _stored(path: Path) -> Result:
    found = read_json(path)
    if found.get("format") != FORMAT:
        raise Refusal(
            f"{path}: format {found.get('format', 1)}, this version writes {FORMAT}",
            mend="remove it and publish its score again",
        )
    return in_order(found)


def _refuse_other(path: Path, found: Result) -> None:
    """Refuse to replace the result of another system."""
    if not path.is_file():
        return
    there = read_json(path)
    if any(there.get(name) != found[name] for name in _IDENTITY):
        raise Refusal(
            f"{path}: holds the result of {there.get('system')!r}, not of {found['system']!r}",
            mend="give this system another name with --system",
        )


def _write(
    path: Path, results: Sequence[Result], protocols: dict[str, Any], notes: Sequence[str] = ()
) -> Path:
    shared = {
        (one["protocol_sha256"], one["system"]): one for one in results if one["role"] != SYSTEM
    }
    systems = [one for one in results if one["role"] == SYSTEM]
    ordered = sorted(
        [*shared.values(), *systems],
        key=lambda one: (one["corpus"], one["role"] == SYSTEM, one["system"]),
    )
    here = {**environment(), "diffaudio": metadata.version("diffaudio")}
    write_text(path, markdown(ordered, protocols, here, notes))
    return path


def _name(found: Result, protocol: dict[str, Any]) -> str:
    """Return a result's file name: corpus, set, system and protocol, which no other one has.

    Words hold no `_`, so that what a model is given and real clips, which have one more, are never
    a system.
    """
    words = [found["corpus"], protocol["test_set"]["split"], found["system"]]
    ends = [found["role"]] * (found["role"] != SYSTEM) + [found["protocol_sha256"][:8]]
    return "_".join([*map(_slug, words), *ends]) + ".json"


def _slug(word: str) -> str:
    """Return lower-case letters, digits, `-` and dots of a word; a digest where that loses some."""
    slug = re.sub(r"[^a-z0-9.-]+", "-", word.lower()).strip("-.")
    if slug == word:
        return slug
    return "-".join(filter(None, [slug, hashlib.sha256(word.encode()).hexdigest()[:8]]))
