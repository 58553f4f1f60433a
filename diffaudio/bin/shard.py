"""`diffaudio shard`: from manifests to shards and their index, one folder per split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from diffaudio import provenance
from diffaudio.config import Config, parse
from diffaudio.data import manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.data.prepare import VERSION, ShardSpec, disk_free, disk_space, prepare, tasks
from diffaudio.files import digest, exclusive
from diffaudio.jobs import Task, check_jobs
from diffaudio.log import Refusal, log

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Convert the audio of every split of a data folder; splits that are up to date are left."""
    config = parse(
        argv,
        prog="diffaudio shard",
        description="Convert the audio of every manifest to shards that training reads at random.",
        sections={"audio": AudioSpec, "shard": ShardSpec},
        options=_options,
    )
    options = config.options
    check_jobs(options.nj)
    read = provenance.require(
        options.data,
        stage="manifest",
        keys=config.keys("audio"),
        usual=config.usual,
        mend="run `diffaudio manifest` with this configuration",
    )
    with exclusive(options.out):
        work = _work(config, read)
        totals = prepare(
            work, rate=config.build(AudioSpec).rate, nj=options.nj, log_dir=options.out / "log"
        )
        for folder, total in totals.items():
            provenance.finish(folder, also=("*.tar",))
            _report(folder, total)
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, one per split")
    parser.add_argument("--nj", type=int, default=1, help="shards that are written at once")
    parser.add_argument("--force", action="store_true", help="write every shard again")


def _work(config: Config, read: str) -> dict[Path, list[Task]]:
    """Return the tasks of every split that is not up to date, having said what they will take.

    Args:
        config: of this command.
        read: fingerprint of the manifests, and so of the corpus' files.
    """
    options, audio, shard = config.options, config.build(AudioSpec), config.build(ShardSpec)
    root, needed = manifest.root(options.data), 0
    work = {}
    for split, about in manifest.about(options.data, "splits")["splits"].items():
        path, out = options.data / f"{split}.jsonl", options.out / split
        inputs = {str(path): digest(path), str(options.data): read}
        must_run = provenance.begin(
            out,
            stage="shard",
            version=VERSION,
            keys=config.keys("audio", "shard"),
            usual=config.usual,
            inputs=inputs,
            force=options.force,
            outputs=("index",),
        )
        if must_run:
            work[out] = tasks(path, out, root=root, audio=audio, shard=shard, force=options.force)
            needed += _announce(out, about, work[out], audio, options.nj)
    free = disk_free(options.out)
    if needed > free:
        raise Refusal(
            f"{options.out}: about {_size(needed)} more are needed, {_size(free)} are free",
            mend="free some space, or give another folder with --out; what is there is kept",
        )
    return work


def _announce(out: Path, about: dict[str, Any], work: list[Task], audio: AudioSpec, nj: int) -> int:
    """Say what will be written; return the bytes that it will take, without what is there."""
    hours = about["hours"]
    size = disk_space(hours=hours, spec=audio)
    there = sum(path.stat().st_size for path in out.glob("*.tar"))
    log.info(
        "%s: %d items, %s -> %d shards, about %s%s, %d jobs",
        out,
        about["rows"],
        f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min",
        len(work),
        _size(size),
        f" ({_size(there)} are there)" if there else "",
        nj,
    )
    return max(0, size - there)


def _size(count: float) -> str:
    """Return a number of bytes for people: 29.3 kB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _report(folder: Path, total: dict[str, int]) -> None:
    log.info(
        "%s: %d items in %d shards written, %d kept; %d items clipped",
        *(folder, total["items"], total["written"], total["kept"], total["clipped"]),
    )
