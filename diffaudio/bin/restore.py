"""`diffaudio restore`: what was lost of a sound, put back with a generative model as the prior."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soxr
import torch
from jsonargparse import ArgumentParser

from diffaudio.bin.model import asked, opened, run_options
from diffaudio.decode.restore import restore_file
from diffaudio.decode.stream import blocks, reading
from diffaudio.inverse import (
    DPS,
    Clip,
    Convolve,
    LowPass,
    Mask,
    Method,
    Operator,
    PiGDM,
    Projection,
    RePaint,
    Restoration,
)
from diffaudio.log import Refusal
from diffaudio.shapes import Audio

__all__ = ["main"]

_METHODS: dict[str, type[Method]] = {
    "pigdm": PiGDM,
    "dps": DPS,
    "projection": Projection,
    "repaint": RePaint,
}
_NEEDS = {"inpaint": "gaps", "extend": "cutoff", "dereverb": "response"}


def main(argv: list[str]) -> int:
    """Restore one file."""
    config = asked(
        argv,
        prog="diffaudio restore",
        description="Put back what was lost of a sound: gaps, high frequencies, clipped peaks, "
        "the sound without a room. The model is one that generates without given audio.",
        options=_options,
    )
    options = config.options
    needed = _NEEDS.get(options.task)
    if needed and getattr(options, needed) is None:
        raise Refusal(f"--task {options.task} needs --{needed}")
    model = opened(config, vocoder=False)  # phases are found beside what is known
    how = partial(_how, options, model.audio.rate)
    restore_file(model, options.input, options.output, how, options.fields or {})
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", type=Path, help="audio file")
    parser.add_argument("output", metavar="OUT", type=Path, help="file to write")
    parser.add_argument(
        "--task",
        type=Literal["inpaint", "extend", "declip", "dereverb"],
        required=True,
        help="what is to be undone",
    )
    parser.add_argument(
        "--gaps", type=list[tuple[float, float]], help="inpaint: [[start, end], ...] in seconds"
    )
    parser.add_argument("--cutoff", type=float, help="extend: highest frequency that is known, Hz")
    parser.add_argument("--level", type=float, help="declip: largest value; the file's by default")
    parser.add_argument("--response", type=Path, help="dereverb: file of the room's response")
    parser.add_argument(
        "--method", type=Literal[tuple(_METHODS)], default="pigdm", help="how it is undone"
    )
    parser.add_argument(
        "--noise", type=float, default=0.0, help="its deviation, in units of the sound's"
    )
    parser.add_argument("--fields", type=dict, help="what the model is told, {label: seven}")
    run_options(parser)


def _how(options: Any, rate: int, measured: Audio) -> Restoration:
    """Return what the options say was done to the sound, and the method to undo it."""
    operator = _operator(options, rate, measured)
    return Restoration(operator, _METHODS[options.method](), options.noise)


def _operator(options: Any, rate: int, measured: Audio) -> Operator:
    if options.task == "extend":
        return LowPass(options.cutoff, rate)
    if options.task == "declip":
        # Rounding leaves clipped samples a little below the largest.
        level = 0.999 * measured.abs().max().item() if options.level is None else options.level
        return Clip(level)
    if options.task == "dereverb":
        return Convolve(_response(options.response, rate))
    kept = torch.ones(measured.shape[-1], dtype=torch.bool)
    for start, end in options.gaps:
        if not 0.0 <= start < end <= len(kept) / rate:
            raise Refusal(f"--gaps: {start:g} to {end:g} s is not in {len(kept) / rate:g} s")
        kept[round(start * rate) : round(end * rate)] = False
    return Mask(kept)


def _response(path: Path, rate: int) -> torch.Tensor:
    """Read the first channel of an impulse response, at another rate with the same gain."""
    with reading(path) as sound:
        samples = np.concatenate([block[:, 0] for block in blocks(path, sound)])
        gain = sound.samplerate / rate
        return torch.from_numpy(gain * soxr.resample(samples, sound.samplerate, rate))
