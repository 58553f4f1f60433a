"""The stage decode: a whole set through a trained model, checked before and recorded after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from diffaudio import origins, provenance, strict, weights
from diffaudio.config import Config
from diffaudio.data.index import Index
from diffaudio.decode.configuration import MODEL, own_classes, read_config
from diffaudio.decode.slices import Request, decode_slice, slices
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import load
from diffaudio.decode.vocoder import fitted, tell_fallback, vocoder_inputs
from diffaudio.files import digest, exclusive, read_json, write_json, write_text
from diffaudio.jobs import Task, check_jobs, run_tasks
from diffaudio.log import Refusal, log

__all__ = ["decode_set"]

DURATIONS = "durations.jsonl"
VERSION = 1  # raise it by hand when the same input would give other output
_READERS = 3  # that of models that read
_ABOUT = ("checkpoint", "checkpoint_sha256", "params", "train_steps", "train_hours")
_SLICE_SECONDS = 120.0  # of audio in one task, at least


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
        out: of the output: <id>.wav, decode.json, config.yaml; durations.jsonl of who reads.
        workers: jobs at once.
        on_gpu: whether each of them has a GPU.
        force: decode again.

    Raises:
        Refusal: `exp` was trained with other audio or model settings, there is no such checkpoint
            or vocoder, or it does not fit, the shards are stale, `out` was decoded from another
            folder of shards, or a slice failed.
    """
    check_jobs(workers)
    _refuse_other(exp, config)
    spec = config.build(DecodeSpec)
    trained = fitted(load(exp, config, spec), exp)  # refused here, rather than in every task
    path, *others = _weights(exp, spec)
    read = {str(one): digest(one) for one in others} | vocoder_inputs(spec, exp)
    inputs = {str(dump): _shards(data, dump, config), str(path): digest(path), **read}
    inputs |= origins.code() if own_classes(config) else {}  # scoring's is not ours
    with exclusive(out):
        if not force:
            mend = "give another name to this way to decode: --decode_tag of a recipe, --tag here"
            provenance.refuse_other(out, inputs, mend=f"{mend}; --force replaces it")
        if not provenance.begin(
            out,
            stage="decode",
            version=VERSION if trained.model.prior is None else _READERS,
            keys=config.keys("audio", "model", "decode"),
            usual=config.usual,
            inputs=inputs,
            force=force,
            outputs=("*.wav", "slices", "decode.json", DURATIONS),
        ):
            return
        tell_fallback(trained.model, spec)
        del trained  # the tasks load their own
        write_text(out / "config.yaml", strict.dump(config.sections))
        identity = "".join([digest(out / "config.yaml"), digest(path), *read.values()])
        request = Request(dump, exp, out, path.parent.name, identity, "cuda" if on_gpu else "cpu")
        _run(request, config.sections["decode"], workers)
        provenance.finish(out)


def _weights(exp: Path, spec: DecodeSpec) -> list[Path]:
    """Return the files of the model's weights, and of the weaker one's that guides it."""
    found = weights.find(exp, spec.checkpoint)
    name = weights.EMA if weights.averaged(exp, found, spec.ema) else weights.MODEL
    weaker = [] if spec.weaker is None else [weights.find(exp, spec.weaker)]
    return [folder / name for folder in (found, *weaker)]


def _shards(data: Path, dump: Path, config: Config) -> str:
    """Return the fingerprint of a set's shards, which must be made from its manifest as it is."""
    mend = "prepare it again: `diffaudio shard`"
    if not data.is_file():
        there = ", ".join(sorted(path.stem for path in data.parent.glob("*.jsonl")))
        raise Refusal(f"{data}: no such manifest", mend=f"--set is one of: {there}" * bool(there))
    keys = config.keys("audio")
    fingerprint = provenance.require(dump, stage="shard", keys=keys, usual=config.usual, mend=mend)
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
    if timings := [row for one in counts for row in one.get("timings", ())]:
        timings.sort(key=lambda row: str(row["id"]))  # batches come in the order of their lengths
        lines = [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in timings]
        write_text(request.out / DURATIONS, "".join(f"{line}\n" for line in lines))
    about = _summary(request, asked, counts)
    write_json(request.out / "decode.json", about)
    where = f"{asked['threads']} thread(s) of {about['hardware']}"
    log.info(
        "%s: %d utterances, %g network calls each, real-time factor %g (%s)",
        *(request.out, about["n"], about["calls"], about["rtf"]),
        "GPU" if request.device == "cuda" else where,
    )


def _summary(
    request: Request, asked: dict[str, Any], counts: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what decode.json says of a finished set; `asked` is the section decode."""
    total = {
        name: sum(one[name] for one in counts)
        for name in ("n", "audio_seconds", "seconds", "runs", "items", "calls", "evaluations")
    }
    first, temperature = counts[0], asked["sampler"]["temperature"]
    return {
        **{name: first[name] for name in ("hardware", "precision", *_ABOUT)},
        "n": total["n"],
        "audio_seconds": round(total["audio_seconds"], 3),
        "rtf": round(total["seconds"] / total["audio_seconds"], 5),
        "calls": round(total["calls"] / total["runs"], 3),
        "evaluations": round(total["evaluations"] / total["items"], 3),
        "solver": _named(asked["sampler"]["solver"]),
        "grid": _named(asked["sampler"]["grid"]),
        "guidance": _named(asked["sampler"]["guidance"]) if asked["sampler"]["guidance"] else None,
        **({"temperature": temperature} if temperature != 1 else {}),
        **{name: asked[name] for name in ("seed", "ema", "threads")},
        **({"vocoder": first["vocoder"]} if first.get("vocoder") else {}),
        **_parts(counts, total["seconds"], total["audio_seconds"]),
        "device": request.device,
        "config_sha256": digest(request.out / "config.yaml"),
    }


def _parts(counts: list[dict[str, Any]], seconds: float, audio: float) -> dict[str, Any]:
    """Return {"parts": {NAME: {"rtf", "share": of all seconds}}}, if all slices timed any."""
    timed = [one.get("parts") or {} for one in counts]
    if not all(timed):
        return {}
    spent = {name: sum(one[name] for one in timed) for name in timed[0]}
    parts = {
        name: {"rtf": round(one / audio, 5), "share": round(one / seconds, 4)}
        for name, one in spent.items()
    }
    return {"parts": parts}


def _named(part: Any) -> str:
    """Return a part of the configuration as one writes it in Python: DDIM(eta=0.5)."""
    if type(part) is not dict or "class_path" not in part:
        return str(part)
    given = {name: value for name, value in part.get("init_args", {}).items() if value is not None}
    options = ", ".join(f"{name}={_named(value)}" for name, value in given.items())
    return f"{part['class_path'].rpartition('.')[2]}({options})"


def _refuse_other(exp: Path, config: Config) -> None:
    """Refuse to decode with another audio or model section than `exp` was trained with.

    A key that is newer than `exp` has its default there.
    """
    trained = read_config(exp / "config.yaml", sections=MODEL).keys("audio", "model")
    if unlike := origins.other_keys(trained, config.keys("audio", "model")):
        found = "; ".join(unlike.values())
        raise Refusal(
            f"{exp}: trained with another configuration (trained -> asked): {found}",
            mend=f"give --config {exp / 'config.yaml'}, or train anew with --exp another folder",
        )
