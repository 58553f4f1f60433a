"""The model card of an exported folder: what it is, how to use it, its data, how well it does.

A folder that is exported again passes on what only its card knows: data and results.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diffaudio import __version__, strict
from diffaudio.codec import LogMel
from diffaudio.config import Config
from diffaudio.data import manifest
from diffaudio.decode.configuration import own_classes, read_config
from diffaudio.decode.trained import Trained
from diffaudio.log import environment

__all__ = ["CARD", "CREDITS", "RECOMMENDED", "VOCODER", "corpus_of", "known_before", "model_card"]

CARD, CREDITS, VOCODER = "MODEL_CARD.md", "CREDITS.txt", "vocoder"
RECOMMENDED = "recommended.yaml"  # of an experiment: the setting that a sweep recommends
_USE, _SETTING, _DATA, _NEEDS = "How to use it", "Recommended setting", "Data", "Needs"
_RESULTS = "Results"  # as RESULTS.md is called
_OTHER = """This folder decodes with other settings than its experiment had: each result says which
it is of.
"""
_SILENT = {"decode.threads", "decode.batch_seconds", "decode.repeat"}  # they change no sound


def model_card(
    exp: Path, trained: Trained, config: Config, corpus: Mapping[str, Any], *, credited: bool
) -> str:
    """Return the card in Markdown.

    Args:
        exp: the experiment, or a folder that was exported before.
        trained: its model.
        config: sections audio, model and decode of the new folder.
        corpus: what `corpus_of` knows.
        credited: whether the new folder has the credits of the corpus.
    """
    known = known_before(exp)
    path = exp / "RESULTS.md"
    results = _demoted(path.read_text(encoding="utf-8")) if path.is_file() else ""
    carried = {
        name: text
        for name, text in known.items()
        if name not in {_USE, _SETTING, _DATA, _NEEDS} and not (name == _RESULTS and results)
    }
    if found := results or carried.pop(_RESULTS, ""):
        found = _told_apart(found, exp, config)
    parts = [
        _head(exp.resolve().name, trained, config),
        _use(trained),
        _recommended(exp, config),
        (not corpus and known.get(_DATA)) or _data(corpus, credited),
        _own(config),
        found,
        *carried.values(),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def known_before(exp: Path) -> dict[str, str]:
    """Return the sections of the card of a folder that was exported before, by their headings."""
    path, found = exp / CARD, dict[str, str]()
    if not path.is_file():
        return found
    heading = ""
    for line, code in _lines(path.read_text(encoding="utf-8")):
        if line.startswith("## ") and not code:
            heading = line.removeprefix("## ").strip()
        if heading:
            found[heading] = found.get(heading, "") + line
    return found


def corpus_of(data: Path | None) -> dict[str, Any]:
    """Return name, label, hours and credits of a corpus, as far as its manifests know them."""
    if data is None:
        return {}
    about, credits = manifest.about(data, "root", "splits"), manifest.root(data) / CREDITS
    return {**about, "name": data.name, "credits": credits if credits.is_file() else None}


def _told_apart(results: str, exp: Path, config: Config) -> str:
    """Return results with a word on settings that this folder does not have, if it has others."""
    if _OTHER in results or _audible(config) == _audible(read_config(exp / "config.yaml")):
        return results
    heading, _, rest = results.partition("\n")
    return f"{heading}\n\n{_OTHER}{rest}"


def _audible(config: Config) -> dict[str, Any]:
    """Return what of `decode` can be heard; a vocoder counts by its name, wherever it lies."""
    keys = {key: value for key, value in config.keys("decode").items() if key not in _SILENT}
    return {**keys, "decode.vocoder": Path(keys["decode.vocoder"] or "").name}


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line of Markdown, and whether it is one of code or of its fences."""
    inside = False
    for line in text.splitlines(keepends=True):
        fence = line.startswith("```")
        yield line, inside or fence
        inside ^= fence


def _demoted(text: str) -> str:
    """Return Markdown with every heading one level lower, outside of code; no comments."""
    text = re.sub(r"^<!--.*?-->\n", "", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        f"#{line}" if line.startswith("#") and not code else line for line, code in _lines(text)
    )


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
    if name is None:
        return "Griffin-Lim"
    return f"`{VOCODER}/`" + (f", from {name}" if name != VOCODER else "")


def _class(part: dict[str, Any]) -> str:
    return str(part["class_path"]).rpartition(".")[2]


def _use(trained: Trained) -> str:
    if trained.model.through is not None:
        return f"""## {_USE}

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
    return f"""## {_USE}

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
    return f"## {_SETTING}\n\n{state}.\n\n```yaml\n{text}```\n"


def _data(corpus: Mapping[str, Any], credited: bool) -> str:
    if not corpus:
        return f"## {_DATA}\n\nThe corpus was not named when this folder was made.\n"
    hours = {name: split["hours"] for name, split in corpus["splits"].items()}
    listed = ", ".join(f"{amount:.2g} h in {name}" for name, amount in hours.items())
    label = f" ({corpus['label']})" if corpus.get("label") else ""
    licence = (
        f"Its authors and licences: [{CREDITS}]({CREDITS}). Keep that file with this folder."
        if credited
        else "It came without a file of credits; see where it was published for its licence."
    )
    return f"""## {_DATA}

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
    return f"""## {_NEEDS}

The recipe's own classes {", ".join(own)}: run from a folder that holds the recipe's `local/`.
"""
