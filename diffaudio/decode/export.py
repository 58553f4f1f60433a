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
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffaudio import __version__, strict, weights
from diffaudio.codec import LogMel
from diffaudio.config import Config
from diffaudio.data import manifest
from diffaudio.decode.configuration import own_classes, read_config, with_front_end
from diffaudio.decode.published import files_of
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained, load
from diffaudio.decode.vocoder import located
from diffaudio.files import fsync_dir, write_json, write_text
from diffaudio.log import Refusal, environment, log
from diffaudio.model import Model

__all__ = ["CARD", "RECOMMENDED", "export"]

CARD, CREDITS, VOCODER = "MODEL_CARD.md", "CREDITS.txt", "vocoder"
_MADE_ANEW = ("How to use it", "Recommended setting", "Data", "Needs")  # sections of a card
RECOMMENDED = "recommended.yaml"  # of an experiment: the setting that a sweep recommends


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
    corpus, before = _corpus(data), _before(exp)
    credits = corpus.get("credits") or (exp / CREDITS if before and not corpus else None)
    if credits and credits.is_file():
        shutil.copyfile(credits, new / CREDITS)
    elif not corpus and not before:
        log.info("no --data: the card will not say what it was trained on, nor whose work that is")
    head = _head(exp.resolve().name, trained, config)
    told = (not corpus and before.get("Data")) or _data(corpus)
    parts = [head, _use(trained), _recommended(exp, config), told, _own(config)]
    parts += _results(exp, config, before)
    write_text(new / CARD, "\n".join(part for part in parts if part))


def _results(exp: Path, config: Config, before: Mapping[str, str]) -> list[str]:
    """Return what is known of how well the model does: of the experiment, or of an older card."""
    path = exp / "RESULTS.md"
    found = [_demoted(path.read_text(encoding="utf-8"))] if path.is_file() else []
    found += [text for name, text in before.items() if name not in _MADE_ANEW]
    own = read_config(exp / "config.yaml").sections["decode"]
    if found and config.sections["decode"] != own:
        found.insert(
            0, "The results below are of other settings of `decode` than this folder has.\n"
        )
    return found


def _before(exp: Path) -> dict[str, str]:
    """Return the sections of the card of a folder that was exported before, by their headings."""
    path = exp / CARD
    if not path.is_file():
        return {}
    _, *sections = re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {text.partition("\n")[0].removeprefix("## "): text for text in sections}


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


def _corpus(data: Path | None) -> dict[str, Any]:
    """Return name, label, hours and credits of the corpus, as far as they are known."""
    if data is None:
        return {}
    about, credits = manifest.about(data, "root", "splits"), manifest.root(data) / CREDITS
    return {**about, "name": data.name, "credits": credits if credits.is_file() else None}


