"""A vocoder: what turns mels into sound, at the end of a model that makes mels.

`decode.vocoder` names a model of our own, trained with model.through: SpreadMel, or one that others
have published (`published.py`): a folder, the file of a HiFi-GAN generator, or an address of the
hub (`hub.py`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch

from diffaudio import weights
from diffaudio.codec import LogMel, MelSpec, SpreadMel
from diffaudio.data import plan
from diffaudio.decode import hub
from diffaudio.decode.configuration import read_config
from diffaudio.decode.published import Files, Published, files_of, read
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained, load
from diffaudio.files import digest
from diffaudio.log import Refusal, log
from diffaudio.model import Model
from diffaudio.prior import Plan
from diffaudio.shapes import Audio, State

__all__ = ["GRIFFIN_LIM", "Vocoder", "attach", "fitted", "located", "named_vocoder"]
__all__ += ["tell_fallback", "vocoder_inputs", "with_vocoder"]

GRIFFIN_LIM = "Griffin-Lim"


@dataclass(frozen=True)
class Vocoder:
    """Logarithms of mel magnitudes to audio; the same mels give the same audio.

    Args:
        trained: a model that was trained with model.through: SpreadMel.
        spread: that of the model.
    """

    trained: Trained
    spread: SpreadMel

    @property
    def mel(self) -> MelSpec:
        """The mels that it was trained on."""
        return self.spread.mel

    def __call__(self, logs: State, samples: int) -> Audio:
        """Turn (1, 1, bands, l) into (1, 1, samples)."""
        length = torch.tensor([samples], device=logs.device)
        model, spec = self.trained.model, self.trained.spec
        y = self.spread.spread(logs, samples)
        given = Plan(y, model.codec.frames(length), None)
        key = plan.key(spec.seed, "vocoder")
        return model.generate(given, length, [key], spec.sampler)


def with_vocoder(trained: Trained, folder: Path = Path()) -> Trained:
    """Return the model with the vocoder that `decode.vocoder` names; if it lacks one, say so.

    Args:
        trained: the model.
        folder: of the model.

    Raises:
        Refusal: there is no such vocoder, it is damaged, or it does not fit: see `attach`.
    """
    tell_fallback(trained.model, trained.spec)
    return fitted(trained, folder)


def fitted(trained: Trained, folder: Path = Path()) -> Trained:
    """As `with_vocoder`, which says what is lacking; this says nothing."""
    name = trained.spec.vocoder
    if name is None:
        return trained
    place = located(name, folder)
    files = files_of(place)
    if files is not None:
        attach(trained, read(files, trained.device), name)
        return trained
    config = read_config(place / "config.yaml")
    own = load(place, config, config.build(DecodeSpec), device=trained.device)
    attach(trained, own, name)
    return trained


def named_vocoder(model: Model, spec: DecodeSpec) -> str | None:
    """Return what turns a model's mels into sound: a folder or GRIFFIN_LIM; None for no mels."""
    return spec.vocoder or GRIFFIN_LIM if isinstance(model.codec, LogMel) else None


def tell_fallback(model: Model, spec: DecodeSpec) -> None:
    """Say if mels become sound without a vocoder; once, when a model is opened."""
    if named_vocoder(model, spec) == GRIFFIN_LIM:
        log.warning(
            "no vocoder: Griffin-Lim reconstructs the waveform, which sounds coarse; "
            "--decode.vocoder exp/NAME names one that was trained on the same mels"
        )


def vocoder_inputs(spec: DecodeSpec, folder: Path = Path()) -> dict[str, str]:
    """Return what a decoding reads of its vocoder: files and their digests.

    Those from a hub are called by their address: where they are kept is no matter.

    Args:
        spec: of the decoding.
        folder: of the model.
    """
    name = spec.vocoder
    if name is None:
        return {}
    place = located(name, folder)
    files = files_of(place)
    if files is None:
        config = place / "config.yaml"
        own = read_config(config).build(DecodeSpec)
        found = weights.find(place, own.checkpoint)
        averaged = weights.averaged(place, found, own.ema)
        files = Files(config, found / (weights.EMA if averaged else weights.MODEL))
    far = name.startswith(hub.SCHEME)
    return {f"{name}/{one.name}" if far else str(one): digest(one) for one in files}


def attach(trained: Trained, vocoder: Trained | Published, name: str | Path) -> None:
    """Let a vocoder make the sound of a model that makes mels.

    Args:
        trained: whose codec gets it.
        vocoder: on the same device.
        name: of the vocoder, to be named where it does not fit.

    Raises:
        Refusal: one of them is no such model, or their mels differ; every difference is named.
    """
    codec = trained.model.codec
    if not isinstance(codec, LogMel):
        raise Refusal(
            f"decode.vocoder: {name}, but the model's codec is {type(codec).__name__}, no LogMel",
            mend="set decode.vocoder to null: this codec has its own way back",
        )
    made = vocoder if isinstance(vocoder, Published) else _own(vocoder, name)
    if unlike := _differences(codec.mel, made.mel):
        raise Refusal(
            f"decode.vocoder: {name}: made for other mels than the model's (model, vocoder): "
            f"{unlike}",
            mend=f"train the model with the vocoder's mels, {_shown(made.mel)}; or another vocoder "
            "with the model's",
        )
    codec.vocoder = made


def _own(vocoder: Trained, name: str | Path) -> Vocoder:
    spread = vocoder.model.through
    if not isinstance(spread, SpreadMel):
        raise Refusal(
            f"decode.vocoder: {name}: is no vocoder",
            mend="name a model that was trained with model.through: SpreadMel",
        )
    return Vocoder(vocoder, spread)


def located(name: str, folder: Path) -> Path:
    """Return where a vocoder lies, downloaded if it has to be.

    Args:
        name: as `decode.vocoder` has it.
        folder: of the model. An exported one holds its vocoder; an experiment may have it beside
            itself, if the recipe's folder, from which it was named, is another than this one.

    Raises:
        Refusal: it is nowhere.
    """
    if name.startswith(hub.SCHEME):
        return hub.downloaded(name)
    for place in (folder / name, Path(name), folder.resolve().parent / Path(name).name):
        if place.exists():
            return place
    raise Refusal(
        f"decode.vocoder: {name}: no such folder",
        mend="name the folder of a vocoder, or hf://OWNER/NAME for one on the hub",
    )


def _differences(one: MelSpec, other: MelSpec) -> str:
    pairs = {
        field.name: (getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
    }
    pairs["high"] = (one.top, other.top)  # by default half the rate
    return "; ".join(f"{name} {a}, {b}" for name, (a, b) in pairs.items() if a != b)


def _shown(mel: MelSpec) -> str:
    """Return mels as one writes them in YAML."""
    pairs = (f"{name}: {json.dumps(value)}" for name, value in asdict(mel).items())
    return f"mel: {{{', '.join(pairs)}}}"
