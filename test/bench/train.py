"""What the training loop costs a step over a bare loop that does the same sums.

    python test/bench/train.py [--steps 300]

The bare loop is twelve lines: forward, backward, clip, AdamW, average. Ours adds accelerate, keyed
dropout, the exchange between ranks, the check for finite numbers, the log, the progress bar and the
curves. The two take turns, ten steps at a time; medians of processor time are shown, which what
else the machine is doing hardly changes. Exits with 1 above the ceiling.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from torch import Tensor, nn

from diffaudio.data.batch import Batch
from diffaudio.train.ema import Ema, half_life
from diffaudio.train.job import Job
from diffaudio.train.launch import Asked
from diffaudio.train.loop import Run
from diffaudio.train.schedule import adamw
from diffaudio.train.signals import Stop
from diffaudio.train.spec import TrainSpec
from diffaudio.train.world import join, settled

CEILING = 1.5  # ms a step
TURN = 10  # steps
ITEMS, SAMPLES = 4, 1000


class Net(nn.Module):
    """Sixty-four small convolutions: 128 tensors, about as many as a real network has."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv1d(1, 16, 16, 8)
        self.rest = nn.ModuleList(nn.Conv1d(16, 16, 3, padding=1) for _ in range(63))

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return each item's loss, as a model does."""
        x = self.first(batch.target)
        for layer in self.rest:
            x = x + torch.tanh(layer(x))
        losses = x.square().mean((1, 2))
        return losses, {"state": losses.detach()}


@dataclass
class Batches:
    """The same audio again and again: data are not what is measured."""

    step: int = 0

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        audio = {"clean": torch.ones(ITEMS, 1, SAMPLES)}
        names, keys = [str(n) for n in range(ITEMS)], list(range(ITEMS))
        self.step += 1
        return Batch(names, audio, torch.full((ITEMS,), SAMPLES), keys, self.step - 1)


def bare_loop(spec: TrainSpec) -> Callable[[], None]:
    """Return one step of the bare loop."""
    model, batches, count = Net().train(), Batches(), itertools.count(1)
    optimizer, ema = adamw(model, spec), Ema(model, half_life(spec.ema))

    def step() -> None:
        losses, _ = model(next(batches))
        loss = losses.mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), spec.clip)
        optimizer.step()
        ema.update(next(count))
        loss.item()

    return step


def measure(steps: int, exp: Path) -> tuple[float, float]:
    """Return the medians of a step of the bare loop and of ours, in ms."""
    spec = TrainSpec(
        steps=10**6, global_batch=ITEMS, max_per_device=ITEMS, threads=1, precision="fp32"
    )
    accelerator, stop = join(Asked()), Stop()
    job = Job(exp=exp, spec=spec, model=Net(), batches=Batches, rate=16000, fingerprint={})
    run, batches, bare = Run(job, accelerator), Batches(), bare_loop(spec)
    times: tuple[list[float], list[float]] = ([], [])
    with settled(1, accelerator.device), run.watched() as run.monitor:
        for turn in range(2 * (steps // TURN)):
            for _ in range(TURN):
                began = time.process_time()
                run.step(batches, stop) if turn % 2 else bare()
                times[turn % 2].append(1e3 * (time.process_time() - began))
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> int:
    """Print the two medians, their difference and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300, help="of each loop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        bare, ours = measure(options.steps, Path(work))
    well = ours - bare <= CEILING
    sys.stdout.write(
        f"bare loop {bare:.2f} ms a step, ours {ours:.2f} ms, ratio {ours / bare:.3f}\n"
        f"cost {ours - bare:.2f} ms a step, at most {CEILING}   {'' if well else 'MISSED'}\n"
    )
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
