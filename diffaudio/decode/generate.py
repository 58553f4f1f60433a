"""Sounds from nothing but what the model is told: arrays, or files of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffaudio.data import plan
from diffaudio.decode.stream import Encoding, shown, writing
from diffaudio.decode.trained import Trained
from diffaudio.log import Refusal, log

__all__ = ["generate_files", "generated"]


def generated(
    trained: Trained, seconds: float, fields: Mapping[str, Any], count: int, first: int = 0
) -> Iterator[np.ndarray]:
    """Yield sounds (n, a) at the model's rate, each by itself: number 7 is the same in any company.

    Args:
        trained: a model that is given no audio.
        seconds: length of each.
        fields: of the manifest, {"label": "seven"}; with none of them the model is told nothing.
        count: how many.
        first: number of the first: the noise of each is a function of seed and number.

    Raises:
        Refusal: the model is given audio or knows no such field, or the length or count is none.
    """
    model, rate = trained.model, trained.audio.rate
    samples = round(seconds * rate)
    if samples < 1 or count < 1 or first < 0:
        raise Refusal(
            f"{count} sounds of {seconds:g} s from number {first}",
            mend="ask for at least one, longer than 0 s, and number them from 0",
        )
    if model.hears:
        raise Refusal(
            "the model turns given audio into other audio; it makes none from nothing",
            mend="give it audio: diffaudio enhance",
        )
    trained, fields = trained.told(fields)
    at_once = max(int(trained.spec.batch_seconds * rate / samples), 1)
    for start in range(first, first + count, at_once):
        numbers = range(start, min(start + at_once, first + count))
        keys = [plan.key(trained.spec.seed, number) for number in numbers]
        values = {name: [value] * len(keys) for name, value in fields.items()}
        made = trained.generate(None, torch.full((len(keys),), samples), keys, values)
        yield from (np.ascontiguousarray(one.numpy().T) for one in made)


def generate_files(
    trained: Trained, out: Path, seconds: float, fields: Mapping[str, Any], count: int | None
) -> None:
    """Write one sound to a file, or so many into a folder: 000.wav, 001.wav, and so on.

    Raises:
        Refusal: as `generated`, or a file cannot be written.
    """
    if count is None:
        paths = [out]
    else:
        width = max(3, len(str(count - 1)))
        paths = [out / f"{number:0{width}d}.wav" for number in range(count)]
    encodings = [Encoding.named(path) for path in paths]
    out.parent.mkdir(parents=True, exist_ok=True)
    made = generated(trained, seconds, fields, 1 if count is None else count)
    for path, encoding, sound in zip(paths, encodings, made, strict=True):
        path.parent.mkdir(exist_ok=True)
        with writing(path, trained.audio.rate, sound.shape[1], encoding) as write:
            write(sound)
    log.info("%s: written, %g s at %d Hz", shown(out), seconds, trained.audio.rate)
