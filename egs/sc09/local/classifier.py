#!/usr/bin/env python3
"""A classifier of spoken words, trained on the recipe's shards: what scoring listens with.

    local/classifier.py --dump dump/mini --out exp/classifier

It has ten log-probabilities and 32 features of a clip, for the metrics of generated sets
(`embedders.py`). Figures by two of these do not compare: a score names the digest of its weights.

Residual convolutions along time over log-mel bands, as TC-ResNet of Choi et al. 2019
(arXiv:1904.03814); masks in time and band as SpecAugment of Park et al. 2019 (arXiv:1904.08779).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio
from torch import Tensor, nn
from torch.nn import functional

from diffaudio import origins, provenance, weights
from diffaudio.data.convert import quantise
from diffaudio.data.index import Index
from diffaudio.files import exclusive, write_json
from diffaudio.log import Refusal, log, setup_log

VERSION = 1  # raise it by hand when the same shards would give another classifier
SECONDS = 1.0  # of a clip that is heard; shorter ones are followed by silence
BANDS, FEATURES, WIDTHS = 40, 32, (48, 80, 112)
BATCH, PASSES = 64, 20
RATE, DECAY = 3e-3, 1e-2  # learning rate and weight decay of AdamW


class Block(nn.Module):
    """Two convolutions along time, the first of which halves the frames, beside a short cut."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, width, 9, stride=2, padding=4, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Conv1d(width, width, 9, padding=4, bias=False),
            nn.BatchNorm1d(width),
        )
        short = nn.Conv1d(channels, width, 1, stride=2, bias=False)
        self.short = nn.Sequential(short, nn.BatchNorm1d(width))

    def forward(self, x: Tensor) -> Tensor:
        """Turn (b, c, l) into (b, width, (l + 1) // 2)."""
        return functional.relu(self.body(x) + self.short(x))


class Net(nn.Module):
    """Audio of one length to features and logits; its level does not matter.

    Args:
        classes: how many.
        rate: of the audio, in Hz.
    """

    def __init__(self, classes: int, rate: int) -> None:
        super().__init__()
        window, hop = round(0.032 * rate), round(0.01 * rate)
        self.mel = torchaudio.transforms.MelSpectrogram(
            rate, n_fft=window, hop_length=hop, n_mels=BANDS, f_min=60.0
        )
        self.stem = nn.Conv1d(BANDS, WIDTHS[0], 3, padding=1)
        pairs = zip((WIDTHS[0], *WIDTHS), WIDTHS, strict=False)
        self.blocks = nn.Sequential(*(Block(c, width) for c, width in pairs))
        self.features = nn.Linear(WIDTHS[-1], FEATURES)
        self.logits = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return features (b, 32) and logits (b, k) of audio (b, n); a generator draws masks."""
        mel = torch.log(self.mel(x) + 1e-5)
        mel = mel - mel.mean((1, 2), keepdim=True)
        if generator is not None:
            mel = masked(masked(mel, 25, generator).mT, 8, generator).mT
        pooled = self.blocks(self.stem(mel)).mean(2)
        features = self.features(functional.dropout(pooled, 0.2, self.training))
        return features, self.logits(functional.relu(features))


def masked(x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Put zeros on up to `most` neighbours along the last axis of (b, m, l), others in each row."""
    width, start = (torch.rand(len(x), 1, 1, generator=generator) for _ in range(2))
    size = width * most
    place = torch.arange(x.shape[2]) - start * (x.shape[2] - size)
    return x.masked_fill((place >= 0) & (place < size), 0.0)


