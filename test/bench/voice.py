"""Our voice beside Matcha-TTS: what a step and a second of speech cost, and what is heard.

    cd egs/ljspeech
    python ../../test/bench/voice.py --dump dump/mini --config conf/mini.yaml     # times alone
    python ../../test/bench/voice.py --dump dump/mini --exp exp/mini --data data/mini
    python ../../test/bench/voice.py ... --optimiser ours --decode.vocoder exp/vocoder_mini

Both have the same recordings, mels (our normalised ones), symbols, batches in the same order, crops
(Matcha's are a multiple of 4 frames), threads and, at synthesis, network calls and vocoder. Matcha
has its published widths times a factor that brings its parameters next to ours (`--channels 192` is
the published size), depths and dropout as published. `--optimiser published`: Adam, 1e-4, gradients
clipped at 5, no average of weights, as its authors train; `ours`: our rates, betas and clipping.
Ours is what `diffaudio train` makes: its average of weights is part of the recipe.

Steps and utterances are timed in turn, in processor time, which what else the machine is doing
hardly changes: ours as `diffaudio train` takes them, reading and average included; Matcha's from
mels in memory, in fp32 and in bf16, ours beside the faster one. For times of synthesis both speak
as long as the recording. With --exp, Matcha is trained as many steps as ours, in fp32, from where
an earlier call was stopped; then both speak the test set and are scored. Everything is kept in
--work; matcha.json in it has all figures. Exits with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from matcha_env import Peer, environment
from voice_sides import (
    OURS,
    PEER,
    PUBLISHED,
    Bench,
    Times,
    clocked,
    exported,
    ours,
    synthesis,
    trained_peer,
    training,
    voice,
)

from diffaudio.bin import score
from diffaudio.data import audio, plan
from diffaudio.data.index import Index
from diffaudio.decode.configuration import SECTIONS, read_config
from diffaudio.files import read_json, write_json
from diffaudio.log import Refusal, setup_log
from diffaudio.log import environment as machine
from diffaudio.memory import keep_freed
from diffaudio.precision import autocast
from diffaudio.score import ScoreSpec
from diffaudio.train.spec import TrainSpec

SLACK, WORDS = 0.1, 2.0  # of parameters; points of WER that ours may be worse
CONFIG = "config.yaml"
Found = dict[str, Any]


def opened(
    options: argparse.Namespace, words: list[str], folder: Path, peer: Peer
) -> tuple[Bench, Found]:
    """Put both together; return them and their parameters."""
    path = options.config or options.exp / "config.yaml"
    words = ["--decode.checkpoint", "last", *words]
    sections = {**SECTIONS, "train": TrainSpec, "score": ScoreSpec}
    config = read_config(path, words, sections=sections)
    config.save(folder / CONFIG)
    trained = voice(config, options.exp, options.dump)
    spec = replace(config.build(TrainSpec), threads=options.threads, workers=0, valid_every=0)
    sets = [Index.open(options.dump / name) for name in ("train", "test")]
    keys = {name: value for name, value in config.keys("audio", "model").items() if _read(name)}
    number = plan.key(json.dumps(keys, default=str), *(index.sha256 for index in sets))
    items = options.work / f"items_{number:016x}"
    for index in sets:
        exported(trained, index, items)
    size = {"symbols": len(trained.model.prior.front_end.units.names)}
    size["bands"] = trained.model.codec.bins
    own = sum(one.numel() for one in trained.model.parameters())
    sizes = {int(n): count for n, count in peer.ask("sizes", **size).items()}
    channels = options.channels or min(sizes, key=lambda n: abs(sizes[n] - own))
    asked = {**size, "channels": channels, "folder": str(items.resolve())}
    theirs = peer.ask("begin", **asked, **PUBLISHED)
    counted = {OURS: own, PEER: theirs, "channels": channels, "ratio": own / theirs}
    return Bench(config, trained, spec, *sets, peer, asked), counted


def _read(key: str) -> bool:
    """Say whether mels or symbols depend on a key."""
    return key.startswith(("audio.", "model.codec.", "model.prior.init_args.front_end."))


def spoken(bench: Bench, folder: Path, asked: Found) -> float:
    """Let both speak the test set, through one vocoder; return its seconds per second of speech."""
    spent, samples, state = 0.0, 0, folder / "state.npy"
    for who in (OURS, PEER):
        (folder / who / "wavs").mkdir(parents=True, exist_ok=True)
    for row in range(len(bench.test)):
        name = bench.test.id(row)
        named = {"name": name, "seed": row, "frames": None, "out": str(state)}
        bench.peer.ask("speak", **named, **asked, precision="fp32")
        theirs = torch.from_numpy(np.load(state))[None, None]
        for who, mels in ((OURS, ours(bench, row)[0]), (PEER, theirs)):
            length = bench.codec.samples(torch.tensor([mels.shape[-1]]))
            with torch.inference_mode(), autocast(bench.trained.spec.precision, mels.device):
                sound, took = clocked(partial(bench.trained.model.decode, mels, length))
            path = folder / who / "wavs" / f"{name}.wav"
            audio.save(path, sound[0].float().numpy().T, bench.trained.audio.rate)
            samples, spent = samples + int(length), spent + took["cpu"]
    return spent * bench.trained.audio.rate / samples


def scored(folder: Path, config: Path, data: Path) -> Found:
    """Score what both have said; return the result of ours, compared with the other's."""
    common = ["--config", str(config), "--data", str(data)]
    for who, versus in ((PEER, []), (OURS, ["--versus", str(folder / PEER)])):
        own = ["--exp", str(folder / who), "--wavs", str(folder / who / "wavs"), "--system", who]
        score.main([*common, *own, *versus])
    return read_json(folder / OURS / "score" / "default" / "test" / "summary.json")