def _head(name: str, trained: Trained, config: Config) -> str:
    audio, about, spec = trained.audio, trained.about, trained.spec
    model = config.sections["model"]
    parts = ", ".join(_class(model[part]) for part in ("codec", "path", "target", "net"))
    sampler = config.sections["decode"]["sampler"]
    hours = about["train_hours"]
    given = f" from `{audio.given}`" if audio.given else ""
    kind = "their exponential moving average" if spec.ema else "as after the last step"
    rows = {
        "sample rate": f"{audio.rate} Hz, so a bandwidth of {audio.rate // 2} Hz",
        "channels": f"{audio.channels}; more are treated one after another",
        "parts": parts,
        "parameters": f"{about['params']:,}",
        "training": f"{about['train_steps']} steps" + (f", {hours:.2g} h" if hours else ""),
        "weights": f"checkpoint {about['checkpoint']}, {kind}",
        **({"vocoder": _vocoder(spec.vocoder)} if isinstance(trained.model.codec, LogMel) else {}),
        "sampler": f"{_class(sampler['solver'])}, {_class(sampler['grid'])}, "
        f"{sampler['calls']} network call{'s' * (sampler['calls'] > 1)}, "
        f"temperature {sampler['temperature']:g}",
        "exported with": f"diffaudio {__version__}, commit {environment()['commit']}",
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return (
        f"# {name}\n\nA score-based model that makes `{audio.target}`{given} audio, trained with "
        f"diffaudio.\n\n| | |\n|---|---|\n{table}\n"
    )


def _vocoder(name: str | None) -> str:
    return "Griffin-Lim" if name is None else f"`{VOCODER}/`, from {name}"


def _class(part: dict[str, Any]) -> str:
    return str(part["class_path"]).rpartition(".")[2]


def _use(trained: Trained) -> str:
    if trained.model.through is not None:
        return """## How to use it

It is a vocoder: with `--decode.vocoder THIS_FOLDER` it makes the sound of a model of its mels.
"""
    if trained.model.prior is not None:
        command, lines = 'say "Good morning." out.wav', 'model.say("Good morning.", "out.wav")'
        note = """Text of any length is spoken sentence by sentence. The same text gives the same
speech; `--decode.seed` draws another reading, `--decode.length_scale 1.2` is slower."""
    elif trained.model.hears:
        command, lines = "enhance noisy.wav clean.wav", 'model.enhance("noisy.wav", "clean.wav")'
        note = f"""Files of any sample rate, length and number of channels will do; they are
resampled to {trained.audio.rate} Hz and back. The same audio gives the same output."""
    else:
        condition = trained.model.denoiser.condition
        told = dict(condition.example) if condition else {}
        words = "".join(f", {name}={value!r}" for name, value in told.items())
        given = f" --fields '{json.dumps(told, ensure_ascii=False)}'" if told else ""
        command = f"generate out.wav --seconds 1{given}"
        lines = f"sound = model.generate(1.0{words})  # (1, samples), at model.rate"
        note = "The same seed, number and length give the same sound; `--decode.seed` draws others."
    return f"""## How to use it

With diffaudio installed, on the command line:

    diffaudio {command} --exp THIS_FOLDER

or in Python:

    import diffaudio

    model = diffaudio.load("THIS_FOLDER")
    {lines}

{note}
"""


def _recommended(exp: Path, config: Config) -> str:
    """Return the setting that a sweep recommends, why, and whether this folder has it."""
    path = exp / RECOMMENDED
    if not path.is_file():
        return ""
    own = config.sections["decode"]
    same = strict.merge(own, strict.load(path, {})["decode"]) == own
    other = f"This folder has another; `--config THIS_FOLDER/{RECOMMENDED}` takes it"
    state = "This folder has it" if same else other
    text = path.read_text(encoding="utf-8").partition("\n")[2]
    return f"## Recommended setting\n\n{state}.\n\n```yaml\n{text}```\n"


def _data(corpus: dict[str, Any]) -> str:
    if not corpus:
        return "## Data\n\nThe corpus was not named when this folder was made.\n"
    hours = {name: split["hours"] for name, split in corpus["splits"].items()}
    listed = ", ".join(f"{amount:.2g} h in {name}" for name, amount in hours.items())
    label = f" ({corpus['label']})" if corpus.get("label") else ""
    licence = (
        f"Its authors and licences: [{CREDITS}]({CREDITS}). Keep that file with this folder."
        if corpus["credits"]
        else "It came without a file of credits; see where it was published for its licence."
    )
    return f"""## Data

The corpus is `{corpus["name"]}`{label}: {listed}.
{licence}

diffaudio itself is under the Apache License 2.0; what the licences of the data say about a model
trained on them applies to these weights.
"""


def _own(config: Config) -> str:
    """Say which classes of a recipe's own the model needs besides diffaudio."""
    own = own_classes(config)
    if not own:
        return ""
    log.warning("the model needs %s: give the recipe's local/ along with it", ", ".join(own))
    return f"""## Needs

The recipe's own classes {", ".join(own)}: run from a folder that holds the recipe's `local/`.
"""


def _demoted(text: str) -> str:
    """Return Markdown with every heading one level lower, outside of code; no comments."""
    text = re.sub(r"^<!--.*?-->\n", "", text, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if part.startswith("```") else re.sub(r"^#", "##", part, flags=re.MULTILINE)
        for part in parts
    )
