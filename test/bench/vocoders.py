"""Our HiFi-GAN and Vocos beside the packages they come from: the same weights, files and mels.

    pip install --no-deps matcha-tts vocos einops encodec
    python test/bench/vocoders.py

Random weights are saved by the packages in the published sizes and layout, read by
`diffaudio.decode.published`, and run on the same mels. Mels are compared with what the packages
make of a sound, away from its ends. Exits with 1 where audio differs by more than 1e-5 of full
scale, or mels by more than 1e-3.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from published import HIFIGAN, HIFIGAN_V3, VOCOS

from diffaudio import strict
from diffaudio.codec import LogMel
from diffaudio.decode.published import Files, Published, read

GOAL_AUDIO, GOAL_MELS, AT_ENDS = 1e-5, 1e-3, 3  # so many frames at each end see what is beyond
VARIANTS = {"V1": HIFIGAN, "V2": {**HIFIGAN, "upsample_initial_channel": 128}, "V3": HIFIGAN_V3}


def stirred(net: nn.Module, factor: float) -> nn.Module:
    """Return a network whose biases and lengths of weights are not as they begin."""
    torch.manual_seed(1)
    for name, parameter in net.named_parameters():
        if name.endswith("weight_g"):
            parameter.data *= factor * (1 + torch.rand_like(parameter))
        elif parameter.ndim == 1:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return net.eval()


def hifigan(folder: Path, said: dict[str, Any]) -> tuple[nn.Module, Published]:
    """Return matcha-tts' generator and ours, which has read its file."""
    from matcha.hifigan.env import AttrDict
    from matcha.hifigan.models import Generator

    net = stirred(Generator(AttrDict(said)), 1.2)
    files = Files(folder / "config.json", folder / "generator")
    files.config.write_text(json.dumps(said))
    torch.save({"generator": net.state_dict()}, files.weights)
    return net, read(files, "cpu")


def vocos(folder: Path) -> tuple[nn.Module, Published]:
    """Return the package's Vocos and ours, which has read its file."""
    from vocos.pretrained import Vocos

    files = Files(folder / "config.yaml", folder / "pytorch_model.bin")
    files.config.write_text(strict.dump(VOCOS))
    net = stirred(Vocos.from_hparams(str(files.config)), 1.0)
    torch.save(net.state_dict(), files.weights)
    return net, read(files, "cpu")


def sound(samples: int, rate: int) -> Tensor:
    """Return a gliding tone that comes and goes, with a little noise, (1, n)."""
    t = torch.arange(samples) / rate
    tone = 0.3 * torch.sin(2 * torch.pi * (200 * t + 300 * t.square())) * torch.sin(3 * t)
    return (tone + 0.002 * torch.randn(samples))[None]


def apart(one: Tensor, other: Tensor) -> float:
    """Return the largest difference of what both have."""
    length = min(one.shape[-1], other.shape[-1])
    return (one[..., :length] - other[..., :length]).abs().max().item()


def shown(name: str, gap: float, goal: float) -> bool:
    """Print a difference, and return whether it is small enough."""
    sys.stdout.write(
        f"{name:44s} {gap:.1e}, at most {goal:.0e}{'' if gap <= goal else '   MISSED'}\n"
    )
    return gap <= goal


def mels_of(ours: Published, audio: Tensor) -> Tensor:
    """Return our log-mels (1, bands, l) of a sound."""
    return LogMel(ours.mel, offset=0.0, scale=1.0).encode(audio[:, None])[:, 0]


def mels_of_hifigan(audio: Tensor) -> Tensor:
    """Return matcha-tts' log-mels of a sound; it was written for an older librosa."""
    import librosa
    from matcha.hifigan import meldataset

    def filters(rate: int, n_fft: int, bands: int, low: float, high: float) -> Any:
        return librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands, fmin=low, fmax=high)

    meldataset.librosa_mel_fn = filters
    return meldataset.mel_spectrogram(audio, 1024, 80, 22050, 256, 1024, 0, 8000)


@torch.no_grad()
def main() -> int:
    """Print a table."""
    torch.manual_seed(0)
    well = []
    for name, said in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            peer, ours = hifigan(Path(folder), said)
        count = sum(parameter.numel() for parameter in ours.net.parameters()) / 1e6
        logs = mels_of(ours, sound(22050, 22050))
        made = peer(logs)
        gap = apart(ours.net.stretch(logs), made) / made.abs().max().item()
        well.append(shown(f"HiFi-GAN {name}, {count:.2f} M parameters: audio", gap, GOAL_AUDIO))
    audio = sound(22050, 22050)
    half = torch.nn.functional.pad(audio, (128, 0))  # half a hop later
    theirs = mels_of_hifigan(half)
    own = mels_of(ours, audio)[..., : theirs.shape[-1]]
    inside = slice(AT_ENDS, -AT_ENDS)
    well.append(shown("HiFi-GAN: mels", apart(own[..., inside], theirs[..., inside]), GOAL_MELS))
    with tempfile.TemporaryDirectory() as folder:
        peer, ours = vocos(Path(folder))
    audio = sound(24077, 24000)
    logs = peer.feature_extractor(audio)
    gap = apart(ours(logs[:, None], 24077)[:, 0], peer.decode(logs))
    count = sum(parameter.numel() for parameter in ours.net.parameters()) / 1e6
    well.append(shown(f"Vocos, {count:.2f} M parameters: audio", gap, GOAL_AUDIO))
    own = mels_of(ours, audio)
    well.append(shown("Vocos: mels", apart(own[..., inside], logs[..., inside]), GOAL_MELS))
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