def varied(x: Tensor, rate: int, generator: torch.Generator) -> Tensor:
    """Return (b, n) at another speed, shifted in time, with noise and at another level."""
    b, n = x.shape

    def drawn(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    length = round(n / float(drawn(0.85, 1.15, 1)))  # pitch moves along: other voices
    x = functional.interpolate(x[:, None], size=length, mode="linear")[:, 0]
    most = rate // 10
    x = functional.pad(x, (most, most + max(0, n - length)))
    starts = torch.randint(2 * most + 1, (b, 1), generator=generator)
    x = x.gather(1, starts + torch.arange(n))
    power = x.square().mean(1, keepdim=True)
    noise = torch.randn(b, n, generator=generator) * (power * 10 ** -drawn(0.5, 5, b, 1)).sqrt()
    return (x + noise) * 10 ** drawn(-0.6, 0.6, b, 1)


def read(folder: Path) -> tuple[Tensor, list[str], list[str], int]:
    """Return a set of shards: audio (n, samples) in 16 bit, labels, sources and the rate."""
    index = Index.open(folder)
    size, (role, *_) = round(SECONDS * index.rate), index.roles
    clips = [fitted(index.read(row, role)[:, 0], size) for row in range(len(index))]
    rows = [index.row(row) for row in range(len(index))]
    if unlabelled := [row["id"] for row in rows if not row.get("label")]:
        raise Refusal(f"{folder}: {unlabelled[0]} has no label", mend="see rows() in data.py")
    stored = torch.from_numpy(np.stack([quantise(clip)[0] for clip in clips]))
    sources = [str(row.get("source", "")) for row in rows]
    return stored, [str(row["label"]) for row in rows], sources, index.rate


def fitted(x: np.ndarray, size: int) -> np.ndarray:
    """Return (n,) cut, or with silence after it, to `size` samples."""
    return np.pad(x[:size], (0, max(0, size - len(x)))).astype(np.float32)


def train(net: Net, clips: Tensor, classes: Tensor, *, rate: int, steps: int, seed: int) -> None:
    """Train in place; the same seed and number of threads give the same weights."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    net.train()
    for step in range(1, steps + 1):
        rows = torch.randint(len(clips), (BATCH,), generator=generator)
        x = varied(clips[rows].float() / (1 << 15), rate, generator)
        loss = functional.cross_entropy(net(x, generator)[1], classes[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0 or step == steps:
            log.info("step %d of %d: loss %.3f", step, steps, loss.item())
    net.eval()


@torch.inference_mode()
def listen(net: Net, clips: Tensor) -> tuple[Tensor, Tensor]:
    """Return features (n, 32) and log-probabilities (n, k) of audio (n, samples)."""
    parts = [net(part) for part in clips.split(256)]
    features, logits = (torch.cat(part) for part in zip(*parts, strict=True))
    return features, functional.log_softmax(logits.double(), 1)


def make(dump: Path, out: Path, *, steps: int | None, seed: int) -> None:
    """Train on `dump/train`, measure on `dump/valid` and write weights and what they are."""
    clips, labels, _, rate = read(dump / "train")
    names = sorted(set(labels))
    steps = steps or max(100, round(PASSES * len(clips) / BATCH))
    torch.manual_seed(seed)
    net = Net(len(names), rate)
    started = time.perf_counter()
    classes = torch.tensor([names.index(label) for label in labels])
    train(net, clips, classes, rate=rate, steps=steps, seed=seed)
    spent = time.perf_counter() - started
    heard, wanted, sources, _ = read(dump / "valid")
    answers = listen(net, heard.float() / (1 << 15))[1].argmax(1).tolist()
    right = np.array([names[a] == label for a, label in zip(answers, wanted, strict=True)])
    apart = {name: right[np.array(sources) == name] for name in sorted(set(sources))}
    about: dict[str, Any] = {
        "labels": names,
        "rate": rate,
        "seconds": SECONDS,
        "features": FEATURES,
        "params": sum(p.numel() for p in net.parameters()),
        "step": steps,
        "seed": seed,
        "rows": len(clips),
        "training_seconds": round(spent, 1),
        "valid": {"accuracy": float(right.mean()), "n": len(right)},
        "valid_apart": {k: {"accuracy": float(v.mean()), "n": len(v)} for k, v in apart.items()},
    }
    sha = weights.write_weights(out / weights.MODEL, net.state_dict())
    write_json(out / weights.STATE, {**about, "files": {weights.MODEL: sha}})
    log.info("%s: right in %.1f %% of %d clips of valid", out, 100 * right.mean(), len(right))


def main(argv: list[str]) -> int:
    """Train the classifier, unless that is done."""
    parser = argparse.ArgumentParser(description="Train the classifier that scores generated sets.")
    parser.add_argument("--dump", type=Path, required=True, help="shards: train and valid in it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the classifier")
    parser.add_argument(
        "--steps", type=int, help=f"default: {PASSES} passes over the set, at least 100"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation")
    truth = ("true", "false")
    parser.add_argument("--force", nargs="?", const="true", default="false", choices=truth)
    options = parser.parse_args(argv)
    setup_log()
    try:
        _stage(options)
    except Refusal as refusal:
        print(f"local/classifier.py: {refusal}", file=sys.stderr)
        return int(refusal.code)
    return 0


def _stage(options: argparse.Namespace) -> None:
    sets = {str(options.dump / name): options.dump / name for name in ("train", "valid")}
    mend = "prepare it again: `diffaudio shard`"
    inputs = {
        name: provenance.require(path, stage="shard", keys={}, mend=mend)
        for name, path in sets.items()
    }
    with exclusive(options.out):
        if provenance.begin(
            options.out,
            stage="classifier",
            version=VERSION,
            keys={"steps": options.steps, "seed": options.seed},
            inputs={**inputs, **origins.code(Path(__file__).parent)},
            force=options.force == "true",
            outputs=(weights.MODEL, weights.STATE),
        ):
            make(options.dump, options.out, steps=options.steps, seed=options.seed)
            provenance.finish(options.out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
