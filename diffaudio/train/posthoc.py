"""Power-function averages on disk, and from them that of any length, after training.

    exp/<name>/ema/step_00001000/ema_0.05.safetensors            the average at that step, in fp32
                                 ema_0.1.safetensors
                                 state.json                      step, updates, digests
    exp/<name>/checkpoints/ema_0.12_step_00032000/ema.safetensors, state.json   what is made of them

Snapshots stay, however many checkpoints are kept. Writing state.json last is what makes one, as it
makes a checkpoint; those past the step that a run goes on from are removed and made again.

Source: Karras et al., 2024 (arXiv:2312.02696), section 3.2.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from diffaudio import weights
from diffaudio.files import fsync_dir, write_json
from diffaudio.log import Refusal, log
from diffaudio.train import power
from diffaudio.train.ema import Ema, half_life, power_function
from diffaudio.train.progress import Progress
from diffaudio.train.spec import TrainSpec

__all__ = ["averages", "forget", "snapshot", "synthesise"]

_FAR = 0.05  # of the profile's norm: from there on, a mix of others is another average


class _Snapshot(NamedTuple):
    """One average at one step."""

    path: Path
    digest: str
    profile: power.Profile


def averages(model: nn.Module, spec: TrainSpec) -> dict[str, Ema]:
    """Return what is averaged while training, by the name of its file."""
    found = {weights.EMA: Ema(model, half_life(spec.ema))} if spec.ema else {}
    return found | {_file(s): Ema(model, power_function(s)) for s in spec.ema_profiles}


def snapshot(
    exp: Path, progress: Progress, averaged: Mapping[str, Ema], sigma_rels: Sequence[float]
) -> None:
    """Write the averages of these lengths at this step, unless they are there.

    Raises:
        Refusal: the disk is full.
    """
    folder = exp / "ema" / progress.name
    if not (sigma_rels and progress.updates) or (folder / weights.STATE).is_file():
        return
    held = {_file(sigma_rel): sigma_rel for sigma_rel in sigma_rels}
    files = {n: weights.write_weights(folder / n, averaged[n].state_dict()) for n in held}
    state = {"step": progress.step, "updates": progress.updates, "files": files}
    write_json(folder / weights.STATE, {**state, "sigma_rel": held})
    fsync_dir(folder.parent)


def forget(exp: Path, newest: Path | None) -> None:
    """Remove the snapshots that came after the newest checkpoint: they will be taken again."""
    for folder in exp.glob("ema/step_*"):
        if newest is None or folder.name > newest.name:
            shutil.rmtree(folder)


def synthesise(exp: Path, sigma_rel: float, step: int | None = None) -> Path:
    """Write the average of any length as a checkpoint that decoding takes by its name.

    Args:
        exp: an experiment that was trained with `train.ema_profiles`.
        sigma_rel: length of the average.
        step: where it ends, a step with a snapshot; the last one by default.

    Returns:
        The checkpoint's folder.

    Raises:
        Refusal: there is no snapshot, or none of this step; one is damaged; no such length.
    """
    power.gamma(sigma_rel)
    found = sorted(path.parent for path in exp.glob(f"ema/step_*/{weights.STATE}"))
    held = {int(folder.name.removeprefix("step_")): folder for folder in found}
    last = max(held, default=0) if step is None else step
    if last not in held:
        shown = ", ".join(map(str, held))
        raise Refusal(
            f"{exp / 'ema'}: holds no snapshot" + f" of step {step}" * bool(held),
            mend=f"--step is one of: {shown}"
            if held
            else "train with train.ema_profiles, for example [0.05, 0.1]",
        )
    until = [one for at, folder in held.items() if at <= last for one in _snapshots(folder)]
    wanted = power.Profile(sigma_rel, until[-1].profile.end)
    shares, left = power.fit(wanted, [one.profile for one in until])
    out = exp / "checkpoints" / f"ema_{sigma_rel:g}_{Progress(last).name}"
    log.info("%s: a mix of %d averages; misses its profile by %.2g %%", out, len(until), 100 * left)
    if left > _FAR:
        log.warning("it is not that average: more snapshots (train.ema_every) would get nearer")
    files = {weights.EMA: weights.write_weights(out / weights.EMA, _mix(until, shares))}
    about = {"step": last, "sigma_rel": sigma_rel, "missed": left, "averages": len(until)}
    write_json(out / weights.STATE, {**about, "files": files})
    return out


def _file(sigma_rel: float) -> str:
    """Return the name of the file of a power-function average."""
    return f"ema_{sigma_rel}.safetensors"


def _snapshots(folder: Path) -> Iterator[_Snapshot]:
    """Yield the averages in a folder."""
    state = weights.read_state(folder)
    for name, sigma_rel in state["sigma_rel"].items():
        profile = power.Profile(sigma_rel, state["updates"])
        yield _Snapshot(folder / name, state["files"][name], profile)


def _mix(snapshots: Sequence[_Snapshot], shares: np.ndarray) -> dict[str, Tensor]:
    """Return the sum, shares times weights, in fp64; whole numbers are those of the last one."""
    total: dict[str, Tensor] = {}
    for snapshot, share in zip(snapshots, shares.tolist(), strict=True):
        last = weights.read_tensors(snapshot.path, snapshot.digest)
        for name, tensor in last.items():
            if tensor.is_floating_point():
                total[name] = total.get(name, 0.0) + share * tensor.double()
    return {name: total.get(name, tensor).to(tensor.dtype) for name, tensor in last.items()}
