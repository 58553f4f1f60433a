"""Batches of a data set for training and evaluation, as the plan says.

The training loader's whole state is the number of the next step: it gives the same batches with
any number of workers, after any restart, and, taken over all ranks, on any number of devices.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from diffaudio.data import plan
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch, Item, collate
from diffaudio.data.index import Index
from diffaudio.data.mix import Remix
from diffaudio.log import Refusal
from diffaudio.orphans import end_with_parent

__all__ = ["Batching", "check_audio", "copies", "eval_batches", "train_loader"]


@dataclass(frozen=True)
class Batching:
    """What a training step is made of.

    Args:
        global_batch: items per step over all devices.
        max_per_device: items that one device can hold at once; accumulation follows from it.
        crop_seconds: length of the random crops, rounded up to the grid; None takes whole items.
        grid: padded lengths are multiples of this many samples.
        workers: processes that read and decode; 0 does so in the training process.
        remix: augmentation of target and given; None leaves them as they are.
    """

    global_batch: int
    max_per_device: int
    crop_seconds: float | None = None
    grid: int = 1
    workers: int = 0
    remix: Remix | None = None


def train_loader(
    index: Index,
    spec: AudioSpec,
    batching: Batching,
    *,
    seed: int,
    start_step: int,
    rank: int = 0,
    world: int = 1,
    fields: Sequence[str] = (),
) -> Iterator[Batch]:
    """Yield one rank's micro-batches from `start_step` on, for ever.

    Every step gives each rank the same number of micro-batches of the same size
    (`plan.micro_batches`). Whole items are grouped by length; crops all have one shape, shorter
    items being padded to it.

    Raises:
        Refusal: the data set does not hold what `spec` and `batching` ask for.
    """
    check_audio(index, spec)
    if batching.remix and spec.given is None:
        raise Refusal("train.remix: there is no noise without a given role", mend="set audio.given")
    size, _ = plan.micro_batches(batching.global_batch, world, batching.max_per_device)
    grid, crop, lengths = batching.grid, None, index.samples
    if batching.crop_seconds is not None:
        crop = grid = -(-round(batching.crop_seconds * spec.rate) // grid) * grid
        lengths = np.zeros_like(lengths)
    places = plan.share(
        lengths,
        seed=seed,
        start_step=start_step,
        global_batch=batching.global_batch,
        size=size,
        rank=rank,
        world=world,
    )
    loader = DataLoader(
        _Items(index, spec, seed, crop, batching, fields),
        batch_sampler=places,  # an iterator will do: it is used once
        collate_fn=partial(collate, grid=grid),
        num_workers=batching.workers,
        worker_init_fn=_settle,
        generator=torch.Generator(),  # the loader draws a seed; it must not touch the global one
    )
    return iter(loader)


def _settle(worker: int) -> None:
    """Let a worker outlive what asks the run to stop, but not the training process itself.

    Batch systems signal every process of a job, and the run must still get its last batches before
    it saves. A worker that is left over would hold the experiment's lock.
    """
    del worker
    for number in (signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    # Time for the step, a validation and the checkpoint: a worker that dies before stops them.
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(600))
    end_with_parent()


def eval_batches(
    index: Index,
    spec: AudioSpec,
    rows: Sequence[int],
    *,
    max_seconds_per_batch: float,
    grid: int,
    seed: int = 0,
    fields: Sequence[str] = (),
    repeat: int = 1,
) -> Iterator[Batch]:
    """Yield whole utterances, longest first, neighbours in length together.

    Args:
        index: data set.
        spec: which roles to read.
        rows: of the index.
        max_seconds_per_batch: bound on items x longest; a longer utterance goes alone.
        grid: padded lengths are multiples of this many samples.
        seed: an item's key is `plan.key(seed, id)`.
        fields: of the manifest, to be carried along.
        repeat: how often each of `rows` is yielded, as <id>-000, <id>-001, ... if more than once.
    """
    check_audio(index, spec)
    limit = max_seconds_per_batch * spec.rate
    waiting: list[Item] = []
    for row in sorted(rows, key=lambda row: (-int(index.samples[row]), row)):
        audio = {role: index.read(row, role) for role in spec.roles}
        told = _told(index, row, fields)
        for name in copies(index.id(row), repeat):
            if waiting and (len(waiting) + 1) * len(waiting[0].audio[spec.target]) > limit:
                yield collate(waiting, grid=grid)
                waiting = []
            waiting.append(Item(name, audio, plan.key(seed, name), 0, told))
    if waiting:
        yield collate(waiting, grid=grid)


class _Items(Dataset[Item]):
    """Reads, crops and remixes what a plan names; every draw comes from the item's place."""

    def __init__(
        self,
        index: Index,
        spec: AudioSpec,
        seed: int,
        crop: int | None,
        batching: Batching,
        fields: Sequence[str],
    ) -> None:
        self._index, self._spec, self._seed, self._fields = index, spec, seed, fields
        self._crop, self._remix, self._global_batch = crop, batching.remix, batching.global_batch
        self._target, self._given = spec.target, spec.given or spec.target

    def __getitem__(self, place: plan.Place) -> Item:
        step, position, row = place
        key = plan.key(self._seed, step, position)
        frames = int(self._index.samples[row])
        frames = min(frames, self._crop or frames)
        audio = self._read(row, frames, plan.generator(key, "crop"))
        if self._remix is not None:
            self._mix(self._remix, audio, row, plan.generator(key, "remix"))
        told = _told(self._index, row, self._fields)
        time = plan.time(self._seed, step, position, self._global_batch)
        return Item(self._index.id(row), audio, key, step, told, time)

    def _read(self, row: int, frames: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Read the same random window of every role."""
        start = int(random.integers(int(self._index.samples[row]) - frames + 1))
        return {role: self._index.read(row, role, start, frames) for role in self._spec.roles}

    def _mix(
        self, remix: Remix, audio: dict[str, np.ndarray], row: int, random: np.random.Generator
    ) -> None:
        """Replace target and given by what `remix` makes of them and of another row's noise."""
        other = int(random.integers(len(self._index)))
        if random.random() >= remix.swap:
            other = row
        source = audio if other == row else self._partner(other, len(audio[self._target]), random)
        noise = np.resize(source[self._given] - source[self._target], audio[self._target].shape)
        audio[self._target], audio[self._given] = remix.apply(
            audio[self._target],
            noise,
            own=self._index.row(row)["powers"],
            other=self._index.row(other)["powers"],
            random=random,
        )

    def _partner(self, row: int, frames: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Read at most `frames` of another row; the caller repeats a shorter one."""
        return self._read(row, min(frames, int(self._index.samples[row])), random)


def copies(name: str, repeat: int) -> list[str]:
    """Return the names of an utterance that is made several times; its own if once."""
    return [name] if repeat == 1 else [f"{name}-{number:03d}" for number in range(repeat)]


def _told(index: Index, row: int, fields: Sequence[str]) -> dict[str, Any]:
    """Return what the manifest says of a row, as far as the model is conditioned on it."""
    if not fields:
        return {}
    row_of_manifest = index.row(row)
    missing = [name for name in fields if name not in row_of_manifest]
    if missing:
        raise Refusal(
            f"{index.folder}: {index.id(row)} has no {', '.join(missing)}, which model.condition "
            "reads",
            mend="let rows() give it to every utterance, or set model.condition to null",
        )
    return {name: row_of_manifest[name] for name in fields}


def check_audio(index: Index, spec: AudioSpec) -> None:
    """Refuse a data set that was prepared for another `audio` section."""
    missing = [role for role in spec.roles if role not in index.roles]
    if missing or index.rate != spec.rate:
        raise Refusal(
            f"{index.folder}: holds {', '.join(index.roles)} at {index.rate} Hz, "
            f"the configuration asks for {', '.join(spec.roles)} at {spec.rate} Hz",
            mend="prepare it with this configuration: `diffaudio shard`",
        )
