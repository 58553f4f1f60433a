"""Weights that come from elsewhere: into a model of exactly their shape, or not at all."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from diffaudio import weights
from diffaudio.log import log

__all__ = ["warm_start"]

NEW = "denoiser.jump."  # starts as nothing, so a model that was never told of jumps fits as well


def warm_start(source: str, model: nn.Module) -> None:
    """Start from another experiment's weights: its best checkpoint, averaged where it has that.

    Args:
        source: an experiment, one of its checkpoints or an exported folder.
        model: takes the weights.

    Raises:
        Refusal: nothing there, damaged, or weights of another model.
    """
    folder = weights.find(Path(source), "best")
    state = weights.read_state(folder)
    ema = weights.EMA in state["files"]
    own = {name: held for name, held in model.state_dict().items() if name.startswith(NEW)}
    weights.fit(model, own | weights.read_weights(folder, ema=ema), folder)
    kind = "averaged weights" if ema else "weights"
    log.info("starting from the %s of %s (step %s)", kind, folder, state.get("step"))
