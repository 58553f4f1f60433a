"""Speed of preparation, loading and cropping, beside lhotse and webdataset in the same run.

    python test/bench/data.py [--seconds 300] [--rounds 7]

Makes its own audio (noise and tones). Contestants take turns; medians over the rounds are shown,
and of their ratio. Preparation is measured in processor time of one core, loading in wall time.
Exits with 1 if a figure misses its floor.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import soundfile
import torch
import webdataset

from diffaudio.data import convert, manifest, merge, plan, prepare, shards
from diffaudio.data.audio import AudioSpec
from diffaudio.data.index import Index
from diffaudio.data.loader import Batching, train_loader

RATE = 16000
SPEC = AudioSpec(rate=RATE, target="clean")
BATCH = 16


def sound(seconds: float, rate: int, channels: int, seed: int) -> np.ndarray:
    """Tones that come and go over noise: (n, a) float, compressed by FLAC to about a half."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate))[:, None] / rate
    tones = sum(np.sin(2 * np.pi * f * t) for f in random.uniform(100, 3000, 5))
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(1, 4, channels) * t)
    return 0.06 * envelope * tones + 0.01 * random.normal(size=(len(t), channels))


def write_corpus(root: Path, seconds: float) -> None:
    """Write 10 s files, 44.1 kHz stereo wav, and their manifest."""
    rows = []
    for number in range(round(seconds / 10)):
        soundfile.write(root / f"{number:04d}.wav", sound(10, 44100, 2, number), 44100)
        rows.append({"id": f"{number:04d}", "audio": {"clean": f"{number:04d}.wav"}})
    manifest.write(root / "train.jsonl", rows)


def prepare_ours(root: Path, out: Path) -> None:
    """Wav to mono 16 kHz FLAC shards, in this process."""
    shard = prepare.ShardSpec(items=1000)
    arguments = {"root": root, "audio": SPEC, "shard": shard, "force": True}
    for task in prepare.tasks(root / "train.jsonl", out, **arguments):
        task.function(**task.arguments)


def prepare_lhotse(root: Path, out: Path) -> None:
    """The same with lhotse: recordings, mono, 16 kHz, FLAC in Shar."""
    from lhotse import CutSet, Recording

    out.mkdir(exist_ok=True)
    recordings = (Recording.from_file(path) for path in sorted(root.glob("*.wav")))
    cuts = (r.to_cut().to_mono(mono_downmix=True).resample(RATE) for r in recordings)
    CutSet.from_cuts(cuts).to_shar(out, fields={"recording": "flac"}, shard_size=1000)


def write_utterances(folder: Path, count: int) -> None:
    """Write shards of `count` utterances of 2 to 8 s, 16 kHz mono."""
    lengths = np.random.default_rng(0).uniform(2, 8, count)
    paths = []
    for first in range(0, count, 100):
        paths.append(folder / f"{first:06d}.tar")
        with shards.create(paths[-1]) as shard:
            for number in range(first, min(count, first + 100)):
                stored, _ = convert.quantise(sound(lengths[number], RATE, 1, number))
                fields = {"clean.flac": convert.encode(stored, RATE)}
                shard.write(f"{number:06d}", fields, {}, samples=len(stored))
    merge.build(folder, paths, rate=RATE)


