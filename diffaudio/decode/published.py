"""Vocoders that others have trained and published: HiFi-GAN and Vocos, from their own files.

    config.json, generator_v1 or g_02500000     HiFi-GAN: {"generator": weights}, with weight norm
    config.yaml, pytorch_model.bin              Vocos: weights

Nothing read here can run code: weights are read as weights alone, and the names of classes in a
configuration are compared with those known here, never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from diffaudio import strict, weights
from diffaudio.codec import LogMel, MelSpec
from diffaudio.codec.hifigan import HiFiGAN
from diffaudio.codec.vocos import Vocos
from diffaudio.files import read_json
from diffaudio.log import Refusal
from diffaudio.shapes import Audio, State, Tensor

__all__ = ["Files", "Published", "files_of", "read"]

_FLOOR_HIFIGAN, _FLOOR_VOCOS = 1e-5, 1e-7  # not in their configurations, but in their code
_GENERATORS = ("generator*", "g_*")  # as released, and as HiFi-GAN's training names them
_FRAMES = ("n_fft", "hop_length", "padding")
_VOCOS: dict[str, tuple[str, dict[str, Any]]] = {  # the class of each part, and its defaults
    "feature_extractor": (
        "vocos.feature_extractors.MelSpectrogramFeatures",
        {"sample_rate": 24000, "n_fft": 1024, "hop_length": 256, "n_mels": 100}
        | {"padding": "center"},
    ),
    "backbone": (
        "vocos.models.VocosBackbone",
        dict.fromkeys(("input_channels", "dim", "intermediate_dim", "num_layers"))
        | dict.fromkeys(("layer_scale_init_value", "adanorm_num_embeddings")),
    ),
    "head": (
        "vocos.heads.ISTFTHead",
        {"dim": None, "n_fft": None, "hop_length": None, "padding": "same"},
    ),
}


class Files(NamedTuple):
    """The files of a published vocoder."""

    config: Path
    weights: Path


@dataclass(frozen=True)
class Published:
    """Logarithms of mel magnitudes to audio, always in fp32: bf16 is too coarse for samples.

    Args:
        net: with its weights, on its device.
    """

    net: HiFiGAN | Vocos

    @property
    def mel(self) -> MelSpec:
        """The mels that it was trained on."""
        return self.net.mel

    def __call__(self, logs: State, samples: int) -> Audio:
        """Turn (b, 1, bands, l) into (b, 1, samples); it has never met less than the floor."""
        with torch.autocast(logs.device.type, enabled=False):
            audio: Audio = self.net(logs.float().clamp_min(self.mel.quiet), samples)
            return audio


def files_of(place: Path) -> Files | None:
    """Return the files of the published vocoder at `place`; None where there is no such one.

    Args:
        place: a folder as it was published, or the file of a HiFi-GAN generator in one.

    Raises:
        Refusal: one of the files is missing, or there are several generators beside config.json.
    """
    if place.is_file():
        files = Files(place.parent / "config.json", place)
    elif (place / "config.json").is_file():
        files = Files(place / "config.json", _generator(place))
    elif {*_VOCOS} & {*_sections(place / "config.yaml")}:
        files = Files(place / "config.yaml", place / "pytorch_model.bin")
    else:
        return None
    for path in files:
        if not path.is_file():
            raise Refusal(
                f"{path}: no such file",
                mend="a published vocoder is its weights with the configuration beside them",
            )
    return files


def _generator(folder: Path) -> Path:
    found = sorted({path for pattern in _GENERATORS for path in folder.glob(pattern)})
    if len(found) != 1:
        raise Refusal(
            f"{folder}: generators of a HiFi-GAN beside config.json: "
            f"{', '.join(path.name for path in found) or 'none'}",
            mend=f"name the file that holds one: {folder}/generator_v1, say",
        )
    return found[0]


def _sections(config: Path) -> Mapping[str, Any]:
    return strict.load(config, {}) if config.is_file() else {}


def read(files: Files, device: torch.device | str) -> Published:
    """Build a published vocoder and give it its weights.

    Raises:
        Refusal: a file is missing, damaged, or holds something else; or they do not fit together.
    """
    net = _hifigan(files) if files.config.suffix == ".json" else _vocos(files)
    return Published(net.requires_grad_(False).eval().to(device))


def _hifigan(files: Files) -> HiFiGAN:
    said = read_json(files.config)
    try:
        if said["win_size"] != said["n_fft"]:
            raise ValueError(f"win_size {said['win_size']} is not n_fft, {said['n_fft']}")
        high = said["fmax"]
        mel = MelSpec(
            rate=said["sampling_rate"],
            n_fft=said["n_fft"],
            hop=said["hop_size"],
            bands=said["num_mels"],
            low=float(said["fmin"]),
            high=None if high is None else float(high),
            floor=_FLOOR_HIFIGAN,
        )
        net = HiFiGAN(
            mel,
            width=said["upsample_initial_channel"],
            strides=said["upsample_rates"],
            kernels=said["upsample_kernel_sizes"],
            taps=said["resblock_kernel_sizes"],
            dilations=said["resblock_dilation_sizes"],
            block=said["resblock"],
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _undescribed(files.config, "HiFi-GAN", error) from error
    held = weights.read_pickled(files.weights, inside="generator")
    weights.fit(net, _fused(held), files.weights)
    return net


def _vocos(files: Files) -> Vocos:
    said = strict.load(files.config, {})
    mels, backbone, head = (_options(files.config, said, part) for part in _VOCOS)
    frames, others = ({name: part[name] for name in _FRAMES} for part in (mels, head))
    if frames != others or mels["padding"] != "center":
        raise Refusal(
            f"{files.config}: the feature_extractor has {frames}, the head {others}",
            mend="use a Vocos that has the same in both, with padding: center",
        )
    try:
        mel = MelSpec(
            rate=mels["sample_rate"],
            n_fft=mels["n_fft"],
            hop=mels["hop_length"],
            bands=mels["n_mels"],
            floor=_FLOOR_VOCOS,
            mel_scale="htk",
            norm=None,
        )
        net = Vocos(
            mel,
            width=backbone["dim"],
            hidden=backbone["intermediate_dim"],
            depth=backbone["num_layers"],
        )
    except (TypeError, ValueError, RuntimeError) as error:
        raise _undescribed(files.config, "Vocos", error) from error
    held = weights.read_pickled(files.weights)
    weights.fit(net, _without_constants(held, net, files.weights), files.weights)
    return net


def _options(config: Path, said: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the options of one part of a Vocos, which must be of the class that is known here."""
    known, usual = _VOCOS[part]
    section = said.get(part)
    given = section.get("class_path") if isinstance(section, dict) else section
    if not isinstance(section, dict) or given != known:
        raise Refusal(
            f"{config}: {part}: {given}, not {known}",
            mend="use a Vocos of mels, charactr/vocos-mel-24khz say",
        )
    options = {**usual, **(section.get("init_args") or {})}
    if unknown := sorted({*options} - {*usual}):
        raise Refusal(
            f"{config}: {part}: unknown options: {', '.join(unknown)}",
            mend=f"it was made by another version of Vocos; known are {', '.join(usual)}",
        )
    return options


