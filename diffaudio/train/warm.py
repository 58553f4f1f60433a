"""Weights that come from elsewhere: into a model of exactly their shape, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from diffaudio import weights
from diffaudio.log import Refusal, log

__all__ = ["fit", "warm_start"]


def fit(model: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Load weights into a model of exactly that shape.

    Raises:
        Refusal: they belong to another model; the first tensor of each kind of fault is named.
    """
    own = model.state_dict()
    faults = {
        "missing": [name for name in own if name not in tensors],
        "unexpected": [name for name in tensors if name not in own],
        "of another shape": [
            f"{name} {list(tensors[name].shape)}, here {list(tensor.shape)}"
            for name, tensor in own.items()
            if name in tensors and tensors[name].shape != tensor.shape
        ],
    }
    if any(faults.values()):
        told = [f"{len(n)} {fault} ({n[0]})" for fault, n in faults.items() if n]
        raise Refusal(
            f"{source}: weights of another model: {', '.join(told)}",
            mend="use the configuration they were trained with (config.yaml beside them)",
        )
    model.load_state_dict(dict(tensors))


def warm_start(source: str, model: nn.Module) -> None:
    """Start from another experiment's weights: its best checkpoint, averaged where it has that.

    Args:
        source: an experiment, one of its checkpoints or an exported folder.
        model: takes the weights.

    Raises:
        Refusal: nothing there, damaged, or weights of another model.
    """
    exp = Path(source)
    folder = weights.find(exp, "best" if (exp / "best.json").is_file() else "last")
    state = weights.read_state(folder)
    ema = weights.EMA in state["files"]
    fit(model, weights.read_weights(folder, ema=ema), folder)
    kind = "averaged weights" if ema else "weights"
    log.info("starting from the %s of %s (step %s)", kind, folder, state.get("step"))
