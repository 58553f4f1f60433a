"""`diffaudio describe`: what a configuration costs, before anything is trained.

Operations are counted by PyTorch (matrix products, convolutions, attention; two per multiply-add)
while the network runs once. Memory is the tensors that a step keeps until the backward pass; what
the libraries need to work in comes on top, about half as much again on a CPU. Time is measured on a
few items and scaled, so it holds for the machine the command ran on, or for one GPU of it.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from diffaudio.codec import LogMel
from diffaudio.config import Config, parse
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.data.index import Index
from diffaudio.data.loader import check_audio
from diffaudio.decode.configuration import with_front_end
from diffaudio.denoiser import Surroundings
from diffaudio.log import environment
from diffaudio.model import Model
from diffaudio.precision import autocast, bf16
from diffaudio.text import FOLDER
from diffaudio.train.spec import TrainSpec
from diffaudio.train.world import settled, threads

__all__ = ["Cost", "main", "measure"]

_ITEMS = 200  # of a set, at least, where there are as many, whose states are looked at
_WHOLE = 4.0  # seconds of an utterance where training does not crop and no set says otherwise
_SECTIONS: dict[str, type] = {"audio": AudioSpec, "model": Model, "train": TrainSpec}


@dataclass(frozen=True)
class Cost:
    """What one model costs.

    Args:
        parameters: trained numbers.
        macs: multiply-adds of one network call on one second of audio.
        shared: bytes that a training step keeps whatever its batch: weights, gradients, AdamW's two
            moments, the moving averages, casts of weights.
        item: bytes that it keeps for each item.
        item_seconds: of audio in an item.
        seconds: to run an item forward and backward.
    """

    parameters: int
    macs: float
    shared: float
    item: float
    item_seconds: float
    seconds: float


def main(argv: list[str]) -> int:
    """Print parameters, operations, memory and estimated hours of training."""
    config = parse(
        argv,
        prog="diffaudio describe",
        description="Say what a configuration costs: parameters, operations, memory, hours.",
        sections=_SECTIONS,
        options=lambda parser: parser.add_argument(
            "--dump",
            type=Path | None,
            default=None,
            help="shards of a set, dump/mini/train: how long items are, how its states are spread",
        ),
    )
    dump = config.options.dump
    if dump is not None:  # beside which stage 3 has read the texts, and may have learned pieces
        config = with_front_end(config, dump.parent / FOLDER)
    audio, train, model = config.build(AudioSpec), config.build(TrainSpec), config.build(Model)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with settled(threads(train.threads), device):
        cost = measure(model.to(device), audio, train, device, whole=_mean_seconds(dump))
    sys.stdout.write(_report(config, train, cost, device))
    if dump is not None:
        sys.stdout.write(_states(model.cpu(), audio, dump))
    return 0


def measure(
    model: Model,
    audio: AudioSpec,
    train: TrainSpec,
    device: torch.device,
    *,
    whole: float = _WHOLE,
) -> Cost:
    """Run a model on noise to see what it costs.

    Args:
        model: on `device`.
        audio: rate, roles and channels.
        train: size and length of a step's items, precision.
        device: where to measure.
        whole: seconds of an item where training does not crop.
    """
    seconds = train.crop_seconds or whole
    size = train.max_per_device if device.type == "cuda" else min(2, train.max_per_device)
    with autocast(train.precision, device):
        macs = _macs(model, _noise(model, audio, 1, 1.0))
        one, two = (_kept(model, _noise(model, audio, n, seconds)) for n in (1, 2))
        spent = _seconds(model, _noise(model, audio, size, seconds), device)
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    return Cost(
        parameters=sum(p.numel() for p in model.parameters()),
        macs=macs,
        shared=weights * (4 + bool(train.ema) + len(train.ema_profiles)) + 2 * one - two,
        item=two - one,
        item_seconds=seconds,
        seconds=spent / size,
    )


def _mean_seconds(dump: Path | None) -> float:
    """Return how long an item of a set is on average; `_WHOLE` of no set.

    Items of a step are of about one length (data/plan.py), so padding changes little.
    """
    if dump is None:
        return _WHOLE
    index = Index.open(dump)
    return max(0.1, round(float(index.samples.mean()) / index.rate, 1))


def _noise(model: Model, audio: AudioSpec, items: int, seconds: float) -> Batch:
    """Return a batch of white noise in every role, with any condition, where the model is."""
    device = next(model.parameters()).device
    told = [one.example for one in (model.denoiser.condition, model.prior) if one is not None]
    samples = round(seconds * audio.rate)
    shape = (items, audio.channels, samples)
    return Batch(
        ids=[str(number) for number in range(items)],
        audio={role: 0.1 * torch.randn(shape, device=device) for role in audio.roles},
        samples=torch.full((items,), samples, device=device),
        keys=list(range(items)),
        step=0,
        fields={name: [value] * items for one in told for name, value in one.items()},
    )


def _macs(model: Model, batch: Batch) -> float:
    """Count the multiply-adds of one network call."""
    state = model.codec.encode(batch.target)
    heard = batch.target if model.through else batch.given
    given = None if heard is None else (model.through or model.codec).encode(heard)
    if model.prior is not None:
        given = torch.zeros_like(state)
    path = model.denoiser.path
    middle = torch.tensor((path.t_min + path.t_max) / 2, dtype=torch.float64)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.denoiser.answers(Surroundings(given, None), batch.fields)(state, path.at(middle), 1)
    return float(counter.get_total_flops()) / 2


def _kept(model: Model, batch: Batch) -> int:
    """Count the bytes that a forward pass keeps for the backward pass, beside the weights."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        loss, _ = model(batch)  # alive until all is counted, so that no address is used twice
    for parameter in model.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    del loss
    return sum(kept.values())


