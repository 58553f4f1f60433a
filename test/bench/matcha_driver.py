"""Matcha-TTS, driven from another environment: a line of JSON is read, done, and answered by one.

Run by the Python of matcha-tts' own environment (matcha_env.py makes it); nothing of ours is
imported. A line is {"do": a method's name, its arguments}; the answer is what it returns. Widths
are those of LJSpeech as published (configs/model of the repository, commit 7971674), all times
`channels` / 192; depths, heads and dropout stay.

Everything that a step draws comes from its number, so a training that was stopped goes on as if it
had not been.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import sys
import time
from pathlib import Path
from types import SimpleNamespace as Fields

import numpy as np
import torch
from matcha.models import matcha_tts
from matcha.utils.model import fix_len_compatibility
from torch import Tensor

PUBLISHED, MULTIPLE = 192, 8  # encoder channels; groups of the decoder's normalisation
GRID = 4  # frames of a crop are a multiple of it
_search = matcha_tts.monotonic_align.maximum_path
matcha_tts.monotonic_align.maximum_path = lambda scores, mask: _search(scores.float(), mask.float())


def wide(published: int, channels: int) -> int:
    """Return a width in proportion."""
    return MULTIPLE * round(published * channels / PUBLISHED / MULTIPLE)


def model_of(channels: int, symbols: int, bands: int) -> torch.nn.Module:
    """Return Matcha-TTS with new weights, for one speaker, on mels that are normalised already."""
    decoder = wide(256, channels)
    encoder = {"n_feats": bands, "n_channels": channels, "filter_channels": wide(768, channels)}
    encoder |= {"n_heads": 2, "n_layers": 6, "kernel_size": 3, "p_dropout": 0.1, "prenet": True}
    duration = {"filter_channels_dp": wide(256, channels), "kernel_size": 3, "p_dropout": 0.1}
    return matcha_tts.MatchaTTS(
        n_vocab=symbols,
        n_spks=1,
        spk_emb_dim=64,
        n_feats=bands,
        encoder=Fields(
            encoder_type="RoPE Encoder",
            encoder_params=Fields(**encoder),
            duration_predictor_params=Fields(**duration),
        ),
        decoder={
            "channels": (decoder, decoder),
            "dropout": 0.05,
            "attention_head_dim": decoder // 4,
            "n_blocks": 1,
            "num_mid_blocks": 2,
            "num_heads": 2,
            "act_fn": "snakebeta",
        },
        cfm=Fields(name="CFM", solver="euler", sigma_min=1e-4),
        data_statistics=None,
        out_size=None,
    )


def padded(items: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Return what `forward` takes of symbols (n,) and mels (bands, l), zero padded."""
    tokens, frames = (
        torch.tensor([one.shape[-1] for one in kind]) for kind in zip(*items, strict=True)
    )
    x = torch.zeros(len(items), int(tokens.max()), dtype=torch.long)
    y = torch.zeros(len(items), len(items[0][1]), fix_len_compatibility(frames.max()))
    for row, (ids, mel) in enumerate(items):
        x[row, : len(ids)], y[row, :, : mel.shape[1]] = ids, mel
    return {"x": x, "x_lengths": tokens, "y": y, "y_lengths": frames}


class Driver:
    """A model, its optimiser and the step it stands at."""

    def sizes(self, *, symbols: int, bands: int) -> dict[int, int]:
        """Return encoder channels to parameters, of widths that can be built."""
        with torch.device("meta"):
            models = {n: model_of(n, symbols, bands) for n in range(32, 321, MULTIPLE)}
        return {n: sum(p.numel() for p in model.parameters()) for n, model in models.items()}

    def begin(
        self,
        *,
        folder: str,
        channels: int,
        symbols: int,
        bands: int,
        betas: list[float],
        weight_decay: float,
        clip: float,
    ) -> int:
        """Make a new model on the items of a folder, and its optimiser; return its parameters.

        The optimiser is Adam where weights do not decay.
        """
        torch.manual_seed(0)
        self.folder, self.clip, self.step = Path(folder), clip, 0
        self.model = model_of(channels, symbols, bands)
        trained = list(self.model.parameters())
        self.optimiser = torch.optim.AdamW(trained, betas=tuple(betas), weight_decay=weight_decay)
        return sum(parameter.numel() for parameter in trained)

    def restore(self, *, path: str) -> int:
        """Go on from a checkpoint, if there is one; return the steps done."""
        if Path(path).is_file():
            held = torch.load(path, weights_only=True)
            self.model.load_state_dict(held["model"])
            self.optimiser.load_state_dict(held["optimiser"])
            self.step = held["step"]
        return self.step

    def save(self, *, path: str) -> None:
        """Write a checkpoint, whole or not at all."""
        held = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**held, "step": self.step}, f"{path}.new")
        Path(f"{path}.new").rename(path)

    def train(self, *, steps: list[dict], crop: int, precision: str) -> list[dict]:
        """Take steps: {"ids": of the batch, "lr"}; return {"loss", its parts, "wall", "cpu"}."""
        self.model.train()
        return [self._step(**step, crop=crop, precision=precision) for step in steps]

    def _step(self, ids: list[str], lr: float, crop: int, precision: str) -> dict[str, float]:
        clock, items = Clock(), [self._item(name) for name in ids]
        random.seed(self.step)
        torch.manual_seed(self.step)
        batch = padded(items)
        # No item may be longer than the longest crop, or masks and frames do not agree.
        size = min(crop, int(batch["y_lengths"].max())) // GRID * GRID
        with autocast(precision):
            duration, prior, flow, _ = self.model(**batch, out_size=size)
            loss = duration + prior + flow
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimiser.param_groups[0]["lr"] = lr
        self.optimiser.step()
        self.step += 1
        parts = {"loss": loss, "duration": duration, "prior": prior, "flow": flow}
        return {name: float(part.detach()) for name, part in parts.items()} | clock()

    def speak(
        self,
        *,
        name: str,
        calls: int,
        temperature: float,
        precision: str,
        seed: int,
        frames: int | None,
        out: str | None,
    ) -> dict[str, float]:
        """Make the mels of an item's symbols, as long as predicted or (about) so many frames.

        They are written to `out`, (bands, l); {"frames", "wall", "cpu"} is returned.
        """
        self.model.eval()
        x = self._item(name)[0][None]
        lengths, scale = torch.tensor([x.shape[1]]), 1.0
        with torch.inference_mode(), autocast(precision):
            if frames is not None:
                scale = frames / float(self.model.encoder(x, lengths)[1].exp().ceil().sum())
            torch.manual_seed(seed)
            clock = Clock()
            made = self.model.synthesise(x, lengths, calls, temperature, length_scale=scale)
            spent = clock()
        if out is not None:
            np.save(out, made["decoder_outputs"][0].float().numpy())
        return {"frames": made["decoder_outputs"].shape[-1], **spent}

    @functools.lru_cache(maxsize=2000)  # noqa: B019  there is one driver
    def _item(self, name: str) -> tuple[Tensor, Tensor]:
        held = np.load(self.folder / f"{name}.npz")
        return torch.from_numpy(held["ids"]), torch.from_numpy(held["mel"])


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def __call__(self) -> dict[str, float]:
        """Return wall and processor time."""
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        return {"wall": wall, "cpu": cpu}


def autocast(precision: str) -> contextlib.AbstractContextManager[object]:
    """Return a block in which networks compute in fp32 or bf16."""
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")


def main() -> None:
    """Answer until there is nothing more to read."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is no answer
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    driver = Driver()
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(getattr(driver, asked.pop("do"))(**asked)), file=answers, flush=True)


if __name__ == "__main__":
    main()
