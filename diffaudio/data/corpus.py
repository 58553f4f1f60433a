"""From a recipe's rows to manifests: every row checked, every problem named, nothing lost silently.

    rows() -> slices, checked as rows -> checked as audio, in parallel -> <split>.jsonl, by id,
                                                                problems.jsonl and corpus.json

Rows with a problem are left out of the manifests and named in problems.jsonl. When they are too
many, or when splits overlap, there are no manifests and the command fails.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffaudio.data import faults, manifest, problem
from diffaudio.data.audio import AudioSpec
from diffaudio.data.manifest import Row
from diffaudio.data.validate import PROBLEMS, Collected, collect, overlaps, repeats
from diffaudio.files import atomic, digest, write_json
from diffaudio.jobs import Task, run_tasks
from diffaudio.log import Refusal, log

__all__ = ["Split", "build", "examine_slice", "publish"]


@dataclass
class Split:
    """What a split holds; rates and channels count the items that have them."""

    rows: int = 0
    seconds: float = 0.0
    speakers: set[str] = field(default_factory=set)
    rates: Counter[int] = field(default_factory=Counter)
    channels: Counter[int] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count a row."""
        self.rows += 1
        self.seconds += row["samples"] / row["rate"]
        self.rates[row["rate"]] += 1
        self.channels[row["channels"]] += 1
        if "speaker" in row:
            self.speakers.add(str(row["speaker"]))

    def summary(self, spec: AudioSpec) -> str:
        """Return `812 items, 1.4 h, 5 speakers, 16 kHz`, and what will be changed in shards."""
        words = [f"{self.rows} items", f"{self.seconds / 3600:.2f} h"]
        if self.speakers:
            words.append(f"{len(self.speakers)} speaker{'s' if len(self.speakers) > 1 else ''}")
        words.append(" and ".join(f"{rate / 1000:g} kHz" for rate in sorted(self.rates)))
        if set(self.rates) != {spec.rate}:
            words[-1] += f" (shards: resampled to {spec.rate / 1000:g} kHz)"
        if set(self.channels) != {spec.channels}:
            words.append(f"up to {max(self.channels)} channels (shards: mixed to {spec.channels})")
        return ", ".join(words)


def build(
    rows: Iterable[Any],
    out: Path,
    *,
    root: Path,
    spec: AudioSpec,
    label: str,
    disjoint: Mapping[str, Sequence[str]],
    max_reject: float,
    nj: int,
) -> None:
    """Check rows and write manifests, problems.jsonl and corpus.json.

    Args:
        rows: of the recipe.
        out: the data folder.
        root: the corpus folder.
        spec: what the model wants.
        label: what tables call the corpus.
        disjoint: split to the fields whose values no other split may have.
        max_reject: the largest share of rows that may be left out.
        nj: slices that are checked at once.

    Raises:
        Refusal: too many problems, overlapping splits, or no rows; problems.jsonl has them all.
    """
    out.mkdir(parents=True, exist_ok=True)
    for killed in out.glob(".rows.*"):  # a run that could not clean up
        shutil.rmtree(killed)
    with tempfile.TemporaryDirectory(dir=out, prefix=".rows.") as folder:
        fields = {key for keys in disjoint.values() for key in keys}
        collected = collect(rows, Path(folder), spec, fields=fields)
        if not collected.seen:
            raise Refusal(f"{root}: rows() found nothing", mend="check the corpus folder")
        repeated = repeats(collected)
        tasks = [
            _task(path, root=root, spec=spec, skip=set(repeated.get(path, ())))
            for path in collected.slices
        ]
        counts = run_tasks(tasks, nj=nj, log_dir=out / "log", title="manifest")
        with atomic(out / "problems.jsonl") as file:
            file.write((Path(folder) / PROBLEMS).read_bytes())
            found = [each for lines in repeated.values() for each in lines.values()]
            file.writelines(map(problem.encode, [*found, *overlaps(collected, disjoint)]))
            for path in collected.slices:
                file.write(path.with_suffix(".problems").read_bytes())
        _judge(out / "problems.jsonl", collected, kept=sum(counts), max_reject=max_reject)
        checked = [path.with_suffix(".rows") for path in collected.slices]
        splits = publish(checked, out, collected.splits)
    for split, about in splits.items():
        log.info("%s %s", split, about.summary(spec))
    write_json(out / "corpus.json", _corpus(out, root, label, splits))


def _task(path: Path, *, root: Path, spec: AudioSpec, skip: set[int]) -> Task:
    arguments = {"path": path, "root": root, "spec": spec, "skip": skip}
    return Task(name=path.stem, function=examine_slice, arguments=arguments)


def examine_slice(path: Path, root: Path, spec: AudioSpec, skip: set[int]) -> int:
    """Check the audio of one slice; write the good rows to .rows, the problems to .problems.

    Args:
        path: the slice, JSON lines.
        root: the corpus folder.
        spec: what the model wants.
        skip: lines that are known to be bad.

    Returns:
        The number of good rows.
    """
    kept = 0
    with atomic(path.with_suffix(".rows")) as good, atomic(path.with_suffix(".problems")) as bad:
        for number, row in enumerate(manifest.read(path)):
            if number in skip:
                continue
            checked, problems = faults.examine(row, root, spec)
            bad.writelines(map(problem.encode, problems))
            if not problems:
                good.write(manifest.encode(checked))
                kept += 1
    return kept


def _judge(path: Path, collected: Collected, *, kept: int, max_reject: float) -> None:
    """Say what was left out; refuse when it is too much.

    Raises:
        Refusal: above `max_reject`, or splits overlap.
    """
    left_out = collected.seen - kept
    overlap = any(found.reason == "split overlap" for found in problem.read(path))
    if not (left_out or overlap):
        return
    share = left_out / collected.seen
    head = f"{path}: {left_out} of {collected.seen} rows have a problem ({100 * share:.2g} %"
    text = f"{head}, limit {100 * max_reject:g} %)\n{problem.describe(problem.read(path))}"
    if overlap or share > max_reject:
        what = "splits must not overlap" if overlap else "mend them or raise --max_reject"
        raise Refusal(text, mend=f"{what}; {path} names every one")
    log.warning("%s\nThese rows are left out.", text)


def publish(slices: Sequence[Path], out: Path, splits: Iterable[str]) -> dict[str, Split]:
    """Write the manifest of each split from checked rows, and return what they hold."""
    written = {}
    for split in splits:
        written[split] = Split()
        rows = (row for path in slices for row in manifest.read(path) if row["split"] == split)
        manifest.write(out / f"{split}.jsonl", _counted(rows, written[split]))
    return written


def _counted(rows: Iterable[Row], split: Split) -> Iterator[Row]:
    for row in rows:
        del row["split"]
        split.add(row)
        yield row


def _corpus(out: Path, root: Path, label: str, splits: Mapping[str, Split]) -> dict[str, Any]:
    return {
        "root": str(root.resolve()),
        "label": label,
        "splits": {
            split: {
                "rows": about.rows,
                "hours": about.seconds / 3600,
                "speakers": len(about.speakers),
                "rates": sorted(about.rates),
                "sha256": digest(out / f"{split}.jsonl"),
            }
            for split, about in splits.items()
        },
    }
