"""The training loop: all of it, in the order in which it happens.

A run is a function of its configuration, its data and the step it stands at. Order, crops and
noise are keyed by the loader, dropout is keyed here, and whatever else a step depends on is in the
checkpoint. So a run that was killed anywhere goes on as if it had not been.

A step's loss is the sum over the global batch of each item's loss, divided by the size of the
global batch: how the batch is divided among devices and micro-batches does not matter.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from accelerate import Accelerator
from torch.nn.utils import clip_grad_norm_

from diffaudio import weights
from diffaudio.data import plan
from diffaudio.data.batch import Batch
from diffaudio.log import Refusal, log
from diffaudio.precision import autocast
from diffaudio.train import posthoc
from diffaudio.train.job import Job, Outcome
from diffaudio.train.monitor import Monitor, status
from diffaudio.train.schedule import adamw, learning_rate
from diffaudio.train.share import Share
from diffaudio.train.signals import Stop, stopping
from diffaudio.train.warm import warm_start
from diffaudio.train.world import freed, seed, settled, shared, threads

__all__ = ["Run", "train"]

_PATIENCE = 10  # steps in a row without a finite gradient, after which a run is given up


def train(job: Job, accelerator: Accelerator) -> Outcome:
    """Train from wherever the experiment stands to the last step, or until asked to stop.

    Returns:
        "done", or "interrupted" after a checkpoint was saved.

    Raises:
        Refusal: the checkpoint does not fit, the disk is full, or no step gives a finite gradient.
    """
    with freed(), settled(threads(job.spec.threads), accelerator.device):
        outcome = _train(job, accelerator)
    accelerator.wait_for_everyone()  # no rank ends, and has others ended, before all is written
    return outcome


def _train(job: Job, accelerator: Accelerator) -> Outcome:
    """The loop."""
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(stopping())
        run = Run(job, accelerator)
        if accelerator.is_main_process:
            ending = stack.enter_context(status(job.exp, run.progress))
            run.monitor = stack.enter_context(run.watched())
        batches = job.batches(run.progress.step)
        while True:
            run.validate(stop)
            run.save()
            if run.stopped or run.progress.step == job.spec.steps:
                break
            run.step(batches, stop)
        outcome: Outcome = "interrupted" if run.stopped else "done"
        if accelerator.is_main_process:
            ending |= {"state": outcome, "reason": stop.reason}
    return outcome


class Run:
    """A run at some step: what the loop changes, and the three things it does in turn."""

    def __init__(self, job: Job, accelerator: Accelerator) -> None:
        self.job, self.spec, self.accelerator = job, job.spec, accelerator
        world, spec = accelerator.num_processes, job.spec
        size, self.micro = plan.micro_batches(spec.global_batch, world, spec.max_per_device)
        text = "global %d = %d per device x %d devices x %d accumulations"
        log.info(text, spec.global_batch, size, world, self.micro)
        self.bare = job.model  # `model` is what accelerate makes of it: the same weights
        self.model = accelerator.prepare(self.bare)
        # Not prepared: the wrapper serves loss scaling, which bf16 does without, and costs time.
        self.optimizer = adamw(self.bare, job.spec)
        self.model.train()
        self.checkpoints = job.checkpoints()
        if accelerator.is_main_process:
            self.checkpoints.tidy()
            posthoc.forget(job.exp, self.checkpoints.newest())
        newest = self.checkpoints.newest()
        name = None if newest is None else newest.name
        newest = self.checkpoints.named(shared(accelerator, name))
        if job.spec.init_from and newest is None:
            warm_start(job.spec.init_from, self.bare)
        self.averages = posthoc.averages(self.bare, job.spec)
        self.progress = self.checkpoints.restore(newest, self.bare, self.optimizer, self.averages)
        self.monitor: Monitor | None = None
        self.stopped = False
        self.improved = False
        if self.progress.best is not None and job.validate is not None and self._best() is None:
            log.info(
                "the best so far, %s, does not count from here on: sampler, seed, precision, "
                "validation set or a metric's version is not what it was scored with",
                self.progress.best["checkpoint"],
            )

    def watched(self) -> Monitor:
        """Return the monitor of the main rank."""
        return Monitor(
            self.job.exp,
            steps=self.spec.steps,
            step=self.progress.step,
            every=self.spec.log_every,
            log_bytes=self.progress.log_bytes,
        )

    def step(self, batches: Iterator[Batch], stop: Stop) -> None:
        """Take one step: gradients, clip, weights, average, a row of the log."""
        began = time.perf_counter()
        share = self._gradients(batches)
        norm = float(clip_grad_norm_(self.bare.parameters(), self.spec.clip or math.inf))
        lr = learning_rate(self.progress.step, self.spec)
        totals = share.totals(
            self.accelerator,
            self.spec.global_batch,
            stop=bool(stop),
            broken=not math.isfinite(norm),
        )
        self.stopped = totals.pop("stop") > 0
        row: dict[str, Any] = {"step": self.progress.step + 1, "loss": totals.pop("loss")}
        row |= {"lr": lr, "grad_norm": norm, "audio": totals.pop("audio")}
        row["waited"] = totals.pop("waited") / self.accelerator.num_processes
        if totals.pop("broken") or not math.isfinite(row["loss"]):  # the same on every rank
            row |= self._skip(row, share)
        else:
            self._update(lr)
            row["parts"] = totals
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        seconds = time.perf_counter() - began
        self.progress.seconds += seconds
        if self.monitor is not None:
            self.monitor.step({**row, "seconds": seconds})
        if self.progress.skipped == _PATIENCE:
            raise _given_up(row)

    def _gradients(self, batches: Iterator[Batch]) -> Share:
        """Add up the gradients of this rank's micro-batches."""
        device, share = self.accelerator.device, Share()
        scale = self.accelerator.num_processes / self.spec.global_batch  # ranks will be averaged
        for left in reversed(range(self.micro)):
            asked = time.perf_counter()
            batch = next(batches)
            share.waited += time.perf_counter() - asked
            share.audio += int(batch.samples.sum()) / self.job.rate
            assert batch.step == self.progress.step, (batch.step, self.progress.step)
            batch = batch.to(device)
            seed(plan.key(batch.keys[0], "dropout"), device)  # the key itself makes item 0's noise
            with self.accelerator.no_sync(self.model) if left else contextlib.nullcontext():
                with self._autocast():
                    losses, parts = self.model(batch)
                self.accelerator.backward(losses.sum() * scale)
            share.add(batch, losses, parts)
        return share

    def _update(self, lr: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.progress.updates += 1
        self.progress.skipped = 0
        for average in self.averages.values():
            average.update(self.progress.updates)

    def _skip(self, row: Mapping[str, Any], share: Share) -> dict[str, Any]:
        """Leave weights, average and the optimiser's moments as they are, and say so."""
        self.progress.skipped += 1
        items = share.suspects()
        if self.accelerator.is_main_process:
            log.warning(
                "step %d skipped: loss %s, gradient norm %s; items: %s",
                *(row["step"], row["loss"], row["grad_norm"], ", ".join(items)),
            )
        return {"loss": None, "grad_norm": None, "skipped": items}

    def validate(self, stop: Stop) -> None:
        """Score the averaged weights if this step asks for it; sets `improved` or `stopped`."""
        progress, validate = self.progress, self.job.validate
        every, last, self.improved = self.spec.valid_every, self.spec.steps, False
        due = every and (progress.step % every == 0 or progress.step == last)
        if validate is None or not due or progress.validated == progress.step or self.stopped:
            return
        self.model.eval()
        with torch.no_grad(), self._autocast(), self._averaged():
            scores = validate(self.bare, self.accelerator, stop)
        self.model.train()
        if scores is None:
            self.stopped = True
            return
        progress.validated = progress.step
        if self.monitor is not None:
            self.monitor.validated(progress.step, scores)
        new = scores.means.get(self.spec.valid_metric)  # absent if nothing could be measured
        if new is None or scores.broken:
            return
        old = (self._best() or {}).get(self.spec.valid_metric)
        self.improved = old is None or (new > old if validate.higher else new < old)
        if self.improved:
            shown = {"checkpoint": progress.name, "protocol": validate.protocol}
            progress.best = {**shown, **scores.means}

    def _best(self) -> Mapping[str, Any] | None:
        """Return the best validation so far, if it was scored as the next one will be."""
        best, validate = self.progress.best, self.job.validate
        comparable = best and validate and best.get("protocol") == validate.protocol
        return best if comparable else None

    def save(self) -> None:
        """Write a snapshot or a checkpoint if this step asks for it, or the run ends here."""
        if self.monitor is not None and self._due(self.spec.ema_every):
            posthoc.snapshot(self.job.exp, self.progress, self.averages, self.spec.ema_profiles)
        planned = self._due(self.spec.save_every) or self.improved
        if not (planned or self.stopped):
            return
        if self.monitor is not None:
            self.progress.log_bytes = self.monitor.log.sync()
            self.checkpoints.save(self.progress, self.bare, self.optimizer, self.averages)
            if planned:  # who stops a run that was trained anew by mistake wants the old one back
                self.checkpoints.forget_replaced()
        self.accelerator.wait_for_everyone()

    def _due(self, every: int) -> bool:
        """Say whether something is due that happens every so many steps and at the last one."""
        step = self.progress.step
        return step > 0 and (step % every == 0 or step == self.spec.steps)

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        return autocast(self.spec.precision, self.accelerator.device)

    def _averaged(self) -> contextlib.AbstractContextManager[None]:
        average = self.averages.get(weights.EMA)
        return contextlib.nullcontext() if average is None else average.applied()


def _given_up(row: Mapping[str, Any]) -> Refusal:
    return Refusal(
        f"no finite loss or gradient in {_PATIENCE} steps, the last being step {row['step']} "
        f"(items: {', '.join(row['skipped'])})",
        mend="start a new experiment from the last checkpoint (--train.init_from) with a lower "
        "train.lr, with train.precision fp32, or without these items",
    )
