"""From a manifest to shards: decode, downmix, resample, FLAC, tar; one task per output shard.

Which items lie in which shard follows from the manifest and the number of items per shard alone, so
the bytes are the same with one job and with a hundred. Beside each shard lies a digest of what it
was made of: when a row or a file has changed, or a run was interrupted, the others are kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from diffaudio.data import merge, mix, shards
from diffaudio.data.audio import AudioSpec
from diffaudio.data.convert import convert, encode
from diffaudio.data.manifest import parse, read
from diffaudio.files import read_json, write_json
from diffaudio.jobs import Task, run_tasks
from diffaudio.log import Refusal, log

__all__ = ["VERSION", "ShardSpec", "disk_free", "disk_space", "prepare", "tasks", "write_shard"]

VERSION = 1  # raise it by hand when the same rows would give other shards
_RECORD = ".source"  # beside a shard: what it was made of, so that it need not be made again
_FLAC_SHARE = 0.6  # of 16-bit PCM: for the estimate of disk space only


@dataclass(frozen=True)
class ShardSpec:
    """The YAML section `shard`.

    Args:
        items: items per shard; also the size of one task.
    """

    items: int = 500

    def __post_init__(self) -> None:
        if self.items < 1:
            raise ValueError(f"items: {self.items} is not a positive number")


def write_shard(
    path: Path,
    *,
    manifest: Path,
    offset: int,
    items: int,
    root: Path,
    spec: AudioSpec,
    force: bool = False,
) -> dict[str, int]:
    """Write the shard of some lines of a manifest, unless it is there already.

    Args:
        path: the shard.
        manifest: JSON lines.
        offset: of the first line, in bytes.
        items: number of lines.
        root: the folder that audio paths are relative to.
        spec: rate, channels and roles to store.
        force: write it even if it is there.

    Returns:
        Counts: "items" and "samples" of the shard, "clipped" items, and "kept" or "written" shards.

    Raises:
        Refusal: audio that cannot be used, with its path; a line of the manifest that is no row,
            with its number; a full disk.
    """
    lines, rows = _lines(manifest, offset, items)
    files = [root / row["audio"][role] for row in rows for role in spec.roles]
    source = _source(lines, files, spec)
    record = path.with_name(f".{path.stem}{_RECORD}")
    if not force and (kept := _kept(path, record, source)):
        return {**kept, "kept": 1}
    counts = Counter(items=items, samples=0, clipped=0)
    with shards.create(path) as shard:
        for row in rows:
            counts.update(_write_item(shard, row, root, spec))
    index = shards.read_footer(path).sha256
    write_json(record, {"source": source, "index": index, "counts": counts})
    return {**counts, "written": 1}


def tasks(
    manifest: Path, out: Path, *, root: Path, audio: AudioSpec, shard: ShardSpec, force: bool
) -> list[Task]:
    """Return one task per shard of `manifest`; the last shard may be smaller.

    Args:
        manifest: JSON lines, by id.
        out: the folder of the shards.
        root: the folder that audio paths are relative to.
        audio: what to store.
        shard: how many items a shard holds.
        force: write shards that are there already.
    """
    starts, offset = [], 0
    with manifest.open("rb") as file:
        for line in file:
            starts.append(offset)
            offset += len(line)
    return [
        Task(
            name=f"{out.name}.{number:06d}",
            function=write_shard,
            arguments={
                "path": out / f"{number:06d}.tar",
                "manifest": manifest.absolute(),
                "offset": starts[first],
                "items": min(shard.items, len(starts) - first),
                "root": root.absolute(),
                "spec": audio,
                "force": force,
            },
        )
        for number, first in enumerate(range(0, len(starts), shard.items))
    ]


def prepare(
    work: Mapping[Path, Sequence[Task]], *, rate: int, nj: int, log_dir: Path
) -> dict[Path, dict[str, int]]:
    """Run the tasks of all folders together, remove what earlier runs left, build the indexes.

    Args:
        work: folder to its tasks.
        rate: of the stored audio in Hz.
        nj: tasks at once.
        log_dir: where the tasks' logs go.

    Returns:
        For each folder the sums of what `write_shard` counts.

    Raises:
        Refusal: a task failed for good; no index is written.
    """
    for folder in work:
        _sweep(folder.glob(".*.tmp.*"))
    together = [task for batch in work.values() for task in batch]
    results = iter(run_tasks(together, nj=nj, log_dir=log_dir, title="shard"))
    totals = {}
    for folder, batch in work.items():
        total = Counter(kept=0, written=0)
        for counts in islice(results, len(batch)):
            total.update(counts)
        made = [task.arguments["path"] for task in batch]
        records = {path.with_name(f".{path.stem}{_RECORD}") for path in made}
        _sweep(({*folder.glob("*.tar")} - {*made}) | ({*folder.glob(f".*{_RECORD}")} - records))
        merge.build(folder, made, rate=rate)
        totals[folder] = dict(total)
    return totals


def disk_space(*, hours: float, spec: AudioSpec) -> int:
    """Return the bytes that shards of so many hours will take, roughly."""
    pcm = 3600 * hours * spec.rate * 2 * spec.channels * len(spec.roles)
    return round(pcm * _FLAC_SHARE)


def disk_free(out: Path) -> int:
    """Return the bytes that are free where `out` is or will be."""
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    return shutil.disk_usage(existing).free


def _lines(path: Path, offset: int, items: int) -> tuple[list[bytes], list[dict[str, Any]]]:
    """Return some lines of a manifest as they are, and the rows that they hold."""
    with path.open("rb") as file:
        file.seek(offset)
        lines = [file.readline() for _ in range(items)]
    try:
        return lines, [parse(line) for line in lines]
    except ValueError as error:
        for _ in read(path):  # it names the first line that is no row
            pass
        raise Refusal(f"{path}: changed while it was read", mend="run it again") from error


def _sweep(paths: Iterable[Path]) -> None:
    """Remove what an earlier run left over."""
    for path in sorted(paths):
        log.info("%s: left over from an earlier run, removed", path)
        path.unlink()


def _kept(path: Path, record: Path, source: str) -> dict[str, int]:
    """Return the counts of the shard at `path` if it is whole and made of `source`, else none."""
    try:
        held = read_json(record)
        same = (held["source"], held["index"]) == (source, shards.read_footer(path).sha256)
    except Refusal:
        return {}
    return held["counts"] if same else {}


def _source(lines: list[bytes], files: list[Path], spec: AudioSpec) -> str:
    """Return a digest of what a shard is made of: rows, audio files (size and time), format."""
    try:
        states = [(about.st_size, about.st_mtime_ns) for about in map(Path.stat, files)]
    except OSError as error:
        raise Refusal(
            f"{error.filename}: {error.strerror}", mend="check the corpus: `diffaudio manifest`"
        ) from error
    made_of = json.dumps([VERSION, spec.rate, spec.channels, spec.roles, states])
    return hashlib.sha256(b"".join([made_of.encode(), *lines])).hexdigest()


def _write_item(
    shard: shards.ShardWriter, row: dict[str, Any], root: Path, spec: AudioSpec
) -> dict[str, int]:
    """Add one row's audio in every role; count its samples and whether it was clipped."""
    part = {"start": row.get("start"), "end": row.get("end")}
    stored = {role: convert(root / row["audio"][role], spec, **part) for role in spec.roles}
    lengths = {role: len(x) for role, (x, _) in stored.items()}
    samples = lengths[spec.target]
    if set(lengths.values()) != {samples}:
        raise Refusal(f"{row['id']}: the roles differ in length: {lengths} samples")
    meta = {**row, "rate": spec.rate, "samples": samples}
    if spec.given is not None:
        scaled = {role: x.astype(np.float32) / (1 << 15) for role, (x, _) in stored.items()}
        meta["powers"] = mix.powers(scaled[spec.target], scaled[spec.given])
    flac = {f"{role}.flac": encode(x, spec.rate) for role, (x, _) in stored.items()}
    shard.write(row["id"], flac, meta, samples=samples)
    return {"samples": samples, "clipped": int(any(n for _, n in stored.values()))}
