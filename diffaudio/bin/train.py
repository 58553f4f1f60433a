"""`diffaudio train`: a model from shards, on one device or many, from wherever it was left."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from jsonargparse import ArgumentParser

from diffaudio import origins, provenance
from diffaudio.bin import extract
from diffaudio.config import Config, parse
from diffaudio.data import plan
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.data.index import Index
from diffaudio.data.loader import Batching, check_audio, train_loader
from diffaudio.decode.configuration import with_front_end
from diffaudio.decode.spec import DecodeSpec
from diffaudio.files import exclusive
from diffaudio.log import Refusal, log
from diffaudio.model import Model
from diffaudio.precision import bf16
from diffaudio.text import FOLDER, Readings
from diffaudio.train.begin import begin, finish
from diffaudio.train.choice import measured
from diffaudio.train.job import Job
from diffaudio.train.launch import Asked, start
from diffaudio.train.loop import train
from diffaudio.train.signals import INTERRUPTED
from diffaudio.train.slurm import job_file
from diffaudio.train.spec import TrainSpec
from diffaudio.train.validate import Validator
from diffaudio.train.world import agreed, join, threads

__all__ = ["main"]

_READ = ("texts", "code")  # keys of a fingerprint: what stage 3 has read, the recipe's own classes


def main(argv: list[str]) -> int:
    """Train a model; an experiment that was interrupted goes on, a finished one is up to date."""
    config = parse(
        argv,
        prog="diffaudio train",
        description="Train a model on DUMP/TRAIN_SET in EXP. Run again, it goes on from the last "
        "checkpoint. Asked to stop (SIGTERM, SIGUSR1, Ctrl-C), it saves and ends with status 75.",
        sections={"audio": AudioSpec, "model": Model, "train": TrainSpec, "decode": DecodeSpec},
        options=_options,
    )
    options = config.options
    asked = Asked(ngpu=options.ngpu, num_nodes=options.num_nodes, cpu_ranks=options.cpu_ranks)
    command = [sys.executable, "-m", "diffaudio", "train", *argv]
    if options.print_sbatch:
        once = ("--print_sbatch", "--force")  # a job that queues itself again must not start anew
        sys.stdout.write(
            job_file(
                [word for word in command if word not in once],
                options.exp,
                nodes=asked.num_nodes,
                ngpu=asked.ngpu,
                cpu_ranks=asked.cpu_ranks,
                workers=config.build(TrainSpec).workers,
            )
        )
        return 0
    return start(asked, command, partial(_rank, config, asked))


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--dump", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--exp", type=Path, required=True, help="experiment to write")
    parser.add_argument("--train_set", default="train", help="split to train on")
    parser.add_argument("--valid_set", default="valid", help="split that chooses the best")
    parser.add_argument("--ngpu", type=int, default=0, help="GPUs per node; 0 uses the processor")
    parser.add_argument("--num_nodes", type=int, default=1, help="machines, under Slurm")
    parser.add_argument(
        "--cpu_ranks", type=int, default=1, help="processes per node without GPUs, for CPU clusters"
    )
    parser.add_argument("--print_sbatch", action="store_true", help="print a job file for Slurm")
    parser.add_argument("--force", action="store_true", help="train anew, from the first step")


def _rank(config: Config, asked: Asked) -> int:
    """Do what one rank does; returns its exit status."""
    accelerator = join(asked)
    if not accelerator.is_main_process:
        log.setLevel(logging.WARNING)
    with contextlib.ExitStack() as stack:
        job, inputs = _job(config, accelerator)
        if agreed(accelerator, lambda: _begin(stack, config, job, inputs)):
            if train(job, accelerator) == "interrupted":
                return INTERRUPTED
            if accelerator.is_main_process:
                finish(job)
        accelerator.end_training()
    return 0


def _job(config: Config, accelerator: Accelerator) -> tuple[Job, dict[str, str]]:
    """Put the run together; also return the digests of the data sets and the code it reads."""
    audio, spec, options = config.build(AudioSpec), config.build(TrainSpec), config.options
    sets = _sets(options, spec)
    mend = "prepare the shards with this configuration: `diffaudio shard`"
    inputs = {
        str(options.dump / name): provenance.require(
            options.dump / name,
            stage="shard",
            keys=config.keys("audio"),
            usual=config.usual,
            mend=mend,
            deep=accelerator.is_main_process,  # one process looks at the corpus' files, not all
        )
        for name in sets
    }
    index = Index.open(options.dump / options.train_set)
    check_audio(index, audio)
    plan.micro_batches(spec.global_batch, accelerator.num_processes, spec.max_per_device)
    model = _model(config, audio, spec)
    texts, code = extract.read_texts(config, model), origins.code()
    log.info("%d utterances, %.2f h", len(index), index.samples.sum() / audio.rate / 3600)
    batching = Batching(
        global_batch=spec.global_batch,
        max_per_device=spec.max_per_device,
        crop_seconds=spec.crop_seconds,
        workers=spec.workers,
        remix=spec.remix,
    )

    def batches(step: int) -> Iterator[Batch]:
        return train_loader(
            index,
            audio,
            batching,
            seed=spec.seed,
            start_step=step,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
            fields=model.fields,
        )

    job = Job(
        exp=options.exp,
        spec=spec,
        model=model,
        batches=batches,
        rate=audio.rate,
        fingerprint=_fingerprint(config, spec, index, accelerator.device)
        | dict(zip(_READ, map(_digest, (texts, code)), strict=True)),
        usual=lambda key: key in _READ or config.usual(key),  # older checkpoints do not say
        validate=_validator(config, spec, audio, accelerator.device) if spec.valid_every else None,
    )
    return job, {**inputs, **texts, **code}


def _digest(inputs: Mapping[str, str]) -> str:
    """Return one digest of all, wherever they lie; "" of none."""
    held = sorted(origins.pairs(inputs))
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16] if held else ""


def _model(config: Config, audio: AudioSpec, spec: TrainSpec) -> Model:
    """Build the model, its weights drawn from the seed.

    Raises:
        Refusal: it cannot take this audio, or is to be trained on what it cannot be trained on.
    """
    torch.manual_seed(plan.key(spec.seed, "weights"))
    model = with_front_end(config, config.options.dump / FOLDER).build(Model)
    model.check(audio)
    if model.objective.coupled is not None and spec.crop_seconds is not None:
        raise Refusal(
            f"train.crop_seconds: {spec.crop_seconds}, but model.objective.coupled needs whole "
            "utterances: the noise that a crop was made from is not known",
            mend="set train.crop_seconds to null",
        )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    log.info("%.2f million parameters", parameters / 1e6)
    return model


def _sets(options: Any, spec: TrainSpec) -> list[str]:
    """Name the splits that are read.

    Raises:
        Refusal: there are shards, and none of a split of this name.
    """
    there = sorted(path.parent.name for path in options.dump.glob(f"*/{provenance.RECORD}"))
    asked = {
        "train": options.train_set,
        **({"valid": options.valid_set} if spec.valid_every else {}),
    }
    for role, name in asked.items():
        if there and name not in there:
            others = " or ".join(f"--{role}_set {split}" for split in there)
            raise Refusal(
                f"{options.dump}: has no split {name}; there are: {', '.join(there)}",
                mend=f"let rows() call a split {name} (stage 1), or give {others}"
                + ("; train.valid_every 0 does without" if role == "valid" else ""),
            )
    return [*asked.values()]


def _fingerprint(
    config: Config, spec: TrainSpec, index: Index, device: torch.device
) -> dict[str, Any]:
    """Return what must not change while a run goes on, as it is on this machine."""
    found = config.keys("audio", "model", "train")
    found["data"] = index.sha256
    found["train.precision"] = "bf16" if bf16(spec.precision, device) else "fp32"
    found["train.threads"] = threads(spec.threads) if device.type == "cpu" else None
    return found


def _validator(
    config: Config, spec: TrainSpec, audio: AudioSpec, device: torch.device
) -> Validator:
    """Return what scores the model while it is trained."""
    decode = config.build(DecodeSpec)
    index = Index.open(config.options.dump / config.options.valid_set)
    metrics = measured(spec.valid_metric, audio)
    asked = {n: v for n, v in config.keys("decode").items() if n.startswith("decode.sampler")}
    asked |= {"seed": decode.seed, "bf16": bf16(decode.precision, device)}
    asked |= {"set": index.sha256, "items": spec.valid_items}
    asked |= {"metrics": {metric.name: metric.versions() for metric in metrics}}
    return Validator(
        index=index,
        audio=audio,
        sampler=decode.sampler,
        precision=decode.precision,
        metrics=metrics,
        choice=spec.valid_metric,
        items=spec.valid_items,
        seed=decode.seed,
        batch_seconds=spec.max_per_device * (spec.crop_seconds or audio.max_seconds),
        protocol=hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16],
    )


def _begin(stack: contextlib.ExitStack, config: Config, job: Job, inputs: dict[str, str]) -> bool:
    """Lock the experiment for the length of `stack`, and say whether there is anything to do.

    Raises:
        Refusal: another run is here, or `begin` refuses.
    """
    stack.enter_context(exclusive(job.exp))
    keys = config.keys("audio", "model", "train")
    must_run = begin(job, keys, inputs, force=config.options.force)
    if must_run:
        config.save(job.exp / "config.yaml")
        prior = job.model.prior
        if prior is not None and isinstance(prior.reader, Readings):
            prior.reader.copy_front_end(job.exp)
    return must_run
