"""The order of training: pure functions of (seed, epoch, step). Nothing here has a state.

An epoch is a shuffle of all rows cut into steps of `global_batch` rows, whatever the number of
devices; how a step is divided among devices and micro-batches is decided last. A loader that knows
the number of the next step knows everything. Every random draw of an item is keyed by (seed, step,
position in the step), so it does not depend on the division either; nor does the training time,
which is spread over the step by position.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import numpy as np

from diffaudio.log import Refusal

__all__ = ["Place", "epoch_steps", "generator", "key", "micro_batches", "share", "steps", "time"]

Place = tuple[int, int, int]  # step, position in the step's global batch, row of the index


def key(*parts: int | str) -> int:
    """Return a number below 2^63 that depends on `parts` alone, on any machine.

    BLAKE2b of their JSON: numbers and strings never collide by being written side by side.
    """
    text = json.dumps([part if isinstance(part, str) else int(part) for part in parts])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """Return a generator (Philox) whose stream depends on `parts` alone."""
    return np.random.Generator(np.random.Philox(key=key(*parts)))


def time(seed: int, step: int, position: int, global_batch: int) -> float:
    """Return the u in [0, 1) from which an item's training time is made.

    Each is uniform by itself, while those of a step lie at even distances around the circle, so
    that the step's mean loss varies less than with independent draws.

    Source: Kingma et al., Variational Diffusion Models, 2021 (arXiv:2107.00630), appendix I.1.
    """
    return float((generator(seed, step, "time").random() + position / global_batch) % 1.0)


def epoch_steps(rows: int, global_batch: int) -> int:
    """Return the number of steps in which every one of `rows` rows is seen once."""
    return -(-rows // global_batch)


def steps(
    lengths: np.ndarray, *, seed: int, epoch: int, global_batch: int, pool: int = 64
) -> np.ndarray:
    """Return the rows of every step of an epoch.

    The rows are shuffled and cut into pools of `pool` steps; each pool is sorted by length, so that
    a step holds rows of similar length; then the steps are shuffled. Rows of equal length stay
    shuffled. Every row occurs once; the last step is filled with rows of the first ones.

    Args:
        lengths: (rows,), any unit; all equal gives a plain shuffle.
        seed: of the run.
        epoch: counts from 0.
        global_batch: rows per step over all devices.
        pool: steps per pool; more means more alike, and less random.

    Returns:
        (steps, global_batch) row numbers.
    """
    random = generator("plan", seed, epoch)
    count = epoch_steps(len(lengths), global_batch)
    rows = np.resize(random.permutation(len(lengths)), count * global_batch)
    pools = np.arange(len(rows)) // (pool * global_batch)
    rows = rows[np.lexsort((np.asarray(lengths)[rows], pools))]
    return rows.reshape(count, global_batch)[random.permutation(count)]


def micro_batches(global_batch: int, world: int, max_per_device: int) -> tuple[int, int]:
    """Return (items per micro-batch, micro-batches per device and step).

    The largest micro-batch of at most `max_per_device` items that divides the step evenly, so that
    the mean over micro-batches is the mean over the global batch.

    Raises:
        Refusal: the global batch cannot be shared evenly by `world` devices.
    """
    if min(global_batch, world, max_per_device) < 1:
        raise Refusal(
            f"global_batch {global_batch}, devices {world}, max_per_device {max_per_device}: "
            "each must be at least 1"
        )
    if global_batch % world:
        below, above = global_batch // world * world, -(-global_batch // world) * world
        raise Refusal(
            f"global_batch {global_batch} cannot be shared evenly by {world} devices",
            mend=f"set global_batch to {f'{below} or ' * bool(below)}{above}, or use fewer devices",
        )
    items = global_batch // world
    size = next(n for n in range(min(items, max_per_device), 0, -1) if items % n == 0)
    return size, items // size


def share(
    lengths: np.ndarray,
    *,
    seed: int,
    start_step: int,
    global_batch: int,
    size: int,
    rank: int,
    world: int,
) -> Iterator[list[Place]]:
    """Yield one device's micro-batches from `start_step` on, for ever.

    The step's rows are cut into micro-batches of `size` neighbours (of similar length), dealt to
    the devices in turn; together the devices cover the step, whatever their number.
    """
    per_epoch = epoch_steps(len(lengths), global_batch)
    epoch, first = divmod(start_step, per_epoch)
    while True:
        plan = steps(lengths, seed=seed, epoch=epoch, global_batch=global_batch)
        for within in range(first, per_epoch):
            step = epoch * per_epoch + within
            for start in range(rank * size, global_batch, world * size):
                positions = range(start, start + size)
                yield [(step, position, int(plan[within, position])) for position in positions]
        epoch, first = epoch + 1, 0
