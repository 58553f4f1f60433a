"""What is compared with Matcha-TTS, and on what: our model, the data of both, and their times.

Ours and Matcha-TTS take the same steps and speak the same texts in turn, so that what else the
machine is doing meets both. A contestant's times are those of each turn.
"""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from matcha_env import Peer
from torch import Tensor

from diffaudio.codec import Codec, LogMel
from diffaudio.config import Config
from diffaudio.data import plan
from diffaudio.data.audio import AudioSpec
from diffaudio.data.index import Index
from diffaudio.data.loader import Batching, train_loader
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.texts import look_up
from diffaudio.decode.trained import Meter, Trained, load
from diffaudio.decode.vocoder import with_vocoder
from diffaudio.files import atomic, read_json, write_json
from diffaudio.log import Refusal, log
from diffaudio.model import Model
from diffaudio.train.job import Job
from diffaudio.train.launch import Asked
from diffaudio.train.loop import Run
from diffaudio.train.schedule import learning_rate
from diffaudio.train.signals import Stop
from diffaudio.train.spec import TrainSpec
from diffaudio.train.world import join, settled

__all__ = ["OURS", "PEER", "PUBLISHED", "Bench", "Times", "clocked", "exported", "ours"]
__all__ += ["synthesis", "trained_peer", "training", "voice"]

OURS, PEER = "ours", "Matcha-TTS"
TURN, CHUNK = 3, 100  # steps of a turn, and between checkpoints
RATE = 1e-4
PUBLISHED = {"betas": [0.9, 0.999], "weight_decay": 0.0, "clip": 5.0}
T = TypeVar("T")
Times = dict[str, list[dict[str, float]]]  # contestant to {"wall", "cpu"} of each turn


@dataclass(frozen=True)
class Bench:
    """What is compared, and on what.

    Args:
        config: of ours.
        trained: ours, as it speaks.
        spec: ours, as it is trained.
        train: what both are trained on.
        test: what both speak.
        peer: Matcha-TTS, begun.
        asked: of it: folder of its items, its sizes.
    """

    config: Config
    trained: Trained
    spec: TrainSpec
    train: Index
    test: Index
    peer: Peer
    asked: dict[str, Any]

    @property
    def codec(self) -> Codec:
        """Return what makes mels of both."""
        return self.trained.model.codec


