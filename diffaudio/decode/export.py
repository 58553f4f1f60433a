"""One portable folder of a trained model: weights, configuration with its front end, model card.

    model.safetensors   the weights, averaged unless asked otherwise
    state.json          the checkpoint they come from, and their digest
    config.yaml         sections audio, model and decode
    MODEL_CARD.md       what it is, what it was trained on, how well it does, how to use it
    CREDITS.txt         of the corpus, where it has one
    front_end.*         of a model that reads: text to symbols, with its lexicon or pieces
    vocoder/            of a model of mels that has one

`diffaudio.load(folder)` needs nothing else. The folder holds no code and no pickle.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffaudio import strict, weights
from diffaudio.config import Config
from diffaudio.decode.card import (
    CARD,
    CREDITS,
    RECOMMENDED,
    VOCODER,
    corpus_of,
    known_before,
    model_card,
)
from diffaudio.decode.configuration import own_classes, read_config, with_front_end
from diffaudio.decode.published import files_of
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained, load
from diffaudio.decode.vocoder import located
from diffaudio.files import fsync_dir, write_json, write_text
from diffaudio.log import Refusal, log
from diffaudio.model import Model

__all__ = ["export"]


def export(
    exp: Path, out: Path, config: Config, *, data: Path | None = None, force: bool = False
) -> None:
    """Write a trained model as a folder that appears whole or not at all.

    Args:
        exp: the experiment.
        out: the folder to make.
        config: sections audio, model and decode; checkpoint and ema are those of decode.
        data: folder of the manifests it was trained on, whose label and credits the card names.
        force: replace a folder that was exported before.

    Raises:
        Refusal: there is no such model, it is damaged, or `out` is there already.
    """
    if out.exists() and not (force and (out / CARD).is_file()):
        raise Refusal(
            f"{out}: exists",
            mend="give another folder"
            + (", or --force to replace it" if (out / CARD).is_file() else ""),
        )
    trained = load(exp, config, config.build(DecodeSpec))
    new = out.parent / f".{out.name}.tmp.{os.getpid()}"
    try:
        new.mkdir(parents=True)
        _fill(new, trained, config, exp=exp, data=data)
        if out.exists():
            shutil.rmtree(out)
        new.rename(out)
    except OSError as error:
        raise Refusal(
            f"{out}: cannot be written ({error.strerror})", mend="choose another folder"
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    fsync_dir(out.parent)
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    log.info("%s: %.1f MB", out, sum(sizes) / 1e6)


def _fill(new: Path, trained: Trained, config: Config, *, exp: Path, data: Path | None) -> None:
    sections = copy.deepcopy(dict(config.sections))
    if trained.spec.vocoder is not None:
        _pack_vocoder(new / VOCODER, located(trained.spec.vocoder, exp))
        sections["decode"]["vocoder"] = VOCODER
    if trained.weaker is not None:
        _write(new / weights.WEAKER, trained.weaker, {"checkpoint": trained.spec.weaker})
        sections["decode"]["weaker"] = weights.WEAKER
    _pack(new, trained, with_front_end(config.of(sections), exp, ".").sections, exp)
    corpus, known = corpus_of(data), known_before(exp)
    credits = corpus.get("credits") or exp / CREDITS
    credited = bool(corpus or known) and credits.is_file()
    if credited:
        shutil.copyfile(credits, new / CREDITS)
    elif not corpus and not known:
        log.info("no --data: the card will not say what it was trained on, nor whose work that is")
    if own := own_classes(config):
        log.warning("the model needs %s: give the recipe's local/ along with it", ", ".join(own))
    write_text(new / CARD, model_card(exp, trained, config, corpus, credited=credited))


def _pack(new: Path, trained: Trained, sections: Mapping[str, Any], exp: Path) -> None:
    """Write what is needed to run a model."""
    kind = "averaged" if trained.spec.ema else "last"
    about = {"checkpoint": trained.about["checkpoint"], "weights": kind}
    state = {"step": trained.about["train_steps"], "hours": trained.about["train_hours"]}
    _write(new, trained.model, {**state, **about})
    write_text(new / "config.yaml", strict.dump(dict(sections)))
    for path in sorted([*exp.glob("front_end.*"), *exp.glob(RECOMMENDED)]):
        shutil.copyfile(path, new / path.name)


def _write(folder: Path, model: Model, about: Mapping[str, Any]) -> None:
    """Write weights, and what is known of them."""
    folder.mkdir(exist_ok=True)
    digest = weights.write_weights(folder / weights.MODEL, model.state_dict())
    write_json(folder / weights.STATE, {**about, "files": {weights.MODEL: digest}})


def _pack_vocoder(new: Path, folder: Path) -> None:
    """Write what is needed to run a vocoder: ours, or the files of a published one."""
    new.mkdir()
    if files := files_of(folder):
        for path in files:
            shutil.copyfile(path, new / path.name)
        return
    config = read_config(folder / "config.yaml")
    trained = load(folder, config, config.build(DecodeSpec))
    _pack(new, trained, config.sections, folder)
