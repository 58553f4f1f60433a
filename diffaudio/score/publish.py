"""RESULTS.md and results/*.json: the scores of an experiment, and those a recipe shows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from diffaudio.files import read_json, write_json, write_text
from diffaudio.log import environment
from diffaudio.score.measure import Scored
from diffaudio.score.results import Result, gaps, in_order
from diffaudio.score.stage import BASELINE, PROTOCOL, SUMMARY
from diffaudio.score.table import markdown, terminal

__all__ = ["link", "publish", "shown", "summarise"]


def shown(folder: Path) -> str:
    """Return the table of a finished score for the terminal."""
    rows = [
        json.loads(line)
        for line in (folder / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    table = [Scored(row["id"], row["seconds"], row["scores"], row["missing"]) for row in rows]
    *baseline, found = _read(folder)
    return terminal(found, baseline[0] if baseline else None, gaps(table))


def summarise(exp: Path) -> Path:
    """Write `exp/RESULTS.md` from all scores of an experiment and return its path."""
    results: list[Result] = []
    protocols: dict[str, Any] = {}
    for folder in sorted(path.parent for path in exp.glob(f"score/*/*/{SUMMARY}")):
        results += _read(folder)
        protocols[results[-1]["protocol_sha256"]] = read_json(folder / PROTOCOL)
    return _write(exp / "RESULTS.md", results, protocols)


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
    """
    store = recipe / "results"
    protocol = read_json(folder / PROTOCOL)
    split = protocol["test_set"]["split"]
    for found in _read(folder):
        words = (found["corpus"], *([split] if split != "test" else []), found["system"])
        write_json(store / f"{_slug(words)}.json", found)
        write_json(store / "protocols" / f"{found['protocol_sha256'][:16]}.json", protocol)
    results = [in_order(read_json(path)) for path in sorted(store.glob("*.json"))]
    shas = {found["protocol_sha256"] for found in results}
    protocols = {sha: read_json(store / "protocols" / f"{sha[:16]}.json") for sha in shas}
    return _write(recipe / "RESULTS.md", results, protocols)


def _read(folder: Path) -> list[Result]:
    """Return the baseline's result, if there is one, and then the system's."""
    paths = (folder / BASELINE, folder / SUMMARY)
    return [in_order(read_json(path)) for path in paths if path.is_file()]


def _write(path: Path, results: Iterable[Result], protocols: dict[str, Any]) -> Path:
    unique = {(one["protocol_sha256"], one["system"]): one for one in results}
    ordered = sorted(
        unique.values(), key=lambda one: (one["corpus"], one["calls"] != 0, one["system"])
    )
    here = {**environment(), "diffaudio": metadata.version("diffaudio")}
    write_text(path, markdown(ordered, protocols, here))
    return path


def _slug(words: Iterable[str]) -> str:
    """Return a file name: letters, digits, `_`, `-` and dots of `words`."""
    return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", word).strip("-.") for word in words).lower()
