"""A whole set through a trained model: slices of it as independent tasks, one wav an utterance.

What a slice holds follows from the set alone, and an utterance's noise from (seed, id) alone, so
neither the number of jobs nor the batch changes an utterance beyond rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffaudio import provenance, strict, weights
from diffaudio.config import Config
from diffaudio.data import audio, plan
from diffaudio.data.batch import eval_batches
from diffaudio.data.index import Index
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import MODEL, Trained, load, read_config
from diffaudio.files import digest, exclusive, read_json, write_json, write_text
from diffaudio.jobs import Task, run_tasks
from diffaudio.log import Refusal, environment, log

__all__ = ["Request", "decode_set", "decode_slice", "slices"]

VERSION = 1  # raise it by hand when the same input would give other output
_ABOUT = ("checkpoint", "checkpoint_sha256", "params", "train_steps", "train_hours")
_SLICE_SECONDS = 120.0  # of audio in one task, at least


@dataclass(frozen=True)
class Request:
    """Which set, which model, and where the output goes.

    Args:
        dump: shards of the set, `dump/mini/test`.
        exp: experiment, `exp/demo`.
        out: `exp/demo/decode/default/test`.
        checkpoint: its name, `step_00000500`.
        identity: digest of the configuration and the weights.
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


def decode_set(
    config: Config,
    *,
    data: Path,
    dump: Path,
    exp: Path,
    out: Path,
    workers: int,
    on_gpu: bool,
    force: bool = False,
) -> None:
    """Decode every utterance of a set, unless that is done.

    Args:
        config: of the command: sections audio, model and decode.
        data: manifest of the set.
        dump: shards of the set.
        exp: experiment that holds the trained model.
        out: folder of the output: <id>.wav, decode.json, config.yaml.
        workers: jobs at once.
        on_gpu: whether each of them has a GPU.
        force: decode again.

    Raises:
        Refusal: `exp` was trained with other audio or model settings, there is no such checkpoint,
            the shards are stale, or a slice failed.
    """
    _refuse_other(exp, config)
    spec = config.build(DecodeSpec)
    found = weights.find(exp, spec.checkpoint)
    weights.read_weights(found, ema=spec.ema)  # refused here, once, rather than in every task
    path = found / (weights.EMA if spec.ema else weights.MODEL)
    inputs = {str(dump): _shards(data, dump, config), str(path): digest(path)}
    with exclusive(out):
        if not provenance.begin(
            out,
            stage="decode",
            version=VERSION,
            keys=config.keys("audio", "model", "decode"),
            inputs=inputs,
            force=force,
            outputs=("*.wav", "slices", "decode.json"),
        ):
            return
        write_text(out / "config.yaml", strict.dump(config.sections))
        identity = digest(out / "config.yaml") + digest(path)
        device = "cuda" if on_gpu else "cpu"
        request = Request(dump, exp, out, found.name, identity, device)
        _run(request, config.sections["decode"], workers)
        provenance.finish(out)


def _shards(data: Path, dump: Path, config: Config) -> str:
    """Return the fingerprint of a set's shards, which must be made from its manifest as it is."""
    mend = "prepare it again: `diffaudio shard`"
    if not data.is_file():
        there = ", ".join(sorted(path.stem for path in data.parent.glob("*.jsonl")))
        raise Refusal(f"{data}: no such manifest", mend=f"--set is one of: {there}" * bool(there))
    fingerprint = provenance.require(dump, stage="shard", keys=config.keys("audio"), mend=mend)
    if digest(data) not in read_json(dump / provenance.RECORD)["inputs"].values():
        raise Refusal(f"{dump}: was not made from {data} as it is now", mend=mend)
    return fingerprint


def _run(request: Request, asked: dict[str, Any], workers: int) -> None:
    """Decode all slices and say how it went in decode.json."""
    index = Index.open(request.dump)
    parts = slices(index.samples, round(_SLICE_SECONDS * index.rate))
    tasks = [
        Task(f"{number:06d}", decode_slice, {"request": request, "number": number, "rows": rows})
        for number, rows in enumerate(parts)
    ]
    counts = run_tasks(
        tasks,
        nj=workers,
        threads=asked["threads"],
        gpus=workers if request.device == "cuda" else 0,
        log_dir=request.out / "log",
        title=f"decode {request.out.name}",
    )
    about = _summary(request, asked, counts)
    write_json(request.out / "decode.json", about)
    where = f"{asked['threads']} thread(s) of {about['hardware']}"
    log.info(
        "%s: %d utterances, %g network calls each, real-time factor %g (%s)",
        *(request.out, about["n"], about["calls"], about["rtf"]),
        "GPU" if request.device == "cuda" else where,
    )


