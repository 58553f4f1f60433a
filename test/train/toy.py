"""A model and data that train in milliseconds; run as a program it is one rank of a run.

python toy.py EXP '{"steps": 12, ...}' ['{"nan": [[5, 2]], "save_seconds": 1, "ranks": 2}']
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from diffaudio import weights
from diffaudio.data import plan
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Item, collate
from diffaudio.data.index import Index
from diffaudio.log import Refusal, setup_log
from diffaudio.metrics import METRICS
from diffaudio.train.job import Job, Scores
from diffaudio.train.launch import Asked, start
from diffaudio.train.loop import train
from diffaudio.train.signals import INTERRUPTED
from diffaudio.train.spec import TrainSpec
from diffaudio.train.validate import Validator
from diffaudio.train.world import join

RATE, ROWS = 100, 37
LENGTHS = np.array([40 + 7 * (row % 11) for row in range(ROWS)])
SMALL = {
    "steps": 12,
    "lr": 1e-2,
    "warmup": 3,
    "global_batch": 4,
    "max_per_device": 2,
    "ema": 4.0,
    "seed": 5,
    "threads": 1,
    "precision": "fp32",
    "save_every": 3,
    "valid_every": 0,
    "log_every": 4,
    "valid_metric": "size",
}


class Toy(nn.Module):
    """Denoises sums of sines; has dropout, which must come from keys."""

    fields = ()

    def __init__(self, channels=8, dropout=0.1):
        super().__init__()
        torch.manual_seed(1)
        self.up = nn.Conv1d(1, channels, 5, padding=2)
        self.drop = nn.Dropout(dropout)
        self.down = nn.Conv1d(channels, 1, 5, padding=2)

    def forward(self, batch):
        x = batch.target
        mask = (torch.arange(x.shape[-1], device=x.device) < batch.samples[:, None])[:, None]
        noise = torch.zeros_like(x)
        for row, key, n in zip(noise, batch.keys, batch.samples.tolist(), strict=True):
            row[:, :n] = torch.randn(1, n, generator=torch.Generator().manual_seed(key))
        hidden = self.drop(nn.functional.silu(self.up((x + noise) * mask))) * mask
        error = (self.down(hidden) - x) * mask
        losses = error.square().sum((1, 2)) / batch.samples
        return losses, {"mse": losses.detach()}

    def generate(self, given, samples, keys, sampler, fields):
        """Return what is given, louder by a weight, and noise; keys in `sampler` are spoilt."""
        made = given * (1 + self.down.weight.detach().abs().sum())
        for row, key, n in zip(made, keys, samples.tolist(), strict=True):
            noise = torch.randn(1, n, generator=torch.Generator().manual_seed(key))
            row[:, :n] += 0.1 * noise
            if key in sampler:
                row[:] = float("nan")
        return made


def item(row, *, step, position, seed):
    t = np.arange(LENGTHS[row], dtype=np.float32)[:, None]
    key = plan.key(seed, step, position)
    return Item(f"u{row:02d}", {"clean": np.sin(t * (row + 1) / 20)}, key, step)


def batches(spec, *, rank=0, world=1, nan=(), signal=()):
    """Return batches(start): one rank's micro-batches.

    `nan` lists (step, position) to spoil; `signal` is a rank and the step at which it gets one.
    """
    size, _ = plan.micro_batches(spec.global_batch, world, spec.max_per_device)

    def from_step(start):
        for places in plan.share(
            LENGTHS,
            seed=spec.seed,
            start_step=start,
            global_batch=spec.global_batch,
            size=size,
            rank=rank,
            world=world,
        ):
            items = [item(row, step=s, position=p, seed=spec.seed) for s, p, row in places]
            batch = collate(items, grid=1)
            for n, (step, position, _) in enumerate(places):
                if [step, position] in [list(pair) for pair in nan]:
                    batch.audio["clean"][n, 0, 3] = float("nan")
            if [rank, batch.step] == list(signal):
                os.kill(os.getpid(), 15)
            yield batch

    return from_step


@dataclass
class Size:
    """A validation whose scores are functions of the weights."""

    higher: bool = True
    protocol: str = "p1"
    asked: int = 0
    stop_at: int = 0  # the call during which the run is asked to stop

    def __call__(self, model, accelerator, stop):
        self.asked += 1
        if self.asked == self.stop_at:
            os.kill(os.getpid(), 15)
            assert stop
            return None
        size = float(sum(p.double().square().sum() for p in model.parameters()))
        return Scores({"size": size}, {"size": 1})


def real(folder, *, spoilt=()):
    """Return a validation of six utterances in `folder`; for `spoilt` ids nothing usable comes."""
    return Validator(
        index=Index.open(Path(folder)),
        audio=AudioSpec(rate=8000, target="clean", given="noisy"),
        sampler=[plan.key(3, name) for name in spoilt],
        precision="fp32",
        metrics=[METRICS["SI-SDR"]],
        choice="SI-SDR",
        items=6,
        seed=3,
        batch_seconds=1.0,
        protocol="p1",
    )


def job(exp, *, rank=0, world=1, nan=(), signal=(), validate=None, model=None, **options):
    spec = TrainSpec(**{**SMALL, **options})
    budget = ("steps", "keep", "save_every", "log_every")
    own = {"train.lr": spec.lr, "train.threads": spec.threads}
    return Job(
        exp=Path(exp),
        spec=spec,
        model=model or Toy(),
        batches=batches(spec, rank=rank, world=world, nan=nan, signal=signal),
        rate=RATE,
        fingerprint={**own, **{f"train.{name}": getattr(spec, name) for name in budget}},
        validate=validate,
    )


def rows(exp, kind="loss"):
    lines = (Path(exp) / "log.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if kind in row]


def curve(exp):
    """Return the part of the log that must be the same to the last bit."""
    return [(r["step"], r["loss"], r["lr"], r["grad_norm"]) for r in rows(exp)]


def tensors(folder):
    """Return everything in a checkpoint that is a tensor."""
    from safetensors.torch import load_file

    return {p.name: load_file(p) for p in Path(folder).glob("*.safetensors")}


def same(one, other):
    return one.keys() == other.keys() and all(
        one[name].keys() == other[name].keys()
        and all(torch.equal(one[name][key], other[name][key]) for key in one[name])
        for name in one
    )


def _slow_saves(seconds):
    write = weights.write_weights

    def slow(path, held):
        time.sleep(seconds)
        return write(path, held)

    weights.write_weights = slow


def main(exp, options, extra="{}"):
    setup_log()
    options, extra = json.loads(options), json.loads(extra)
    asked = Asked(cpu_ranks=extra.get("ranks", 1))

    def rank():
        accelerator = join(Asked(cpu_ranks=extra.get("believed", asked.size)))
        if "save_seconds" in extra:
            _slow_saves(extra["save_seconds"])
        made = job(
            exp,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
            nan=extra.get("nan", ()),
            signal=extra.get("signal", ()),
            validate=real(**extra["real"]) if "real" in extra else Size(),
            **options,
        )
        ends = train(made, accelerator)
        return INTERRUPTED if ends == "interrupted" else 0

    try:
        return start(asked, [sys.executable, *sys.argv], rank)
    except Refusal as refusal:
        sys.stderr.write(str(refusal) + "\n")
        return refusal.code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
