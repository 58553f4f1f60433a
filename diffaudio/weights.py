"""Weights on disk: safetensors beside a `state.json` that holds their digests.

Nothing read here can run code. A checkpoint is a folder:

    model.safetensors       weights as trained
    ema.safetensors         their exponential moving average, where one is kept
    state.json              {"step": 500, "files": {"model.safetensors": sha256, ...}, ...}

An experiment holds them under `checkpoints/step_00000500`, names its best one in `best.json`, and
an exported folder is such a checkpoint itself. What `diffaudio ema` made after training lies beside
them, `checkpoints/ema_0.12_step_00000500`, and is chosen by name. Writing state.json last is what
makes a checkpoint.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from diffaudio.files import atomic, digest, read_json
from diffaudio.log import Refusal

__all__ = [
    "EMA",
    "MODEL",
    "STATE",
    "WEAKER",
    "averaged",
    "find",
    "fit",
    "read_pickled",
    "read_state",
    "read_tensors",
    "read_weights",
    "write_weights",
]

MODEL, EMA, STATE = "model.safetensors", "ema.safetensors", "state.json"
WEAKER = "weaker"  # folder in an exported one: an earlier checkpoint, which guides it


def averaged(exp: Path, found: Path, ema: bool) -> bool:
    """Say whether the average is what runs, of a checkpoint that `find` has found in `exp`.

    An exported folder holds one set of weights, whatever `ema` asks for.
    """
    return ema and found != exp


def find(exp: Path, which: str) -> Path:
    """Return the folder of a checkpoint.

    Args:
        exp: an experiment, or an exported folder, which holds one checkpoint, whatever `which`, and
            maybe the one that guides it, `WEAKER`.
        which: `best` (by validation; the last one where none was made), `last`, or a checkpoint's
            name such as `step_00000500` or `ema_0.12_step_00000500`.

    Raises:
        Refusal: there is no such checkpoint; the mend lists those there are.
    """
    if (exp / STATE).is_file():
        return exp / WEAKER if which == WEAKER else exp
    names, made = (
        sorted(path.parent.name for path in exp.glob(f"checkpoints/{kind}_*/{STATE}"))
        for kind in ("step", "ema")
    )
    validated = (exp / "best.json").is_file()
    if which == "best" and validated:
        which = str(read_json(exp / "best.json").get("checkpoint"))
    elif which in {"best", "last"} and names:
        which = names[-1]
    if which in {*names, *made}:
        return exp / "checkpoints" / which
    raise Refusal(
        f"{exp}: no checkpoint {which!r}",
        mend=f"there are: {', '.join(['best', 'last', *names, *made])}"
        if names
        else "train first (diffaudio train), or check the folder's name",
    )


def read_state(folder: Path) -> dict[str, Any]:
    """Return a checkpoint's state.json: the step, the digests and what the trainer added.

    Raises:
        Refusal: it is missing, is not JSON or lists no files.
    """
    state: dict[str, Any] = read_json(folder / STATE)
    if not isinstance(state, dict) or not isinstance(state.get("files"), dict):
        raise Refusal(
            f"{folder / STATE}: lists no files, so the weights cannot be checked",
            mend="use another checkpoint",
        )
    return state


def read_weights(folder: Path, *, ema: bool) -> dict[str, Tensor]:
    """Read the weights of a checkpoint on the CPU, checked against their recorded digest.

    Args:
        folder: one checkpoint, as `find` returns it.
        ema: the averaged weights instead of the last ones.

    Raises:
        Refusal: the file is missing, cut or changed, or this checkpoint keeps no average.
    """
    name = EMA if ema else MODEL
    recorded = read_state(folder)["files"].get(name)
    if recorded is None:
        raise Refusal(
            f"{folder}: holds no {name}",
            mend=f"ask for the other weights: --decode.ema {str(not ema).lower()}",
        )
    return read_tensors(folder / name, recorded)


def read_tensors(path: Path, recorded: str) -> dict[str, Tensor]:
    """Read one file of a checkpoint on the CPU, checked against its recorded digest.

    Args:
        path: a safetensors file.
        recorded: its SHA-256 when it was written.

    Raises:
        Refusal: the file is missing, cut, changed, or not safetensors.
    """
    if not path.is_file():
        raise Refusal(f"{path}: no such file", mend="use another checkpoint")
    found = digest(path)
    if found != recorded:
        raise Refusal(
            f"{path}: damaged or replaced (sha256 {found[:12]}, recorded {recorded[:12]})",
            mend="copy it again or use another checkpoint",
        )
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise Refusal(
            f"{path}: not safetensors ({error})", mend="use another checkpoint"
        ) from error
    return tensors


def read_pickled(path: Path, *, inside: str | None = None) -> dict[str, Tensor]:
    """Read a file of torch.save from elsewhere, on the CPU, that holds tensors by their names.

    Args:
        path: the file; nothing but weights is read from it.
        inside: key of a mapping around them.

    Raises:
        Refusal: the file is missing, damaged, or holds something else.
    """
    if not path.is_file():
        raise Refusal(f"{path}: no such file", mend="get it from where it was published")
    try:
        if zipfile.is_zipfile(path):  # as of torch 1.6; torch does not look at its checksums
            with zipfile.ZipFile(path) as archive:
                if damaged := archive.testzip():
                    raise zipfile.BadZipFile(f"checksum of {damaged}")
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # which one depends on where the file is damaged
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise Refusal(
            f"{path}: damaged, or more than weights ({reason})",
            mend="get it again; what needs code to be read is not read",
        ) from error
    if inside is not None:
        held = held.get(inside) if isinstance(held, dict) else None
    if not isinstance(held, dict) or not all(isinstance(one, Tensor) for one in held.values()):
        raise Refusal(
            f"{path}: holds no weights" + (f" as {inside!r}" if inside else ""),
            mend="use the file as it was published",
        )
    return held


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> str:
    """Write tensors as safetensors, whole or not at all, and return the file's SHA-256."""
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    with atomic(path) as file:
        file.write(save(held))
    return digest(path)


def fit(model: nn.Module, weights: Mapping[str, Tensor], source: Path) -> None:
    """Load weights into a model of exactly that shape.

    Raises:
        Refusal: they belong to another model; the first tensor of each kind of fault is named.
    """
    own = model.state_dict()
    faults = {
        "missing": [name for name in own if name not in weights],
        "unexpected": [name for name in weights if name not in own],
        "of another shape": [
            f"{name} {list(weights[name].shape)}, here {list(tensor.shape)}"
            for name, tensor in own.items()
            if name in weights and weights[name].shape != tensor.shape
        ],
    }
    if any(faults.values()):
        told = [f"{len(n)} {fault} ({n[0]})" for fault, n in faults.items() if n]
        raise Refusal(
            f"{source}: weights of another model: {', '.join(told)}",
            mend="use the configuration they were trained with (config.yaml beside them)",
        )
    model.load_state_dict(dict(weights))