def decode_slice(*, request: Request, number: int, rows: list[int]) -> dict[str, Any]:
    """Decode some rows of a set, unless that is done; return and record what it took."""
    record = request.out / "slices" / f"{number:06d}.json"
    if record.is_file():
        return dict(read_json(record))
    trained = _trained(request)
    torch.set_num_threads(trained.spec.threads)
    trained.meter.reset()
    samples = 0
    for name, made in _decoded(trained, Index.open(request.dump), rows):
        audio.save(request.out / f"{name}.wav", made, trained.audio.rate)
        samples += len(made)
    counts = {
        "n": len(rows),
        "audio_seconds": samples / trained.audio.rate,
        "seconds": trained.meter.seconds,
        "runs": trained.meter.runs,
        "calls": trained.meter.calls,
        "hardware": environment()["hardware"],
        **trained.about,
    }
    write_json(record, counts)
    return counts


def _decoded(trained: Trained, index: Index, rows: list[int]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield id and audio (n, a) of each row: batches of short ones, long ones in chunks."""
    given, spec = trained.audio.given, trained.spec
    only = trained.audio if given is None else replace(trained.audio, target=given, given=None)
    chunk = round(spec.chunk_seconds * index.rate)
    long = [row for row in rows if given is not None and index.samples[row] > chunk]
    batches = eval_batches(
        index,
        only,
        [row for row in rows if row not in set(long)],
        max_seconds_per_batch=spec.batch_seconds,
        grid=1,
        seed=spec.seed,
    )
    for batch in batches:
        audio_in = None if given is None else batch.audio[given]
        made = trained.generate(audio_in, batch.samples, batch.keys)
        for name, one, length in zip(batch.ids, made, batch.samples.tolist(), strict=True):
            yield name, one[:, :length].numpy().T
    for row in long:
        name = index.id(row)
        pieces = trained.stream([index.read(row, str(given))], partial(plan.key, spec.seed, name))
        yield name, np.concatenate(list(pieces))


@lru_cache(maxsize=1)
def _trained(request: Request) -> Trained:
    """Load a model once in a worker."""
    config = read_config(request.out / "config.yaml")
    spec = config.build(DecodeSpec)
    return load(request.exp, config, spec, checkpoint=request.checkpoint, device=request.device)


def _summary(
    request: Request, asked: dict[str, Any], counts: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what decode.json says of a finished set; `asked` is the section decode."""
    total = {
        name: sum(one[name] for one in counts)
        for name in ("n", "audio_seconds", "seconds", "runs", "calls")
    }
    first = counts[0]
    return {
        **{name: first[name] for name in ("hardware", *_ABOUT)},
        "n": total["n"],
        "audio_seconds": round(total["audio_seconds"], 3),
        "rtf": round(total["seconds"] / total["audio_seconds"], 5),
        "calls": round(total["calls"] / total["runs"], 3),
        "solver": _named(asked["sampler"]["solver"]),
        "grid": _named(asked["sampler"]["grid"]),
        **{name: asked[name] for name in ("seed", "ema", "precision", "threads")},
        "device": request.device,
        "config_sha256": digest(request.out / "config.yaml"),
    }


def _named(part: dict[str, Any]) -> str:
    """Return a part of the configuration as one writes it in Python: DDIM(eta=0.5)."""
    given = {name: value for name, value in part.get("init_args", {}).items() if value is not None}
    options = ", ".join(f"{name}={value}" for name, value in given.items())
    return f"{part['class_path'].rpartition('.')[2]}({options})"


def _refuse_other(exp: Path, config: Config) -> None:
    """Refuse to decode with another audio or model section than `exp` was trained with."""
    trained = read_config(exp / "config.yaml", sections=MODEL).keys("audio", "model")
    asked = config.keys("audio", "model")
    unlike = [
        f"{key}: {trained.get(key, 'absent')} -> {asked.get(key, 'absent')}"
        for key in sorted({*trained, *asked})
        if trained.get(key, ...) != asked.get(key, ...)
    ]
    if unlike:
        raise Refusal(
            f"{exp}: trained with another configuration (trained -> asked): {'; '.join(unlike)}",
            mend=f"give --config {exp / 'config.yaml'}, or train anew with --exp another folder",
        )
