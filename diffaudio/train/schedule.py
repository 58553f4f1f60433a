"""The optimiser and its learning rate, a function of the step alone."""

from __future__ import annotations

import math

import torch
from torch import nn

from diffaudio.train.spec import TrainSpec

__all__ = ["adamw", "learning_rate"]


def learning_rate(step: int, spec: TrainSpec) -> float:
    """Return the learning rate of a step: a linear rise, then half a cosine down.

    Args:
        step: counted from 0; the last one is `spec.steps - 1`.
        spec: `lr`, `warmup`, `decay` and `steps` are read.
    """
    if step < spec.warmup:
        return spec.lr * (step + 1) / spec.warmup
    left = max(spec.steps - 1 - spec.warmup, 1)
    done = min((step - spec.warmup) / left, 1.0)
    return spec.lr * (spec.decay + (1 - spec.decay) * (1 + math.cos(math.pi * done)) / 2)


def adamw(model: nn.Module, spec: TrainSpec) -> torch.optim.AdamW:
    """Return AdamW over what is trained; only tensors of two or more axes are decayed.

    Source: Loshchilov and Hutter 2019 (arXiv:1711.05101).
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": spec.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], spec.lr, spec.betas)
