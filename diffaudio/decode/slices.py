"""Slices of a set through a trained model, as independent tasks: one wav an utterance.

What a slice holds follows from the set alone, and an utterance's noise from (seed, id) alone, so
neither the number of jobs nor the batch changes an utterance beyond rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffaudio.data import audio, plan
from diffaudio.data.index import Index
from diffaudio.data.loader import copies, eval_batches
from diffaudio.decode.configuration import read_config
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.texts import Made, look_up, read_texts
from diffaudio.decode.trained import Trained, load
from diffaudio.decode.vocoder import named_vocoder, with_vocoder
from diffaudio.files import read_json, write_json
from diffaudio.log import environment
from diffaudio.precision import bf16
from diffaudio.text import Reading

__all__ = ["Request", "decode_slice", "slices"]


@dataclass(frozen=True)
class Request:
    """Which set, which model, and where the output goes.

    Args:
        dump: shards of the set, `dump/mini/test`.
        exp: experiment, `exp/demo`.
        out: `exp/demo/decode/default/test`.
        checkpoint: its name, `step_00000500`.
        identity: digests of the configuration, the weights and the vocoder's files.
        device: `cpu` or `cuda`.
    """

    dump: Path
    exp: Path
    out: Path
    checkpoint: str
    identity: str
    device: str


def slices(samples: np.ndarray, least: int) -> list[list[int]]:
    """Cut rows into runs of neighbours that hold `least` samples each, the last perhaps fewer."""
    if not len(samples):
        return []
    before = np.concatenate([[0], np.cumsum(samples, dtype=np.int64)[:-1]])
    number = before // least
    cuts = np.flatnonzero(np.diff(number)) + 1
    return [part.tolist() for part in np.split(np.arange(len(samples)), cuts)]


def decode_slice(*, request: Request, number: int, rows: list[int]) -> dict[str, Any]:
    """Decode some rows of a set, unless that is done; return and record what it took."""
    record = request.out / "slices" / f"{number:06d}.json"
    if record.is_file():
        return dict(read_json(record))
    trained = _trained(request)
    torch.set_num_threads(trained.spec.threads)
    trained.meter.reset()
    count, samples, timings = 0, 0, []
    for name, made in _decoded(trained, Index.open(request.dump), rows):
        audio.save(request.out / f"{name}.wav", made.sound, trained.audio.rate)
        count, samples = count + 1, samples + len(made.sound)
        if made.reading is not None:
            timings.append({"id": name, **_timing(trained, made.reading, made.frames)})
    counts = {
        "n": count,
        "audio_seconds": samples / trained.audio.rate,
        "seconds": trained.meter.seconds,
        "runs": trained.meter.runs,
        "items": trained.meter.items,
        "calls": trained.meter.calls,
        "evaluations": trained.meter.evaluations,
        "parts": trained.meter.parts,
        "timings": timings,
        "vocoder": named_vocoder(trained.model, trained.spec),
        "hardware": environment()["hardware"],
        "precision": "bf16" if bf16(trained.spec.precision, trained.device) else "fp32",
        **trained.about,
    }
    write_json(record, counts)
    return counts


def _timing(trained: Trained, reading: Reading, frames: Sequence[int]) -> dict[str, Any]:
    """Return what was read, and for how many frames each symbol lasts: a line of durations.jsonl.

    Frame k is centred on sample k hop.
    """
    return {
        "said": reading.said,
        "symbols": list(reading.symbols),
        "frames": list(frames),
        "hop": trained.model.codec.hop,
        "rate": trained.audio.rate,
    }


def _decoded(trained: Trained, index: Index, rows: list[int]) -> Iterator[tuple[str, Made]]:
    """Yield id and audio of each row: batches of short ones, long ones in chunks."""
    given, spec = trained.hears, trained.spec
    only = trained.audio if given is None else replace(trained.audio, target=given, given=None)
    most = spec.batch_seconds * index.rate
    long = [row for row in rows if given is not None and index.samples[row] > most]
    batches = eval_batches(
        index,
        only,
        [row for row in rows if row not in set(long)],
        max_seconds_per_batch=spec.batch_seconds,
        grid=1,
        seed=spec.seed,
        fields=trained.model.fields,
        repeat=spec.repeat,
    )
    for batch in batches:
        if trained.model.prior is not None:
            made = read_texts(trained, batch.keys, batch.fields)
            yield from zip(batch.ids, made, strict=True)
            continue
        audio_in = None if given is None else batch.audio[given]
        sounds = trained.generate(audio_in, batch.samples, batch.keys, batch.fields)
        for name, one, length in zip(batch.ids, sounds, batch.samples.tolist(), strict=True):
            yield name, Made(one[:, :length].numpy().T)
    for row in long:
        for name in copies(index.id(row), spec.repeat):
            whole = [index.read(row, str(given))]
            pieces = trained.stream(whole, partial(plan.key, spec.seed, name))
            yield name, Made(np.concatenate(list(pieces)))


@lru_cache(maxsize=1)
def _trained(request: Request) -> Trained:
    """Load a model once in a worker."""
    config = read_config(request.out / "config.yaml")
    spec = config.build(DecodeSpec)
    trained = load(request.exp, config, spec, checkpoint=request.checkpoint, device=request.device)
    look_up(trained, request.dump.parent)
    return with_vocoder(trained, request.exp)