def clocked(run: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """Return what a run gives, and its seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = run()
    return made, {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def voice(config: Config, exp: Path | None, dump: Path) -> Trained:
    """Return our model, with new weights where there is no experiment.

    Raises:
        Refusal: it is no voice.
    """
    spec = config.build(DecodeSpec)
    if exp is None:
        model = config.build(Model).requires_grad_(False).eval()
        trained = Trained(config.build(AudioSpec), model, spec, torch.device("cpu"), {}, Meter())
    else:
        trained = with_vocoder(load(exp, config, spec), exp)
    if trained.model.prior is None or not isinstance(trained.model.codec, LogMel):
        raise Refusal("the model reads no text, or makes no mels", mend="give that of a voice")
    look_up(trained, dump)
    return trained


def exported(trained: Trained, index: Index, folder: Path) -> None:
    """Write each item's symbols and mels, (bands, l), that are not there yet."""
    (told,) = trained.model.fields
    for row in range(len(index)):
        path = folder / f"{index.id(row)}.npz"
        if path.is_file():
            continue
        sound = torch.from_numpy(index.read(row, trained.audio.target).T)[None]
        ids = trained.model.prior.reader.read(index.row(row)[told]).ids
        mel = trained.model.codec.encode(sound)[0, 0].numpy()
        with atomic(path) as file:
            np.savez(file, ids=np.array(ids), mel=mel)


def batches(index: Index, spec: TrainSpec, start: int) -> Iterator[list[str]]:
    """Yield the ids of every step's batch, those of our loader."""
    size = spec.global_batch
    shared = {"seed": spec.seed, "start_step": start, "global_batch": size, "size": size}
    for places in plan.share(index.samples, **shared, rank=0, world=1):
        yield [index.id(row) for _, _, row in places]


def run_of(bench: Bench, exp: Path) -> tuple[Run, Iterator[Any]]:
    """Return our training, anew, and its batches."""
    model, spec = bench.config.build(Model), replace(bench.spec, steps=10**6, init_from=None)
    model.prior.reader = bench.trained.model.prior.reader
    batching = Batching(spec.global_batch, spec.max_per_device)
    told = {"seed": spec.seed, "fields": model.fields}

    def loaded(step: int) -> Iterator[Any]:
        return train_loader(bench.train, bench.trained.audio, batching, start_step=step, **told)

    job = Job(exp, spec, model, loaded, bench.trained.audio.rate, fingerprint={})
    return Run(job, join(Asked())), loaded(0)


def training(bench: Bench, turns: int) -> Times:
    """Take the same steps in turn; return the seconds of a step."""
    times: Times = {OURS: [], "fp32": [], "bf16": []}
    ids = batches(bench.train, bench.spec, 0)
    with tempfile.TemporaryDirectory() as folder:
        run, loaded = run_of(bench, Path(folder))
        with run.watched() as run.monitor, settled(bench.spec.threads, torch.device("cpu")):
            for turn in range(1 + turns):
                steps = [{"ids": one, "lr": bench.spec.lr} for one in itertools.islice(ids, TURN)]
                found = {OURS: [clocked(lambda: run.step(loaded, Stop()))[1] for _ in steps]}
                for precision in ("fp32", "bf16"):
                    asked = {"steps": steps, "crop": crop(bench), "precision": precision}
                    found[precision] = bench.peer.ask("train", **asked)
                for name, each in found.items():  # the first turn chooses kernels
                    means = {k: statistics.fmean(x[k] for x in each) for k in ("wall", "cpu")}
                    times[name] += [means] * (turn > 0)
    return times


def crop(bench: Bench) -> int:
    """Return the frames that a decoder is trained on."""
    seconds = bench.trained.model.objective.segment
    most = int(bench.train.samples.max()) // bench.codec.hop
    return most if seconds is None else round(seconds * bench.trained.audio.rate / bench.codec.hop)


def ours(bench: Bench, row: int, frames: int | None = None) -> tuple[Tensor, dict[str, float]]:
    """Make the state of a test text, (1, 1, bands, l), as long as predicted or so many frames."""
    model, spec = bench.trained.model, bench.trained.spec
    told = {name: [bench.test.row(row)[name]] for name in model.fields}
    keys, scale = [plan.key(spec.seed, bench.test.id(row))], spec.length_scale
    if frames is not None:
        scale = frames / int(model.plan(told).frames)

    def make() -> Tensor:
        planned = model.plan(told, length_scale=scale)
        samples = model.codec.samples(planned.frames)
        return model.sample(planned, samples, keys, spec.sampler, fields=told)

    with torch.inference_mode(), bench.trained.metered(1):
        state, spent = clocked(make)
    return state.float(), spent


def synthesis(bench: Bench, asked: dict[str, Any]) -> Times:
    """Speak the test set in turn, as long as its recordings; return seconds per second of it."""
    times: Times = {OURS: [], "fp32": [], "bf16": []}
    for turn, row in enumerate([0, *range(len(bench.test))]):
        frames = int(bench.codec.frames(torch.tensor(int(bench.test.samples[row]))))
        made, spent = ours(bench, row, frames)
        found = {OURS: {**spent, "frames": made.shape[-1]}}
        for precision in ("fp32", "bf16"):
            named = {"name": bench.test.id(row), "seed": row, "frames": frames, "out": None}
            found[precision] = bench.peer.ask("speak", **named, **asked, precision=precision)
        for name, one in found.items():
            seconds = one["frames"] * bench.codec.hop / bench.trained.audio.rate
            rates = {kind: one[kind] / seconds for kind in ("wall", "cpu")}
            times[name] += [rates] * (turn > 0)
    return times


def trained_peer(bench: Bench, folder: Path, steps: int, *, published: bool) -> None:
    """Train Matcha-TTS to the last step from wherever it stands.

    Raises:
        Refusal: what is there was begun with other data, sizes or settings.
    """
    spec, path = replace(bench.spec, steps=steps), str(folder / "checkpoint.pt")
    own = {"betas": list(spec.betas), "weight_decay": spec.weight_decay, "clip": spec.clip}
    asked = {**bench.asked, **(PUBLISHED if published else own)}
    rates = RATE if published else [spec.lr, spec.warmup, spec.decay, steps]
    whole = {**asked, "rates": rates, "batch": [spec.global_batch, spec.seed, crop(bench)]}
    begun = folder / "begun.json"
    if begun.is_file() and read_json(begun) != whole:
        raise Refusal(f"{folder}: was begun otherwise: {begun.name}", mend="give another --work")
    write_json(begun, whole)
    bench.peer.ask("begin", **asked)
    first = bench.peer.ask("restore", path=path)
    ids = batches(bench.train, spec, first)
    for start in range(first, steps, CHUNK):
        todo = [
            {"ids": next(ids), "lr": RATE if published else learning_rate(step, spec)}
            for step in range(start, min(start + CHUNK, steps))
        ]
        rows = bench.peer.ask("train", steps=todo, crop=crop(bench), precision="fp32")
        bench.peer.ask("save", path=path)
        means = {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}
        shown = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        log.info("%s: step %d of %d: %s", PEER, start + len(rows), steps, shown)
        with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": start + len(rows), **means}) + "\n")
