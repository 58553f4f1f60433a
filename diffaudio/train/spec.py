"""What a training run is told: the YAML section `train:`."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from diffaudio.data.mix import Remix
from diffaudio.precision import Precision
from diffaudio.train.power import LONGEST

__all__ = ["BUDGET", "TrainSpec"]

BUDGET = frozenset(
    f"train.{name}"
    for name in (
        "steps",
        "max_per_device",
        "workers",
        "valid_every",
        "valid_items",
        "valid_metric",
        "ema_every",
        "save_every",
        "keep",
        "log_every",
    )
)
"""Keys that a run may change when it goes on; they say how long and how watched, not what.

Changing `steps` moves the rest of the learning rate's decay; changing `max_per_device` sums the
same numbers in another order, which floating point rounds differently; changing `valid_items` (or
the validation set, or how decoding is done) makes the best so far count no more.
"""


@dataclass(frozen=True)
class TrainSpec:
    """The YAML section `train`.

    Args:
        steps: optimiser steps of the whole run.
        lr: peak learning rate.
        warmup: steps over which the learning rate rises from 0.
        decay: of the learning rate (not of weights): what share of `lr` is left at the last step,
            reached along half a cosine; 1 is constant.
        betas: decay rates of AdamW's two moments.
        weight_decay: of AdamW, on tensors with two or more axes.
        clip: largest norm of the gradient; 0 does not clip.
        global_batch: items per step over all devices.
        max_per_device: items a device can hold at once; accumulation follows from it.
        crop_seconds: length of random crops; null trains on whole utterances.
        ema: half-life in steps (no factor like 0.999) of the weights' exponential moving average;
            0 keeps none.
        ema_profiles: lengths (sigma_rel) of power-function averages that are kept besides, for
            example [0.05, 0.1]; `diffaudio ema` makes that of any other length from their
            snapshots.
        ema_every: steps between these snapshots, of which the last step has one; 30 to 60 in a run
            are enough. All stay.
        seed: of order, crops, noise, dropout and initial weights.
        precision: fp32, or bf16 inside the network; auto takes bf16 where the hardware has it.
            Validation generates in `decode.precision`.
        threads: of computing on a CPU; 0 shares all cores among the ranks of the machine.
        workers: processes per device that read data; 0 reads in the training process.
        valid_every: steps between validations, of which the last step has one; 0 never validates.
        valid_items: utterances sampled per validation.
        valid_metric: the metric that chooses the best checkpoint.
        save_every: steps between checkpoints; the last step and the best one have one besides.
        keep: how many of the newest checkpoints stay; the best one stays besides.
        log_every: steps between progress lines and points of TensorBoard's curves.
        remix: augmentation of target and given audio; null leaves both as they are.
        init_from: experiment or checkpoint whose weights to start from; null starts at random.
    """

    steps: int
    lr: float = 5e-4
    warmup: int = 200
    decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    clip: float = 1.0
    global_batch: int = 16
    max_per_device: int = 16
    crop_seconds: float | None = 2.0
    ema: float = 500.0
    ema_profiles: tuple[float, ...] = ()
    ema_every: int = 1000
    seed: int = 0
    precision: Precision = "auto"
    threads: int = 0
    workers: int = 2
    valid_every: int = 1000
    valid_items: int = 16
    valid_metric: str = "SI-SDR"
    save_every: int = 500
    keep: int = 2
    log_every: int = 50
    remix: Remix | None = None
    init_from: str | None = None

    def __post_init__(self) -> None:
        least = dict.fromkeys(("steps", "global_batch", "max_per_device", "valid_items"), 1)
        least |= dict.fromkeys(("save_every", "keep", "log_every", "ema_every"), 1)
        for field in fields(self):
            value: Any = self.__dict__[field.name]
            number = field.type in ("int", "float")
            if number and not least.get(field.name, 0) <= value < math.inf:  # nan is neither
                low = least.get(field.name, 0)
                raise ValueError(f"{field.name}: {value} is not a number from {low} on")
        if self.decay > 1:
            raise ValueError(f"decay: {self.decay} is above 1")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas: {self.betas} are not in [0, 1)")
        for sigma_rel in self.ema_profiles:
            if not 0 < sigma_rel <= LONGEST:
                raise ValueError(f"ema_profiles: {sigma_rel} is not above 0, at most {LONGEST:.4f}")
        if self.crop_seconds is not None and self.crop_seconds <= 0:
            raise ValueError(f"crop_seconds: {self.crop_seconds} is not above 0")
