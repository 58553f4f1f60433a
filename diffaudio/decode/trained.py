"""A trained model put together from its folder: configuration, weights, and how to run it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffaudio import weights
from diffaudio.config import Config
from diffaudio.data.audio import AudioSpec
from diffaudio.decode.chunks import cross_faded
from diffaudio.decode.configuration import with_front_end
from diffaudio.decode.meter import Meter, counted
from diffaudio.decode.spec import DecodeSpec
from diffaudio.files import read_log
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.precision import autocast
from diffaudio.process import ClassifierFree
from diffaudio.shapes import Audio, Lengths
from diffaudio.text import FrontEnd

__all__ = ["Meter", "Trained", "load"]


@dataclass(frozen=True)
class Trained:
    """A model with its weights, on its device, and how it is to be run.

    Args:
        audio: rate, roles and channels it was trained for.
        model: in evaluation mode.
        spec: sampler, seed, precision and sizes.
        device: where the model is.
        about: the checkpoint's name and SHA-256, training steps and hours, parameters.
        meter: counts what `generate` does.
        weaker: the same model with the weights that autoguidance leads away from.
    """

    audio: AudioSpec
    model: Model
    spec: DecodeSpec
    device: torch.device
    about: dict[str, Any]
    meter: Meter
    weaker: Model | None = None

    @property
    def hears(self) -> str | None:
        """The role of the audio that is given to it; None where nothing is."""
        return self.audio.target if self.model.through else self.audio.given

    def generate(
        self,
        given: Audio | None,
        samples: Lengths,
        keys: Sequence[int],
        fields: Mapping[str, Sequence[Any]] | None = None,
    ) -> Audio:
        """Run the sampler on a zero-padded batch (b, a, n); the result is on the CPU, fp32.

        Args:
            given: (b, a, n), or None.
            samples: length of each.
            keys: of each utterance's noise.
            fields: of the manifest, those that the model is conditioned on.
        """
        with torch.inference_mode(), self.metered(len(keys)):
            made = self.model.generate(
                None if given is None else given.to(self.device),
                samples.to(self.device),
                keys,
                self.spec.sampler,
                fields=fields,
                weaker=self.weaker,
            )
            return made.float().cpu()

    def told(self, fields: Mapping[str, Any]) -> tuple[Trained, Mapping[str, Any]]:
        """Return the model and fields that tell it just this; nothing as guidance tells it nothing.

        Args:
            fields: of the manifest, those that the model is conditioned on, or none of them.

        Raises:
            Refusal: it is not conditioned on one, or was told something in all of its training.
        """
        condition, spec = self.model.denoiser.condition, self.spec
        known = condition.fields if condition else ()
        if unknown := sorted({*fields} - {*known}):
            raise Refusal(
                f"the model is not told {', '.join(unknown)}",
                mend=f"it is told {', '.join(known)}" if known else "it is told nothing",
            )
        if fields or condition is None:
            return self, fields
        if condition.drop == 0:
            raise Refusal(
                f"the model was always told {', '.join(known)}, in training",
                mend=f"give {' and '.join(known)}",
            )
        sampler = replace(spec.sampler, guidance=ClassifierFree(0.0))
        alone = replace(spec, sampler=sampler, weaker=None)
        return replace(self, spec=alone, weaker=None), condition.example

    @contextlib.contextmanager
    def metered(self, items: int) -> Iterator[None]:
        """Count a run of the sampler and its seconds; networks compute as `precision` says."""
        started = time.perf_counter()
        with autocast(self.spec.precision, self.device):
            yield
        self.meter.runs += 1
        self.meter.items += items
        self.meter.seconds += time.perf_counter() - started

    def piece(self, x: np.ndarray, key: int) -> np.ndarray:
        """Turn what is given (n, a) into audio of the same shape, at the model's rate.

        More channels than the model has (a multiple) are taken in groups, each with the same
        noise, so that equal channels stay equal, to rounding.
        """
        samples, channels = x.shape
        size = self.audio.channels
        groups = torch.from_numpy(np.ascontiguousarray(x.T)).reshape(-1, size, samples)
        at_once = max(int(self.spec.batch_seconds * self.audio.rate / samples), 1)
        made = [
            self.generate(part, torch.full((len(part),), samples), [key] * len(part))
            for part in torch.split(groups, at_once)
        ]
        return np.ascontiguousarray(torch.cat(made).reshape(channels, samples).numpy().T)

    def stream(
        self, blocks: Iterable[np.ndarray], key: Callable[[int], int]
    ) -> Iterator[np.ndarray]:
        """Turn a stream of (n, a) blocks at the model's rate into another of the same length.

        Args:
            blocks: consecutive pieces of any lengths.
            key: number of the chunk, from 0, to the key of its noise.
        """
        rate = self.audio.rate
        return cross_faded(
            blocks,
            lambda x, number: self.piece(x, key(number)),
            size=round(self.spec.chunk_seconds * rate),
            overlap=round(self.spec.overlap_seconds * rate),
        )


def load(
    folder: Path,
    config: Config,
    spec: DecodeSpec,
    *,
    checkpoint: str | None = None,
    device: torch.device | str = "cpu",
) -> Trained:
    """Build the model that `config` describes and give it the weights in `folder`.

    Args:
        folder: an experiment or an exported folder.
        config: sections audio and model of what was trained.
        spec: how to run it.
        checkpoint: instead of the one that `spec` asks for.
        device: where it shall run.

    Raises:
        Refusal: there is no such checkpoint or device, it is damaged, or it belongs to another
            model; or a model that reads lacks its front end.
    """
    place = torch.device(device)
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise Refusal(
            f"{place}: this machine has {torch.cuda.device_count()} GPUs that torch can use",
            mend="compute on the processor: --ngpu 0 of diffaudio decode, --device cpu elsewhere",
        )
    found = weights.find(folder, checkpoint or spec.checkpoint)
    state = weights.read_state(found)
    ema = weights.averaged(folder, found, spec.ema)
    reads = config.sections["model"]["prior"] is not None
    front_end = FrontEnd.load(folder) if reads else None
    config = with_front_end(config, folder)
    audio, meter = config.build(AudioSpec), Meter()
    model = _built(config, found, ema=ema, device=place, meter=meter)
    model.check(audio)
    if model.prior is not None and front_end is not None:
        model.prior.front_end = model.prior.reader = front_end
    weaker = None
    if spec.weaker is not None:
        earlier = weights.find(folder, spec.weaker)
        if earlier == found:
            raise Refusal(
                f"decode.weaker: {spec.weaker} is the model itself ({found})",
                mend="name an earlier checkpoint of the experiment; an exported folder has none",
            )
        weaker = _built(config, earlier, ema=ema, device=place, meter=meter)
    about = {
        "checkpoint": state.get("checkpoint", found.name),
        "checkpoint_sha256": state["files"][weights.EMA if ema else weights.MODEL],
        "params": sum(tensor.numel() for tensor in model.parameters()),
        "train_steps": state.get("step"),
        "train_hours": state.get("hours", _hours(folder, state.get("step", 0))),
    }
    return Trained(audio, model, spec, place, about, meter, weaker)


def _built(
    config: Config, checkpoint: Path, *, ema: bool, device: torch.device, meter: Meter
) -> Model:
    """Build the model with a checkpoint's weights, its network's calls counted."""
    model = config.build(Model)
    weights.fit(model, weights.read_weights(checkpoint, ema=ema), checkpoint)
    model.requires_grad_(False).eval().to(device)
    model.denoiser.net.register_forward_hook(partial(counted, meter))
    return model


def _hours(exp: Path, step: int) -> float | None:
    """Return the hours that an experiment's steps took until `step`, by its log."""
    log = exp / "log.jsonl"
    if not log.is_file():
        return None
    rows = (row for row in read_log(log) if row.get("step", 0) <= step)
    total: float = sum(row.get("seconds", 0.0) for row in rows)
    return round(total / 3600, 4)
