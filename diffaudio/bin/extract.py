"""`diffaudio extract`: what is computed once from a corpus before training: its texts' units."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jsonargparse import ArgumentParser

from diffaudio import provenance
from diffaudio.config import Config, parse
from diffaudio.data import manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import digest, exclusive
from diffaudio.log import Refusal, log
from diffaudio.model import Model
from diffaudio.prior import Prior
from diffaudio.text import FOLDER, Cache, Readings, cached
from diffaudio.text.front_end import VERSION

__all__ = ["STAGE", "main", "read_texts", "text_keys"]

STAGE = "extract"
_SHOWN = 5  # problems named in a message
_PRIOR = "model.prior."
_READ = ("front_end", "field")


def main(argv: list[str]) -> int:
    """Read the texts of every split with the model's front end, those that are new."""
    config = parse(
        argv,
        prog="diffaudio extract",
        description="Compute once what training needs of a corpus besides its shards: the units of "
        "its texts. A model that reads no text needs nothing.",
        sections={"audio": AudioSpec, "model": Model},
        options=_options,
    )
    options = config.options
    model = config.build(Model)
    prior = model.prior
    if prior is None:
        log.info("%s: nothing to be done: the model reads no text", options.out)
        return 0
    paths = sorted(options.data.glob("*.jsonl"))
    splits = manifest.about(options.data, "splits")["splits"]
    paths = [path for path in paths if path.stem in splits]
    with exclusive(options.out):
        if provenance.begin(
            options.out,
            stage=STAGE,
            version=VERSION,
            keys=text_keys(config),
            usual=config.usual,
            inputs={str(path): digest(path) for path in paths} | _held(prior, options.train_set),
            force=options.force,
            outputs=("front_end.json",),
        ):
            learnt = (text for _, text, _ in _texts(paths, prior.fields[0], only=options.train_set))
            front_end = prior.front_end.learned(learnt, options.out)
            front_end.save(options.out)
            with cached(options.out, front_end) as cache:
                _read(
                    paths, prior.fields[0], cache, partial(_frames, config.build(AudioSpec), model)
                )
            log.info("%s: %d texts read, %d known", options.out, cache.made, cache.found)
            provenance.finish(options.out)
    return 0


def _held(prior: Prior, train_set: str) -> dict[str, str]:
    """Return what units depend on beside keys: files that they hold, texts they learn from."""
    units = prior.front_end.units
    files = {name: hashlib.sha256(content).hexdigest() for name, content in units.held().items()}
    return files | ({"learned from": train_set} if units.learns else {})


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--out", type=Path, required=True, help="folder to write: dump/X/text")
    parser.add_argument(
        "--train_set", default="train", help="split whose texts units are learned from: Pieces"
    )
    parser.add_argument("--force", action="store_true", help="do it again")


def text_keys(config: Config) -> dict[str, object]:
    """Return the keys of the configuration that readings depend on."""
    wanted = tuple(_PRIOR + name for name in _READ)
    return {name: one for name, one in config.keys("model").items() if name.startswith(wanted)}


def read_texts(config: Config, model: Model) -> dict[str, str]:
    """Let a model that is to be trained read what stage 3 has read; return the digest of that.

    Raises:
        Refusal: the texts are not read, or by another front end.
    """
    if model.prior is None:
        return {}
    folder = config.options.dump / FOLDER
    read = provenance.require(
        folder,
        stage=STAGE,
        keys=text_keys(config),
        usual=config.usual,
        mend="read the texts with this configuration: `diffaudio extract`",
    )
    model.prior.reader = Readings(folder, model.prior.front_end)
    return {str(folder): read}


def _frames(audio: AudioSpec, model: Model, row: Mapping[str, Any]) -> int:
    """Return how many frames of the model's codec a row of a manifest lasts."""
    samples = row["samples"] * audio.rate // row["rate"]
    return int(model.codec.frames(torch.tensor(samples)))


def _read(
    paths: Iterable[Path], field: str, cache: Cache, frames: Callable[[Mapping[str, Any]], int]
) -> None:
    """Read every text.

    Args:
        paths: manifests.
        field: that holds the text.
        cache: takes the readings.
        frames: of a row.

    Raises:
        Refusal: some cannot be read, or have more symbols than there are frames to give to them:
            the first few are named with file, line and utterance.
    """
    problems: list[Refusal] = []
    for place, text, row in _texts(paths, field):
        try:
            symbols, most = len(cache.read(text, place=place).ids), frames(row)
            if symbols > most:
                raise Refusal(
                    f"{place}: {symbols} symbols in {row['samples'] / row['rate']:.2f} s, which "
                    f"are {most} frames: {text[:40]!r}",
                    mend="is that what is said there? correct the text, or leave the row out",
                )
        except Refusal as problem:
            problems.append(problem)
    if problems:
        lines = [problem.message for problem in problems[:_SHOWN]]
        lines += [f"and {len(problems) - _SHOWN} more"] * (len(problems) > _SHOWN)
        raise Refusal("\n  ".join(lines), mend=problems[0].mend)


def _texts(
    paths: Iterable[Path], field: str, *, only: str | None = None
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield place, text and the row itself, of one split or of all.

    Raises:
        Refusal: a row has none.
    """
    for path in paths:
        if only is not None and path.stem != only:
            continue
        for number, row in enumerate(manifest.read(path), 1):
            place = f"{path}:{number} ({row['id']})"
            if not isinstance(row.get(field), str):
                raise Refusal(f"{place}: has no {field}", mend="let rows() yield it (stage 1)")
            yield place, row[field], row
