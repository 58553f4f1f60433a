"""From a recipe's rows to manifests: every row checked, every problem named, nothing lost silently.

    rows() -> slices, checked as rows -> checked as audio, in parallel -> <split>.jsonl, by id,
                                                                problems.jsonl and corpus.json

Rows with a problem are left out of the manifests and named in problems.jsonl. When a split loses
too many, or all, or when splits overlap, there are no manifests and the command fails.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffaudio import origins
from diffaudio.data import apart, faults, manifest, problem
from diffaudio.data.audio import AudioSpec
from diffaudio.data.manifest import Row
from diffaudio.data.validate import PROBLEMS, Collected, collect, repeats
from diffaudio.files import atomic, digest, write_json
from diffaudio.jobs import Task, run_tasks
from diffaudio.log import Refusal, log

__all__ = ["MAX_REJECT", "Split", "build", "examine_slice", "publish"]

MAX_REJECT = 0.01  # share of a split's rows that may be left out unless something else is asked


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
    max_reject: float | None,
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
        max_reject: the largest share of a split's rows that may be left out; None stands for
            `MAX_REJECT`, and for nothing in the splits of `disjoint`: a test set stays whole.
        nj: slices that are checked at once.

    Raises:
        Refusal: too many problems in a split, overlapping splits, no rows, or a `disjoint` that
            names what is not there; problems.jsonl has all problems.
    """
    out.mkdir(parents=True, exist_ok=True)
    for killed in out.glob(".rows.*"):  # a run that could not clean up
        shutil.rmtree(killed)
    with tempfile.TemporaryDirectory(dir=out, prefix=".rows.") as folder:
        fields = {key for keys in disjoint.values() for key in keys}
        collected = collect(rows, Path(folder), spec, fields=fields)
        if not collected.seen:
            raise Refusal(f"{root}: rows() found nothing", mend="check the corpus folder")
        apart.check(collected, disjoint)
        repeated = repeats(collected)
        tasks = [
            _task(path, root=root, spec=spec, skip=set(repeated.get(path, ())))
            for path in collected.slices
        ]
        counts = run_tasks(tasks, nj=nj, log_dir=out / "log", title="manifest")
        with atomic(out / "problems.jsonl") as file:
            file.write((Path(folder) / PROBLEMS).read_bytes())
            found = [each for lines in repeated.values() for each in lines.values()]
            file.writelines(map(problem.encode, [*found, *apart.overlaps(collected, disjoint)]))
            for path in collected.slices:
                file.write(path.with_suffix(".problems").read_bytes())
        kept: Counter[str] = sum(counts, Counter())
        _judge(out / "problems.jsonl", collected, kept, _limits(collected, disjoint, max_reject))
        checked = [path.with_suffix(".rows") for path in collected.slices]
        splits = publish(checked, out, collected.splits)
    for split, about in splits.items():
        log.info("%s %s", split, about.summary(spec))
    _advise(splits, disjoint)
    write_json(out / "corpus.json", _corpus(out, root, label, splits))


def _advise(splits: Mapping[str, Split], disjoint: Mapping[str, Sequence[str]]) -> None:
    """Warn of what is no mistake in itself and will most likely be one later."""
    for name in ("train", "valid"):
        if name not in splits:
            log.warning(
                "no split is called %s, which stage 4 reads; there are: %s\n"
                "  mend: call one so in rows(), or give diffaudio train --%s_set%s",
                *(name, ", ".join(sorted(splits)), name),
                " or train.valid_every 0" if name == "valid" else "",
            )
    if not disjoint and {"train", "test"} <= splits.keys():
        own = splits["test"].speakers
        if shared := own & splits["train"].speakers:
            log.warning(
                "%d of the %d speakers of test are in train, too: scores will not tell how it "
                "does on new voices\n"
                '  mend: DISJOINT = {"test": ["speaker"]} in local/data.py checks that none is',
                *(len(shared), len(own)),
            )


def _task(path: Path, *, root: Path, spec: AudioSpec, skip: set[int]) -> Task:
    arguments = {"path": path, "root": root, "spec": spec, "skip": skip}
    return Task(name=path.stem, function=examine_slice, arguments=arguments)


def examine_slice(path: Path, root: Path, spec: AudioSpec, skip: set[int]) -> Counter[str]:
    """Check the audio of one slice; write the good rows to .rows, the problems to .problems.

    Args:
        path: the slice, JSON lines.
        root: the corpus folder.
        spec: what the model wants.
        skip: lines that are known to be bad.

    Returns:
        The number of good rows of each split.
    """
    kept: Counter[str] = Counter()
    with atomic(path.with_suffix(".rows")) as good, atomic(path.with_suffix(".problems")) as bad:
        for number, row in enumerate(manifest.read(path)):
            if number in skip:
                continue
            checked, problems = faults.examine(row, root, spec)
            bad.writelines(map(problem.encode, problems))
            if not problems:
                good.write(manifest.encode(checked))
                kept[row["split"]] += 1
    return kept


def _limits(
    collected: Collected, disjoint: Iterable[str], max_reject: float | None
) -> dict[str, float]:
    """Return the share of rows that each split may lose; that of rows without a split is ""'s."""
    if max_reject is not None:
        return dict.fromkeys([*collected.seen, ""], max_reject)
    return {**dict.fromkeys([*collected.seen, ""], MAX_REJECT), **dict.fromkeys(disjoint, 0.0)}


def _judge(
    path: Path, collected: Collected, kept: Mapping[str, int], limits: Mapping[str, float]
) -> None:
    """Say what was left out; refuse when it is too much.

    Raises:
        Refusal: a split lost more than its limit, or all its rows; or splits overlap.
    """
    total = collected.seen.total()
    lost = {split: seen - kept.get(split, 0) for split, seen in collected.seen.items()}
    lost = {split: count for split, count in lost.items() if count}
    overlap = any(found.reason == "split overlap" for found in problem.read(path))
    if not (lost or overlap):
        return
    head = f"{path}: {sum(lost.values())} of {total} rows have a problem"
    told = "".join(f"\n  {_loss(split, lost, collected, limits)}" for split in lost)
    text = f"{head}{told}\n{problem.describe(problem.read(path))}"
    size = {**collected.seen, "": total}  # rows without a split are held against all
    over = [split for split in lost if lost[split] > limits[split] * size[split]]
    emptied = [split for split in lost if split and not kept.get(split)]
    if overlap or over or emptied:
        what = "mend them, leave them out in rows(), or raise --max_reject"
        what = f"nothing is left of {', '.join(emptied)}: mend it" if emptied else what
        what = "splits must not overlap" if overlap else what
        raise Refusal(text, mend=f"{what}; {path} names every one")
    log.warning("%s\nThese rows are left out.", text)


def _loss(
    split: str, lost: Mapping[str, int], collected: Collected, limits: Mapping[str, float]
) -> str:
    seen = collected.seen[split]
    percent = 100 * lost[split] / seen
    share = f"{percent:.2g}" if percent < 99 else f"{percent:.0f}"  # not 1e+02
    limit = f"limit {100 * limits[split]:g} %"
    return f"{split or 'no split'}: {lost[split]} of {seen} rows ({share} %, {limit})"


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
    inside = root.resolve().is_relative_to(Path.cwd())  # then it moves with the recipe
    return {
        "root": origins.stored(out, str(root)) if inside else str(root.resolve()),
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