def shown(title: str, times: Times) -> Found:
    """Print medians of both in processor and wall time; return them and the ratio."""
    middle = {
        kind: {who: statistics.median(one[kind] for one in rows) for who, rows in times.items()}
        for kind in ("cpu", "wall")
    }
    faster = min(("fp32", "bf16"), key=middle["cpu"].__getitem__)
    pairs = zip(times[OURS], times[faster], strict=True)
    ratio = statistics.median(a["cpu"] / b["cpu"] for a, b in pairs)
    for kind, one in middle.items():
        figures = "".join(f"{one[who]:14.4f}" for who in times)
        sys.stdout.write(f"{title + ', ' + kind:44}{figures}\n")
    sys.stdout.write(f"{title}: ours over {PEER} ({faster}) {ratio:.3f}, goal below 1\n")
    return {**middle, "faster": faster, "ratio": ratio, "n": len(times[OURS])}


def goals(found: Found) -> dict[str, bool]:
    """Return what was asked for, and whether it is so."""
    met = {
        f"parameters within {SLACK:.0%}": abs(found["parameters"]["ratio"] - 1) <= SLACK,
        "faster per step": found["training"]["ratio"] < 1,
        "faster in synthesis": found["synthesis"]["ratio"] < 1,
    }
    if "scores" in found:
        apart = {name: one["versus"][PEER] for name, one in found["scores"]["metrics"].items()}
        for name, well in (("WER", lambda x: x <= WORDS), ("DistillMOS", lambda x: x >= 0)):
            difference, ends = apart[name]["mean_difference"], apart[name]["ci95"]
            met[f"{name}, ours less {PEER}: {difference:.3f} {ends}"] = well(difference)
    return met


def options_of(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the options, and those of the configuration."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    own = parser.add_mutually_exclusive_group(required=True)
    own.add_argument("--exp", type=Path, help="ours, trained; it is scored beside Matcha-TTS")
    own.add_argument("--config", type=Path, help="ours, untrained; only times are taken")
    parser.add_argument("--dump", type=Path, required=True, help="shards and readings")
    parser.add_argument("--data", type=Path, help="manifests, for the scores")
    usual = Path(tempfile.gettempdir()) / "diffaudio_matcha"
    parser.add_argument("--work", type=Path, default=usual, help="folder for all that is made")
    parser.add_argument("--steps", type=int, help="of Matcha-TTS; by default as many as of ours")
    parser.add_argument("--optimiser", choices=("published", "ours"), default="published")
    parser.add_argument("--channels", type=int, default=0, help="of its encoder; 0: as ours")
    parser.add_argument("--temperature", type=float, default=0.667, help="of its noise")
    parser.add_argument("--turns", type=int, default=20, help="of three training steps each")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_known_args(argv)


def main() -> int:
    """Print everything."""
    setup_log()
    keep_freed()
    options, words = options_of(sys.argv[1:])
    torch.set_num_threads(options.threads)
    name = options.exp.name if options.exp else options.config.stem
    folder = options.work / f"{name}_{options.optimiser}_{options.channels or 'as_ours'}"
    folder.mkdir(parents=True, exist_ok=True)
    python = environment(options.work / "env")
    with Peer(python, threads=options.threads, errors=folder / "peer.log") as peer:
        found = compared(options, words, folder, peer)
    found["goals"] = goals(found)
    write_json(folder / "matcha.json", found)
    for what, well in found["goals"].items():
        sys.stdout.write(f"{what}: {'yes' if well else 'MISSED'}\n")
    return 0 if all(found["goals"].values()) else 1


def compared(options: argparse.Namespace, words: list[str], folder: Path, peer: Peer) -> Found:
    """Take all measures that are asked for."""
    bench, parameters = opened(options, words, folder, peer)
    calls = bench.trained.spec.sampler.calls
    speech = {"calls": calls, "temperature": options.temperature}
    sys.stdout.write(
        f"parameters: ours {parameters[OURS] / 1e6:.3f} M, {PEER} {parameters[PEER] / 1e6:.3f} M "
        f"({parameters['channels']} channels), ratio {parameters['ratio']:.3f}\n"
        f"{'':44}{OURS:>14}{'theirs, fp32':>14}{'bf16':>14}\n"
    )
    asked = {name: str(value) for name, value in vars(options).items()}
    found = {"machine": machine(), "parameters": parameters, "asked": {**asked, **speech}}
    found["training"] = shown("seconds a training step", training(bench, options.turns))
    if options.exp is not None:
        taken = int(bench.trained.about["train_steps"])
        steps = options.steps or taken
        trained_peer(bench, folder, steps, published=options.optimiser == "published")
        found["steps"] = {OURS: taken, PEER: steps}
    found["synthesis"] = shown(f"seconds a second, {calls} calls", synthesis(bench, speech))
    if options.exp is not None and options.data is not None:
        place = folder / f"calls_{calls}"
        found["vocoder"] = spoken(bench, place, speech)
        sys.stdout.write(f"{'seconds a second, the vocoder, cpu':44}{found['vocoder']:14.4f}\n")
        found["scores"] = scored(place, folder / CONFIG, options.data)
    return found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refusal as refusal:
        sys.exit(str(refusal))
