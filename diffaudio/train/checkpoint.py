"""Checkpoints: whole or absent, checked before use, and exact.

    exp/<name>/checkpoints/step_00000500/model.safetensors       weights
                                         ema.safetensors         their average, where kept
                                         ema_0.1.safetensors     power-function averages, likewise
                                         optimizer.safetensors   <weight>/exp_avg, ...
                                         state.json              progress, fingerprint, digests

A checkpoint is written under another name, synced and renamed. Every file's digest is in
state.json, which holds its own. Nothing read here can run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from diffaudio import origins, weights
from diffaudio.files import fsync_dir, write_json
from diffaudio.log import Refusal, log
from diffaudio.origins import Usual, none_usual
from diffaudio.train import moments
from diffaudio.train.ema import Ema
from diffaudio.train.progress import Progress
from diffaudio.train.spec import BUDGET

__all__ = ["Checkpoints"]

_PATIENCE = 60.0  # seconds that a rank waits for a checkpoint which the main rank has found
_OPTIMIZER = "optimizer.safetensors"
_UNFINISHED = ".unfinished_"  # prefix of a checkpoint that is being written or removed
_REPLACED = ".replaced_"  # prefix of the folder of a run that is trained anew, until it has others


class Checkpoints:
    """The checkpoints of one experiment.

    Args:
        exp: the experiment.
        keep: how many of the newest stay; the best stays besides.
        steps: of the whole run; None says nothing of its end.
        fingerprint: flat keys that must not change while a run goes on, except `BUDGET`.
        usual: whether one of them has its default; it may be newer than a checkpoint.
    """

    def __init__(
        self,
        exp: Path,
        *,
        keep: int,
        fingerprint: Mapping[str, Any],
        usual: Usual = none_usual,
        steps: int | None = None,
    ) -> None:
        self._exp, self._folder, self._keep = exp, exp / "checkpoints", keep
        self._usual, self._steps = usual, steps
        self._fingerprint: dict[str, Any] = json.loads(json.dumps(dict(fingerprint)))

    def newest(self) -> Path | None:
        """Return the newest checkpoint."""
        return max(self._held(), default=None)

    def named(self, name: str | None) -> Path | None:
        """Return the checkpoint that the main rank goes on from, as soon as it is seen here.

        A network's disk may show an older list of files for a while.

        Raises:
            Refusal: it is not seen for a minute.
        """
        if name is None:
            return None
        path, deadline = self._folder / name, time.monotonic() + _PATIENCE
        while not (path / weights.STATE).is_file():
            if time.monotonic() > deadline:
                raise Refusal(
                    f"{path}: the main rank goes on from it, {os.uname().nodename} does not see it",
                    mend="put the experiment on a disk that all machines share",
                )
            time.sleep(0.5)
        return path

    def tidy(self) -> None:
        """Remove what a run that was cut off left half done; one rank does, before others read."""
        steps = {*self._folder.glob("step_*")} - {*self._held()}  # a copy that was cut off, say
        for unfinished in sorted({*self._folder.glob(f"{_UNFINISHED}*")} | steps):
            log.info("%s: half a checkpoint of what was cut off, removed", unfinished)
            _remove(unfinished)
        if newest := self.newest():
            self._point(Progress(**self._state(newest)["progress"]))

    def put_aside(self) -> None:
        """Make room to train anew; what there was is kept until `forget_replaced`.

        Raises:
            Refusal: what was put aside before cannot be removed.
        """
        aside, folder = self._aside(), self._folder.resolve()
        empty = not folder.is_dir() or not any(folder.iterdir())
        if empty or (aside.exists() and self.newest() is None):  # nothing new was saved since
            return
        if aside.exists():
            _remove(aside)
        if aside.exists():
            raise Refusal(f"{aside}: cannot be removed", mend="remove it, or give another --exp")
        folder.rename(aside)
        folder.mkdir()
        log.info("%s: the checkpoints until now; removed when there are new ones", aside)

    def forget_replaced(self) -> None:
        """Remove what `put_aside` has kept."""
        if self._aside().exists():
            _remove(self._aside())

    def check(self) -> None:
        """Refuse to go on from a checkpoint that was made with other settings or data.

        Raises:
            Refusal: naming each key, its old and its new value; or state.json is damaged, or it is
                past the last step.
        """
        newest = self.newest()
        if newest is None:
            return
        state = self._state(newest)
        if self._steps is not None and state["step"] > self._steps:
            raise Refusal(
                f"{self._exp}: is at step {state['step']}, past train.steps {self._steps}",
                mend="raise train.steps, or train anew with --force",
            )
        changes = self._changes(state)
        if refused := [text for key, text in changes.items() if key not in BUDGET]:
            raise Refusal(
                f"{newest}: made with other settings (old -> new): {'; '.join(refused)}",
                mend="set them back, give another --exp, or train anew with --force",
            )

    def restore(
        self,
        newest: Path | None,
        model: nn.Module,
        optimizer: Optimizer,
        averages: Mapping[str, Ema],
    ) -> Progress:
        """Bring everything to where the newest checkpoint was; without one, change nothing.

        Args:
            newest: that checkpoint.
            model: takes its weights.
            optimizer: of the model; takes its moments.
            averages: of the model, by the names of their files.

        Raises:
            Refusal: a file is cut or changed, other settings, or weights of another model.
        """
        if newest is None:
            return Progress()
        self.check()
        state = self._state(newest)
        for change in self._changes(state).values():
            log.info("going on with another %s", change)
        held = {name: self._tensors(newest / name, sha) for name, sha in state["files"].items()}
        weights.fit(model, held[weights.MODEL], newest)
        moments.restore(model, optimizer, held[_OPTIMIZER])
        for name, average in averages.items():
            average.load_state_dict(held[name])
        progress = Progress(**state["progress"])
        log.info("%s: going on from step %d", newest, progress.step)
        return progress

    def save(
        self,
        progress: Progress,
        model: nn.Module,
        optimizer: Optimizer,
        averages: Mapping[str, Ema],
    ) -> None:
        """Write the checkpoint of this step, or what is new of it, and remove those not kept.

        Raises:
            Refusal: the disk is full; nothing is left of the new checkpoint.
        """
        folder = self._folder / progress.name
        if folder not in self._held():
            tensors = {
                weights.MODEL: model.state_dict(),
                _OPTIMIZER: moments.flat(model, optimizer),
            }
            tensors |= {name: average.state_dict() for name, average in averages.items()}
            self._write(progress, tensors)
        elif (state := self._state(folder))["progress"] != asdict(progress):
            _write_state(folder, {**state, "progress": asdict(progress)})  # validated since then
        self._point(progress)
        kept = {path.name for path in self._held()[-self._keep :]}
        kept |= {progress.best["checkpoint"]} if progress.best else set()
        for path in self._held():
            if path.name not in kept:
                _remove(path)

    def _write(self, progress: Progress, tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
        new = self._folder / f"{_UNFINISHED}{progress.name}"
        if new.exists():
            _remove(new)
        new.mkdir(parents=True, exist_ok=True)
        try:
            files = {name: weights.write_weights(new / name, t) for name, t in tensors.items()}
            state = {
                "step": progress.step,
                "hours": progress.seconds / 3600,
                "files": files,
                "progress": asdict(progress),
                "fingerprint": self._fingerprint,
            }
            _write_state(new, state)
        except Refusal:
            shutil.rmtree(new)
            raise
        new.rename(self._folder / progress.name)
        fsync_dir(self._folder)

    def _point(self, progress: Progress) -> None:
        """Let best.json name the best checkpoint; a run that was cut off may name another one."""
        best = progress.best
        if best is not None and self._folder / best["checkpoint"] in self._held():
            write_json(self._exp / "best.json", best)
        else:
            (self._exp / "best.json").unlink(missing_ok=True)

    def _aside(self) -> Path:
        """Return where `put_aside` puts the folder, which may be a link to another disk."""
        folder = self._folder.resolve()
        return folder.with_name(f"{_REPLACED}{folder.name}")

    def _held(self) -> list[Path]:
        """Return all checkpoints, in the order of their steps."""
        return sorted(path.parent for path in self._folder.glob(f"step_*/{weights.STATE}"))

    def _state(self, folder: Path) -> dict[str, Any]:
        try:
            state = weights.read_state(folder)
        except Refusal as error:
            raise self._damaged(folder / weights.STATE) from error
        if state.pop("digest", None) != _digest(state):
            raise self._damaged(folder / weights.STATE)
        return state

    def _changes(self, state: Mapping[str, Any]) -> dict[str, str]:
        """Return the keys that differ from the checkpoint's, each with its old and new value."""
        return origins.other_keys(state["fingerprint"], self._fingerprint, self._usual)

    def _tensors(self, path: Path, recorded: str) -> dict[str, Tensor]:
        try:
            return weights.read_tensors(path, recorded)
        except Refusal as error:
            raise self._damaged(path) from error

    def _damaged(self, path: Path) -> Refusal:
        others = [held for held in self._held() if held != path.parent]
        return Refusal(
            f"{path}: damaged: not what was saved",
            mend=f"remove the folder {path.parent} to go on from "
            f"{others[-1].name if others else 'the start'}",
        )


def _remove(folder: Path) -> None:
    """Remove a folder that is no longer needed; what cannot be removed stays for the next time.

    On a network's disk a file that another process reads cannot, which is no reason to stop. It
    loses its name first, so that a part of a checkpoint is never taken for one.
    """
    try:
        if not folder.name.startswith("."):
            folder = folder.rename(folder.with_name(f"{_UNFINISHED}{folder.name}"))
        shutil.rmtree(folder)
    except OSError as error:
        log.warning("%s: could not be removed (%s); it will be tried again", folder, error.strerror)


def _write_state(folder: Path, state: Mapping[str, Any]) -> None:
    write_json(folder / weights.STATE, {**state, "digest": _digest(state)})


def _digest(state: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
