"""`diffaudio sweep`: models x samplers x calls x guidance on one set; table, plot, choice."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from diffaudio import strict
from diffaudio.bin import decode, score
from diffaudio.config import parse
from diffaudio.decode.card import RECOMMENDED
from diffaudio.files import read_json, write_json, write_text
from diffaudio.log import Refusal, log
from diffaudio.score import SWEEPS, beside, show, summarise
from diffaudio.sweep.chart import chart
from diffaudio.sweep.spec import Cell, SweepSpec, overlay
from diffaudio.sweep.table import Row, evidence, knee, markdown, row

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Decode and score every cell that is not done, then compare them all."""
    config = parse(
        argv,
        prog="diffaudio sweep",
        description="Decode and score every model with every sampler, number of calls and "
        "guidance; what is done is not done again. Writes OUT/sweep.{json,md,svg}, and for each "
        "model recommended.yaml, to be laid over its configuration.",
        sections={"sweep": SweepSpec},
        options=_options,
    )
    options, spec = config.options, config.build(SweepSpec)
    cells = spec.cells()
    log.info("%s: %d cells", options.out, len(cells))
    published = Path("results") / SWEEPS / options.out.name
    if options.publish:
        _refuse_other(published, spec)
    rows: list[Row] = []

    def laid(cell: Cell) -> dict[str, Any]:
        return overlay(config.sections["sweep"], cell, weaker=spec.weaker(cell))

    for number, cell in enumerate(cells, 1):
        log.info("%d of %d: %s %s", number, len(cells), cell.model, cell.tag)
        path = options.out / "cells" / f"{cell.tag}.yaml"
        write_text(path, strict.dump(laid(cell)))
        rows.append(_scored(cell, path, options))
        _check(rows, spec.metric, options.set)  # at the first cell, before hours of others
    for model in dict.fromkeys(spec.models):
        own = [one for one in rows if one.cell.model == model]
        if not any(math.isfinite(one.mean(spec.metric)) for one in own):
            raise Refusal(f"{model}: no setting has a value of {spec.metric}")
        why = "".join(f"# {line}\n" for line in evidence(own, spec.metric))
        text = strict.dump(laid(knee(own, spec.metric).cell))
        write_text(Path(model) / RECOMMENDED, f"# Written by `diffaudio sweep`.\n{why}{text}")
        log.info("%s: all scores of this experiment", summarise(Path(model)))
    others = beside(_folder(cells[0], options.set))
    _write(options.out, rows, others, spec.metric)
    if options.publish:
        _write(published, rows, others, spec.metric)
        log.info("%s: all published scores", show(Path.cwd()))
    sys.stdout.write(markdown(rows, spec.metric, others))
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--dump", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--set", default="test", help="which split of the corpus")
    parser.add_argument("--out", type=Path, required=True, help="folder of the comparison")
    parser.add_argument("--publish", type=bool, default=False, help="true: also into ./results")
    parser.add_argument("--nj", type=int, default=1, help="jobs at once")
    parser.add_argument("--ngpu", type=int, default=0, help="GPUs to decode on; 0 uses none")


def _scored(cell: Cell, path: Path, options: Any) -> Row:
    """Decode and score a cell; both know by themselves what is done."""
    model, split = Path(cell.model), options.set
    same = ["--config", str(model / "config.yaml"), "--config", str(path)]
    same += ["--data", str(options.data), "--exp", cell.model, "--set", split]
    same += ["--tag", cell.tag, "--nj", str(options.nj)]
    decode.main([*same, "--dump", str(options.dump), "--ngpu", str(options.ngpu)])
    score.scored(same)
    decoded = read_json(model / "decode" / cell.tag / split / "decode.json")
    return row(cell, decoded, read_json(_folder(cell, split) / "summary.json"))


def _check(rows: list[Row], metric: str, split: str) -> None:
    """Refuse a metric that ranks nothing, or a cell that compares with no other."""
    first, last = rows[0], rows[-1]
    ranks = [name for name, entry in last.metrics.items() if entry["better"]]
    if metric not in ranks:
        raise Refusal(
            f"sweep.metric: {metric} is none that was scored and says what is better",
            mend=f"one of {', '.join(ranks)}",
        )
    if last.found["protocol_sha256"] != first.found["protocol_sha256"]:
        raise Refusal(
            f"{last.cell.model}: is scored by another protocol than {first.cell.model}: "
            f"protocol.json in {_folder(last.cell, split)} and in {_folder(first.cell, split)}",
            mend="give both configurations the same sections audio and score",
        )


def _refuse_other(published: Path, spec: SweepSpec) -> None:
    """Refuse to replace the published comparison of other models."""
    path = published / "sweep.json"
    if path.is_file():
        held = {one["cell"]["model"] for one in read_json(path)["rows"]}
        if held != set(spec.models):
            raise Refusal(
                f"{path}: is the comparison of {', '.join(sorted(held))}",
                mend="give --out another name: its last part is that of what is published",
            )


def _folder(cell: Cell, split: str) -> Path:
    """Return where a cell's scores are."""
    return Path(cell.model) / "score" / cell.tag / split


def _write(out: Path, rows: list[Row], others: list[dict[str, Any]], metric: str) -> None:
    """Write the comparison for machines, for readers and for the eye."""
    found = [
        {"cell": asdict(one.cell), "evaluations": one.evaluations, "seconds": one.seconds}
        | {name: value for name, value in one.found.items() if name != "neighbours"}
        for one in rows
    ]
    write_json(out / "sweep.json", {"metric": metric, "rows": found, "beside": others})
    write_text(out / "sweep.md", markdown(rows, metric, others))
    write_text(out / "sweep.svg", chart(rows, metric))
    log.info("%s: table; %s: plot", out / "sweep.md", out / "sweep.svg")
