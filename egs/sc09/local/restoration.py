#!/usr/bin/env python3
"""How well a trained model restores: clips with a gap or a narrow band, and simple ways beside it.

    . path.sh; python local/restoration.py --exp exp/mini --data data/mini --count 128 \
        --out exp/restoration --config conf/restoration.yaml

writes OUT/<task>/<system>/<id>.wav and scores each system by the log-spectral distance of clips.

    extend   everything above --cutoff is lost. Beside the model: `replicated`, the band below it
             again and again, each copy as loud as there in clips of the validation set
    inpaint  --gap seconds in the middle of the word are lost. Beside the model: `line`, a straight
             line through the gap; `spectrum`, a straight line in the log-mels from its edge to edge

The model is told nothing of the word.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jsonargparse import ArgumentParser

from diffaudio.bin import score
from diffaudio.bin.model import asked, opened, run_options
from diffaudio.codec import LogMel, MelSpec
from diffaudio.data import audio, manifest, plan
from diffaudio.decode.restore import restore
from diffaudio.decode.trained import Trained
from diffaudio.files import write_json
from diffaudio.inverse import LowPass, Mask, Operator, PiGDM, Restoration
from diffaudio.log import Refusal, environment, log, setup_log
from diffaudio.precision import bf16

MEL = MelSpec(rate=16000, n_fft=512, hop=200, bands=80)
System = Callable[[str, torch.Tensor, Operator], torch.Tensor]  # id, clip (1, 1, n), what happened


def main(argv: list[str]) -> None:
    """Restore, and score what was restored."""
    config = asked(
        argv,
        prog="local/restoration.py",
        description="Restore clips of a set by a trained model and by simple ways; score them.",
        options=_options,
    )
    options, trained = config.options, opened(config, vocoder=False)
    rows = _drawn(options)
    clips = dict(_clips(rows, options.set, trained.audio.rate))
    extend = LowPass(options.cutoff, trained.audio.rate)
    gains = _gains(dict(_clips(options.data, "valid", trained.audio.rate)).values(), extend)
    tasks: dict[str, tuple[Callable[[torch.Tensor], Operator], dict[str, System]]] = {
        "extend": (
            lambda _: extend,
            {"replicated": lambda _, x, how: _replicated(x, how, gains), "model": _model(trained)},
        ),
        "inpaint": (
            lambda x: _gap(x, round(options.gap * trained.audio.rate)),
            {"line": _line, "spectrum": _spectrum, "model": _model(trained)},
        ),
    }
    log.info("%s: %d clips", rows, len(clips))
    for task, (happened, systems) in tasks.items():
        for name, system in systems.items():
            folder = options.out / task / name
            for old in folder.glob("*.wav"):  # of another count or set
                old.unlink()
            for key, clip in clips.items():
                how = happened(clip)
                made = system(key, how.measure(clip), how)
                audio.save(folder / f"{key}.wav", made[0].T.numpy(), trained.audio.rate)
            if name == "model":
                _record(folder, trained, options, sum(x.shape[-1] for x in clips.values()))
            log.info("%s: made", folder)
        _score(options, rows, task, list(systems))


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--set", default="test", help="which split of the corpus")
    parser.add_argument("--count", type=int, default=128, help="clips, drawn from the set")
    parser.add_argument("--out", type=Path, required=True, help="folder of wavs and scores")
    parser.add_argument("--cutoff", type=float, default=2000.0, help="extend: Hz")
    parser.add_argument("--gap", type=float, default=0.1, help="inpaint: seconds")
    parser.add_argument("--publish", type=bool, default=False, help="true: also into ./results")
    run_options(parser)


def _drawn(options: Any) -> Path:
    """Write the manifest of clips drawn from the set, and return its folder."""
    rows = list(manifest.read(options.data / f"{options.set}.jsonl"))
    order = plan.generator(0, "clips to restore").permutation(len(rows))[: options.count]
    about = manifest.about(options.data, "root")
    folder: Path = options.out / options.data.name
    manifest.write(folder / f"{options.set}.jsonl", [rows[at] for at in sorted(order)])
    root = str(manifest.root(options.data).resolve())
    write_json(folder / "corpus.json", {**about, "root": root})
    return folder


def _clips(data: Path, split: str, rate: int) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield id and samples (1, 1, n) of a set's clips."""
    root = manifest.root(data)
    for row in manifest.read(data / f"{split}.jsonl"):
        samples, own = audio.load(root / row["audio"]["speech"])
        samples = audio.resample(samples, own, rate)
        yield row["id"], torch.from_numpy(samples.T.copy())[None].float()


def _model(trained: Trained) -> System:
    """Return the trained model, told nothing."""
    alone, example = trained.told({})
    fields: Mapping[str, Any] = {name: [value] for name, value in example.items()}

    def system(key: str, measured: torch.Tensor, how: Operator) -> torch.Tensor:
        keys = [plan.key(trained.spec.seed, key)]
        return restore(alone, measured, Restoration(how, PiGDM()), keys, fields)[0]

    return system


