"""Texts through a model that reads: audio, when each symbol begins, and what each part took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from diffaudio.decode.trained import Trained
from diffaudio.files import read_json
from diffaudio.log import log
from diffaudio.text import FILE, FOLDER, Reading, Readings

__all__ = ["Made", "look_up", "read_texts"]


class Made(NamedTuple):
    """An utterance that a model has made.

    Attributes:
        sound: (n, a).
        reading: of its text, where the model has laid symbols out in time.
        frames: of the codec, that each symbol lasts.
    """

    sound: np.ndarray
    reading: Reading | None = None
    frames: Sequence[int] = ()


def look_up(trained: Trained, dump: Path) -> None:
    """Let a model look up what stage 3 has read of a corpus, maybe where g2p-en was, if it has.

    What was read by another front end, of another variant of the recipe, is no use: then the model
    reads the texts itself.

    Args:
        trained: any model.
        dump: folder of the corpus' shards.
    """
    prior, texts = trained.model.prior, dump / FOLDER
    if prior is None or not (texts / FILE).is_file():
        return
    if prior.front_end.matches(read_json(texts / FILE)):
        prior.reader = Readings(texts, prior.front_end)
    else:
        log.info("%s: read by another front end; the model reads the texts itself", texts)


def read_texts(
    trained: Trained, keys: Sequence[int], fields: Mapping[str, Sequence[Any]]
) -> list[Made]:
    """Turn texts into audio as long as the model takes them to last.

    On a processor one after another, so that company does not change a bit of them: kernels round
    in another way at other lengths, and a vocoder makes more of that. A GPU takes them together.

    The meter counts the seconds of three parts: `text`, up to means laid out in time; `sampler`;
    and `vocoder`, or the codec's own way back in its place.

    Args:
        trained: a model that reads.
        keys: of each utterance's noise.
        fields: of the manifest, those that the model is conditioned on.

    Raises:
        Refusal: the model was not trained to read.
    """
    if trained.device.type == "cpu" and len(keys) > 1:
        own = ({name: [texts[at]] for name, texts in fields.items()} for at in range(len(keys)))
        alone = (read_texts(trained, [key], one) for key, one in zip(keys, own, strict=True))
        return [made for one in alone for made in one]
    model, spec = trained.model, trained.spec
    part = partial(trained.meter.part, device=trained.device)
    with torch.inference_mode(), trained.metered(len(keys)):
        with part("text"):
            plan = model.plan(fields, length_scale=spec.length_scale)
            samples = model.codec.samples(plan.frames)
        with part("sampler"):
            state = model.sample(
                plan, samples, keys, spec.sampler, fields=fields, weaker=trained.weaker
            )
        with part("vocoder"):
            made = model.decode(state, samples).float().cpu()
    sounds = [one[:, :n].numpy().T for one, n in zip(made, samples.tolist(), strict=True)]
    if plan.readings is None or plan.durations is None:
        return [Made(sound) for sound in sounds]
    rows = zip(sounds, plan.readings, plan.durations.tolist(), strict=True)
    return [Made(sound, reading, row[: len(reading.ids)]) for sound, reading, row in rows]
