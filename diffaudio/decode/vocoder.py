"""A vocoder: a trained model that turns mels into sound, at the end of one that makes mels."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import torch

from diffaudio import weights
from diffaudio.codec import LogMel, MelSpec, SpreadMel
from diffaudio.data import plan
from diffaudio.decode.configuration import read_config
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained, load
from diffaudio.files import digest
from diffaudio.log import Refusal, log
from diffaudio.model import Model
from diffaudio.prior import Plan
from diffaudio.shapes import Audio, State

__all__ = ["GRIFFIN_LIM", "Vocoder", "attach", "named_vocoder", "tell_fallback"]
__all__ += ["vocoder_inputs", "with_vocoder"]

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

    def __call__(self, logs: State, samples: int) -> Audio:
        """Turn (1, 1, bands, l) into (1, 1, samples)."""
        length = torch.tensor([samples], device=logs.device)
        model, spec = self.trained.model, self.trained.spec
        y = self.spread.spread(logs, samples)
        given = Plan(y, model.codec.frames(length), None)
        key = plan.key(spec.seed, "vocoder")
        return model.generate(given, length, [key], spec.sampler)


def with_vocoder(trained: Trained) -> Trained:
    """Return the model with the vocoder that `decode.vocoder` names; if it lacks one, say so.

    Raises:
        Refusal: there is no such vocoder, or it does not fit: see `attach`.
    """
    tell_fallback(trained.model, trained.spec)
    if trained.spec.vocoder is not None:
        folder = Path(trained.spec.vocoder)
        config = read_config(folder / "config.yaml")
        vocoder = load(folder, config, config.build(DecodeSpec), device=trained.device)
        attach(trained, vocoder, folder)
    return trained


def named_vocoder(model: Model, spec: DecodeSpec) -> str | None:
    """Return what turns a model's mels into sound: a folder or GRIFFIN_LIM; None for no mels."""
    return spec.vocoder or GRIFFIN_LIM if isinstance(model.codec, LogMel) else None


def tell_fallback(model: Model, spec: DecodeSpec) -> None:
    """Say if mels become sound without a vocoder; once, when a model is opened."""
    if named_vocoder(model, spec) == GRIFFIN_LIM:
        log.warning(
            "no vocoder: Griffin and Lim's search for phases makes the sound, which is coarse; "
            "--decode.vocoder exp/NAME names one that was trained on the same mels"
        )


def vocoder_inputs(spec: DecodeSpec) -> dict[str, str]:
    """Return what a decoding reads of its vocoder: files and their digests."""
    if spec.vocoder is None:
        return {}
    folder = Path(spec.vocoder)
    config = folder / "config.yaml"
    own = read_config(config).build(DecodeSpec)
    found = weights.find(folder, own.checkpoint)
    path = found / (weights.EMA if own.ema else weights.MODEL)
    return {str(one): digest(one) for one in (config, path)}


def attach(trained: Trained, vocoder: Trained, folder: Path) -> None:
    """Let a vocoder make the sound of a model that makes mels.

    Args:
        trained: whose codec gets it.
        vocoder: on the same device.
        folder: of the vocoder, to be named where it does not fit.

    Raises:
        Refusal: one of them is no such model, or their mels differ; every difference is named.
    """
    codec, spread = trained.model.codec, vocoder.model.through
    if not isinstance(codec, LogMel):
        raise Refusal(
            f"decode.vocoder: {folder}, but the model's codec is {type(codec).__name__}, no LogMel",
            mend="set decode.vocoder to null: this codec has its own way back",
        )
    if not isinstance(spread, SpreadMel):
        raise Refusal(
            f"decode.vocoder: {folder}: is no vocoder",
            mend="name a model that was trained with model.through: SpreadMel",
        )
    if unlike := _differences(codec.mel, spread.mel):
        raise Refusal(
            f"decode.vocoder: {folder}: made for other mels than the model's (model, vocoder): "
            f"{unlike}",
            mend="train one of them with the other's mel section",
        )
    codec.vocoder = Vocoder(vocoder, spread)


def _differences(one: MelSpec, other: MelSpec) -> str:
    pairs = {
        field.name: (getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
    }
    pairs["high"] = (one.top, other.top)  # by default half the rate
    return "; ".join(f"{name} {a}, {b}" for name, (a, b) in pairs.items() if a != b)