def _gap(clip: torch.Tensor, size: int) -> Mask:
    """Return a gap around the middle of the clip's energy."""
    power = clip[0, 0].square().cumsum(0)
    middle = int((power < power[-1] / 2).sum())
    start = min(max(middle - size // 2, 1), clip.shape[-1] - size - 1)
    kept = torch.ones(clip.shape[-1], dtype=torch.bool)
    kept[start : start + size] = False
    return Mask(kept)


def _line(_: str, measured: torch.Tensor, how: Operator) -> torch.Tensor:
    """Draw a straight line through the gap."""
    assert isinstance(how, Mask)
    kept, x = how.kept.numpy(), measured[0, 0].numpy()
    places = np.arange(len(x))
    return torch.from_numpy(np.interp(places, places[kept], x[kept]))[None].float()


def _spectrum(_: str, measured: torch.Tensor, how: Operator) -> torch.Tensor:
    """Draw straight lines in the log-mels through all frames that the gap touches."""
    assert isinstance(how, Mask)
    codec = LogMel(MEL)
    state = codec.encode(measured)
    samples, frames = measured.shape[-1], state.shape[-1]
    lost = np.flatnonzero(~how.kept.numpy())
    half = MEL.n_fft // 2
    middle = np.arange(frames) * MEL.hop
    kept = (middle + half <= lost[0]) | (middle - half > lost[-1])
    bands = [np.interp(middle, middle[kept], band[kept]) for band in state[0, 0].numpy()]
    filled = torch.from_numpy(np.stack(bands))[None, None].float()
    return codec.complete(filled, samples, lambda x: how.nearest(x, measured))[0]


def _patches(how: LowPass, samples: int) -> list[slice]:
    """Return the bins of the band that is known, and of each copy above it."""
    width = int(how.transfer(torch.zeros(1, samples)).sum())
    ends = [*range(0, samples // 2 + 1, width), samples // 2 + 1]
    return [slice(low, high) for low, high in itertools.pairwise(ends) if high > low]


def _gains(clips: Any, how: LowPass) -> list[float]:
    """Return how loud the band of each copy is beside the known one: median over clips."""
    ratios = []
    for clip in clips:
        spectrum = torch.fft.rfft(clip[0, 0])
        known, *above = _patches(how, clip.shape[-1])
        level = spectrum[known].abs().square().mean()
        ratios.append(
            [(spectrum[one].abs().square().mean() / level).sqrt().item() for one in above]
        )
    return np.median(ratios, axis=0).tolist()


def _replicated(measured: torch.Tensor, how: Operator, gains: list[float]) -> torch.Tensor:
    """Copy the known band into those above it, as loud as `gains` say."""
    assert isinstance(how, LowPass)
    spectrum = torch.fft.rfft(measured[0])
    known, *above = _patches(how, measured.shape[-1])
    for gain, one in zip(gains, above, strict=True):
        spectrum[:, one] = gain * spectrum[:, known][:, : one.stop - one.start]
    return torch.fft.irfft(spectrum, measured.shape[-1])


def _record(folder: Path, trained: Trained, options: Any, samples: int) -> None:
    """Say in decode.json, which scoring reads, how the wavs were made; start the meter anew."""
    spec, meter = trained.spec, trained.meter
    precise = bf16(spec.precision, trained.device)
    about = {
        "solver": f"PiGDM with {spec.sampler.solver}",
        "grid": str(spec.sampler.grid),
        "calls": meter.calls / meter.runs,
        "rtf": round(meter.seconds / samples * trained.audio.rate, 5),
        "seed": spec.seed,
        "device": trained.device.type,
        "threads": options.threads or len(os.sched_getaffinity(0)),
        "precision": "bf16" if precise else "fp32",
        "hardware": environment()["hardware"],
    }
    write_json(folder / "decode.json", {**about, **trained.about})
    meter.reset()


def _score(options: Any, rows: Path, task: str, systems: list[str]) -> None:
    """Score each system, all others against the first; the tables are in OUT/RESULTS.md."""
    first, *_ = systems
    for name in systems:
        tag = f"{task}-{name}"
        versus = [] if name == first else ["--versus", f"{options.out}:{task}-{first}"]
        same = ["--config", "conf/restoration.yaml", "--data", str(rows)]
        same += ["--set", options.set, "--exp", str(options.out), "--tag", tag, *versus]
        same += ["--wavs", str(options.out / task / name), "--system", f"{task}: {name}"]
        score.main([*same, "--publish", str(options.publish).lower(), "--force"])


if __name__ == "__main__":
    setup_log()
    try:
        main(sys.argv[1:])
    except Refusal as refusal:
        sys.exit(f"local/restoration.py: {refusal}")