def _undescribed(config: Path, kind: str, error: Exception) -> Refusal:
    return Refusal(
        f"{config}: describes no {kind} that is known ({type(error).__name__}: {error})",
        mend="use the file that the weights were published with",
    )


def _fused(held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take weight norm out: w = g v / |v|, with the norm over all axes but the first.

    Source: Salimans and Kingma 2016, arXiv:1602.07868, equation 2.
    """
    fused = dict(held)
    for name in [name for name in held if name.endswith(".weight_v")]:
        stem = name.removesuffix("_v")
        direction, length = held[name], held.get(f"{stem}_g")
        norm = direction.flatten(1).norm(dim=1).reshape(-1, *[1] * (direction.ndim - 1))
        if length is not None and length.shape == norm.shape:  # else it is named as unexpected
            del fused[name], fused[f"{stem}_g"]
            fused[stem] = length * direction / norm
    return fused


def _without_constants(held: Mapping[str, Tensor], net: Vocos, path: Path) -> dict[str, Tensor]:
    """Leave out windows and filters, which lie among Vocos' weights, having compared them."""
    constants = {
        "feature_extractor.mel_spec.spectrogram.window": net.window,
        "feature_extractor.mel_spec.mel_scale.fb": LogMel(net.mel).filters.T,
        "head.istft.window": net.window,
    }
    for name, own in constants.items():
        given = held.get(name, own)
        if given.shape != own.shape or not torch.allclose(given.float(), own, atol=1e-5):
            raise Refusal(
                f"{path}: {name} is not that of the mels in config.yaml",
                mend="use files that were published together",
            )
    return {name: tensor for name, tensor in held.items() if name not in constants}