def _seconds(model: Model, batch: Batch, device: torch.device) -> float:
    """Time a forward and backward pass: the quickest of some, for what else runs only slows it."""
    taken = []
    for _ in range(4):
        started = time.perf_counter()
        loss, _ = model(batch)
        loss.mean().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - started)
    return min(taken)


def _states(model: Model, audio: AudioSpec, dump: Path) -> str:
    """Say how the states of a set are spread: the target's `sigma_data` is to be their deviation.

    Of log-mels, also which offset and scale would make them 0 and 1.
    """

    def state(row: int) -> Tensor:
        sound = torch.from_numpy(index.read(row, audio.target).T)[None]
        size = model.through.expected(model.through.encode(sound)) if model.through else None
        return (model.codec.encode(sound) / (1.0 if size is None else size)).flatten()

    index = Index.open(dump)
    check_audio(index, audio)
    rows = range(0, len(index), max(1, len(index) // _ITEMS))
    values, codec = torch.cat([state(row) for row in rows]), model.codec
    mean, deviation = values.mean().item(), values.std().item()
    found = f"states      mean {mean:.3f}, deviation {deviation:.3f} "
    found += f"({len(rows)} items of {dump})\n"
    if isinstance(codec, LogMel):
        offset, scale = codec.offset + mean / codec.scale, codec.scale / deviation
        found += f"            0 and 1 with codec offset {offset:.2f}, scale {scale:.3f}\n"
    return found


def _report(config: Config, train: TrainSpec, cost: Cost, device: torch.device) -> str:
    keys = config.keys("model")
    named = (keys.get(f"model.{part}") for part in ("codec", "path", "net", "prior"))
    parts = ", ".join(name.rpartition(".")[2] for name in named if name)
    memory = (cost.shared + train.max_per_device * cost.item) / 1e9
    hours = train.steps * train.global_batch * cost.seconds / 3600
    numbers = "bf16" if bf16(train.precision, device) else "fp32"
    length = f"{train.max_per_device} items of {cost.item_seconds:g} s"
    where = environment()["hardware"]
    where += "" if device.type == "cuda" else f", {threads(train.threads)} thread(s)"
    return (
        f"model       {parts}\n"
        f"parameters  {cost.parameters / 1e6:.2f} M\n"
        f"operations  {cost.macs / 1e9:.3g} GMAC per second of audio and network call\n"
        f"memory      {memory:.2g} GB of tensors in a training step of {length} "
        f"({cost.shared / 1e6:.3g} MB, and {cost.item / 1e6:.3g} MB an item)\n"
        f"training    {hours:.{0 if hours >= 10 else 1}f} h on one device for {train.steps} steps "
        f"of {train.global_batch} items\n"
        f"            ({1e3 * cost.seconds:.3g} ms an item in {numbers}, forward and backward; "
        f"{where})\n"
    )
