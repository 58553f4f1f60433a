"""In which numbers networks compute: fp32, or bfloat16 where that is asked for or faster.

fp32 means fp32 on a GPU too. By its own choice torch lets cuDNN round the factors of convolutions
to TF32, with 10 bits after the point instead of 23; an utterance's output then differs from batch
to batch. Training, validation, decoding and the Python interface all compute inside `autocast`,
which is where this is switched off.
"""

from __future__ import annotations

import contextlib
from typing import Literal

import torch

__all__ = ["Precision", "autocast", "bf16"]

Precision = Literal["auto", "fp32", "bf16"]


def bf16(precision: Precision, device: torch.device) -> bool:
    """Say whether networks compute in bfloat16; `auto` does where the hardware has it."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def autocast(
    precision: Precision, device: torch.device
) -> contextlib.AbstractContextManager[object]:
    """Return a block in which matrix products and convolutions have the precision asked for.

    From the first call on nothing in this process is rounded to TF32: that also holds after the
    block, for the backward pass of what was computed in it.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16(precision, device))
