"""Whether an experiment has anything left to train, and the record of what it was trained from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffaudio import provenance
from diffaudio.files import remove
from diffaudio.log import Refusal, log
from diffaudio.train.job import Job
from diffaudio.train.warm import warm_start

__all__ = ["VERSION", "begin", "finish"]

VERSION = 2  # raise it by hand when the same configuration would train another model
_KEPT = ("checkpoints/step_*/[!o]*", "best.json", "config.yaml")  # later stages need no optimizer
_MADE = ("ema", "tensorboard", "log.jsonl", "best.json", "status.json")  # beside checkpoints
_SHOWN = ("train.log_every", "train.workers", "train.keep", "train.max_per_device")
_MEND = "give the recipe another --tag or --exp, or train anew with --force"


def begin(job: Job, keys: Mapping[str, Any], inputs: Mapping[str, str], *, force: bool) -> bool:
    """Say whether there is anything to train, and record that it has begun.

    Args:
        job: the run; its experiment is locked.
        keys: flat keys of the sections audio, model and train.
        inputs: as for `provenance.begin`.
        force: train anew.

    Raises:
        Refusal: the experiment was made from another corpus, with other settings, or by another
            version of training; it is past the last step, or there are no weights to start from.
    """
    keys = {name: value for name, value in keys.items() if name not in _SHOWN}
    _warmed(job, force=force)  # what cannot begin must leave what is there as it is
    if not force:
        provenance.refuse_other(job.exp, inputs, mend=_MEND)
        job.checkpoints().check()
        if _trained_before(job, keys, inputs):
            return False
    begun = provenance.begin(
        job.exp,
        stage="train",
        version=VERSION,
        keys=keys,
        usual=job.usual,
        inputs=inputs,
        force=force,
    )
    if force:
        job.checkpoints().put_aside()
        remove(job.exp, _MADE)
    return begun


def _warmed(job: Job, *, force: bool) -> None:
    """Load the weights that a new run starts from.

    Raises:
        Refusal: they cannot be had, or are what --force replaces.
    """
    source = job.spec.init_from
    if not source or not (force or job.checkpoints().newest() is None):
        return
    if force and Path(source).resolve().is_relative_to(job.exp.resolve()):
        raise Refusal(
            f"train.init_from: {source} is in {job.exp}, which --force empties",
            mend="give another --exp",
        )
    warm_start(source, job.model)


def finish(job: Job) -> None:
    """Record that the run is finished."""
    provenance.finish(job.exp, also=_KEPT)


def _trained_before(job: Job, keys: Mapping[str, Any], inputs: Mapping[str, str]) -> bool:
    """Say whether an older version has trained all that is asked for: then it stays as it is.

    Raises:
        Refusal: it has not; a run of steps of two versions would be a run of neither.
    """
    version = provenance.held_version(job.exp)
    if version is None or version >= VERSION:
        return False
    unlike = provenance.changes(
        job.exp, stage="train", version=version, keys=keys, inputs=inputs, usual=job.usual
    )
    if unlike or not provenance.fingerprint(job.exp):
        raise Refusal(
            f"{job.exp}: begun by version {version} of training, which is {VERSION} by now, and "
            f"not finished as asked: {'; '.join(unlike) or 'interrupted'}",
            mend=_MEND,
        )
    log.info("%s: up to date, as version %d trained it; --force trains anew", job.exp, version)
    return True
