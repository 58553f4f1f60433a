"""Published vocoders in their authors' layout, with random weights: what several tests read."""

import json

import torch

from diffaudio import strict
from diffaudio.codec import LogMel, MelSpec
from diffaudio.codec.hifigan import HiFiGAN
from diffaudio.codec.vocos import Vocos

# What the published configurations say; HiFi-GAN's V1, of which V2 differs in the width alone.
HIFIGAN = {
    "resblock": "1",
    "batch_size": 16,
    "upsample_rates": [8, 8, 2, 2],
    "upsample_kernel_sizes": [16, 16, 4, 4],
    "upsample_initial_channel": 512,
    "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
    "num_mels": 80,
    "n_fft": 1024,
    "hop_size": 256,
    "win_size": 1024,
    "sampling_rate": 22050,
    "fmin": 0,
    "fmax": 8000,
}
HIFIGAN_V3 = {
    **HIFIGAN,
    "resblock": "2",
    "upsample_rates": [8, 8, 4],
    "upsample_kernel_sizes": [16, 16, 8],
    "upsample_initial_channel": 256,
    "resblock_kernel_sizes": [3, 5, 7],
    "resblock_dilation_sizes": [[1, 2], [2, 6], [3, 12]],
}
VOCOS = {
    "feature_extractor": {
        "class_path": "vocos.feature_extractors.MelSpectrogramFeatures",
        "init_args": {"sample_rate": 24000, "n_fft": 1024, "hop_length": 256, "n_mels": 100}
        | {"padding": "center"},
    },
    "backbone": {
        "class_path": "vocos.models.VocosBackbone",
        "init_args": {"input_channels": 100, "dim": 512, "intermediate_dim": 1536}
        | {"num_layers": 8},
    },
    "head": {
        "class_path": "vocos.heads.ISTFTHead",
        "init_args": {"dim": 512, "n_fft": 1024, "hop_length": 256, "padding": "center"},
    },
}
SMALL_HIFIGAN = {
    **HIFIGAN,
    "upsample_rates": [8, 4, 2],
    "upsample_kernel_sizes": [16, 8, 4],
    "upsample_initial_channel": 16,
    "resblock_kernel_sizes": [3, 5],
    "resblock_dilation_sizes": [[1, 3], [1, 2]],
    "num_mels": 20,
    "n_fft": 256,
    "hop_size": 64,
    "win_size": 256,
    "sampling_rate": 8000,
    "fmax": 4000,
}
MEL = MelSpec(8000, n_fft=256, hop=64, bands=20)  # of the small HiFi-GAN
MEL_VOCOS = MelSpec(8000, n_fft=256, hop=64, bands=20, floor=1e-7, mel_scale="htk", norm=None)


def small_vocos():
    frames = {"n_fft": 256, "hop_length": 64, "padding": "center"}
    return {
        name: {"class_path": VOCOS[name]["class_path"], "init_args": options}
        for name, options in {
            "feature_extractor": {"sample_rate": 8000, "n_mels": 20, **frames},
            "backbone": {"input_channels": 20, "dim": 16, "intermediate_dim": 24, "num_layers": 2},
            "head": {"dim": 16, **frames},
        }.items()
    }


def small_hifigan_net():
    torch.manual_seed(0)
    net = HiFiGAN(
        MEL,
        width=16,
        strides=(8, 4, 2),
        kernels=(16, 8, 4),
        taps=(3, 5),
        dilations=((1, 3), (1, 2)),
        block="1",
    )
    return net.eval()


def small_vocos_net():
    torch.manual_seed(0)
    return Vocos(MEL_VOCOS, width=16, hidden=24, depth=2).eval()


def normed(weights):
    """Put weight norm into weights: g is not the length of v, as after training."""
    split = {}
    for name, tensor in weights.items():
        if tensor.ndim == 3:
            length = tensor.flatten(1).norm(dim=1)[:, None, None]
            split[f"{name}_g"], split[f"{name}_v"] = length, 3.0 * tensor / (1.0 + length)
        else:
            split[name] = tensor
    return split


def write_hifigan(folder, *, said=SMALL_HIFIGAN, name="generator_v1", net=None, **saved):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(said))
    held = normed((net or small_hifigan_net()).state_dict())
    torch.save({"generator": held}, folder / name, **saved)
    return folder


def write_vocos(folder, *, said=None, net=None, **more):
    folder.mkdir()
    (folder / "config.yaml").write_text(strict.dump(said or small_vocos()))
    net = net or small_vocos_net()
    constants = {
        "feature_extractor.mel_spec.spectrogram.window": net.window,
        "feature_extractor.mel_spec.mel_scale.fb": LogMel(net.mel).filters.T.clone(),
        "head.istft.window": net.window,
    }
    torch.save({**constants, **net.state_dict(), **more}, folder / "pytorch_model.bin")
    return folder