def load_ours(folder: Path, count: int, workers: int) -> None:
    """Take `count` utterances through the training loader, shuffled, padded, in batches."""
    batching = Batching(BATCH, BATCH, workers=workers)
    batches = train_loader(Index.open(folder), SPEC, batching, seed=0, start_step=0)
    for _ in itertools.islice(batches, count // BATCH):
        pass


def pad(samples: list[torch.Tensor]) -> torch.Tensor:
    """Join (n,) tensors to (b, 1, n)."""
    return torch.nn.utils.rnn.pad_sequence(samples, batch_first=True)[:, None]


def decode_sample(sample: dict[str, bytes]) -> torch.Tensor:
    """Decode what webdataset read."""
    x, _ = soundfile.read(io.BytesIO(sample["clean.flac"]), dtype="float32")
    return torch.from_numpy(x)


def load_webdataset(folder: Path, count: int, workers: int) -> None:
    """Take `count` utterances through webdataset's own pipeline, shuffled, padded, in batches."""
    urls = [str(path) for path in sorted(folder.glob("*.tar"))]
    data = webdataset.WebDataset(urls, shardshuffle=100, resampled=True).shuffle(100)
    data = data.map(decode_sample).batched(BATCH, collation_fn=pad)
    loader = webdataset.WebLoader(data, batch_size=None, num_workers=workers)
    for _ in itertools.islice(loader, count // BATCH):
        pass


def crop_times(folder: Path, count: int) -> list[float]:
    """Return milliseconds per random 1.5 s crop of a 300 s file, 44.1 kHz stereo."""
    stored, _ = convert.quantise(sound(300, 44100, 2, 0))
    path = folder / "long.tar"
    with shards.create(path) as shard:
        shard.write("a", {"mix.flac": convert.encode(stored, 44100)}, {}, samples=len(stored))
    index = merge.build(folder, [path], rate=44100)
    times = []
    for start in np.random.default_rng(0).integers(0, len(stored) - 66150, count).tolist():
        begin = time.perf_counter()
        index.read(0, "mix", start, 66150)
        times.append(1000 * (time.perf_counter() - begin))
    return times


def timed(function: Callable[[], None], clock: Callable[[], float]) -> float:
    """Return the seconds that one call takes by `clock`."""
    begin = clock()
    function()
    return clock() - begin


def duel(
    ours: Callable[[], None], theirs: Callable[[], None], rounds: int, clock: Callable[[], float]
) -> tuple[float, float, float]:
    """Let two take turns; return the median seconds of each, and of theirs over ours."""
    pairs = []
    for number in range(rounds):
        order = (ours, theirs) if number % 2 else (theirs, ours)
        found = {function: timed(function, clock) for function in order}
        pairs.append((found[ours], found[theirs]))
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    return mine, other, statistics.median(b / a for a, b in pairs)


def preparation(work: Path, seconds: float, rounds: int) -> Iterator[tuple[str, float, str, bool]]:
    """Yield the figures of preparation; lhotse (`pip install lhotse`) takes part if it is there."""
    if find_spec("lhotse") is None:
        ours = statistics.median(
            timed(lambda: prepare_ours(work / "corpus", work / "ours"), time.process_time)
            for _ in range(rounds)
        )
    else:
        ours, theirs, ratio = duel(
            lambda: prepare_ours(work / "corpus", work / "ours"),
            lambda: prepare_lhotse(work / "corpus", work / "lhotse"),
            rounds,
            time.process_time,
        )
        yield "lhotse to_shar, x real time per core", seconds / theirs, "", True
        yield "preparation over lhotse", ratio, ">= 1.0", ratio >= 1
    speed = seconds / ours
    yield "preparation, x real time per core", speed, ">= 500", speed >= 500


def figures(work: Path, seconds: float, rounds: int) -> Iterator[tuple[str, float, str, bool]]:
    """Yield what was measured: name, value, floor, whether it is met."""
    for name in ("corpus", "utterances", "crop"):
        (work / name).mkdir()
    write_corpus(work / "corpus", seconds)
    yield from preparation(work, seconds, rounds)
    count = 640
    write_utterances(work / "utterances", count)
    for workers in (0, 2):
        ours, theirs, ratio = duel(
            lambda workers=workers: load_ours(work / "utterances", count, workers),
            lambda workers=workers: load_webdataset(work / "utterances", count, workers),
            rounds,
            time.perf_counter,
        )
        yield f"loader, utterances/s, {workers} workers", count / ours, "", True
        yield f"webdataset, utterances/s, {workers} workers", count / theirs, "", True
        yield f"loader over webdataset, {workers} workers", ratio, ">= 1.0", ratio >= 1
    crop = statistics.median(crop_times(work / "crop", 50))
    yield "1.5 s crop of 300 s, 44.1 kHz stereo, ms", crop, "<= 10", crop <= 10
    lengths = np.random.default_rng(0).integers(1, 10**6, 10**6)
    taken = timed(lambda: plan.steps(lengths, seed=0, epoch=0, global_batch=16), time.perf_counter)
    yield "plan of an epoch of a million rows, s", taken, "<= 5", taken <= 5


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300, help="of audio to prepare")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contestant")
    options = parser.parse_args()
    torch.set_num_threads(1)
    met = True
    with tempfile.TemporaryDirectory() as work:
        for name, value, floor, well in figures(Path(work), options.seconds, options.rounds):
            sys.stdout.write(f"{name:45} {value:10.2f}   {floor:8} {'' if well else 'MISSED'}\n")
            sys.stdout.flush()
            met &= well
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
