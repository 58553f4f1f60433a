"""Tones of two classes, what listens to them, and a corpus of them: to score generated sets."""

import json
import zlib

import numpy as np

from diffaudio.data import audio, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import write_json
from diffaudio.metrics.sets import Embedding
from diffaudio.score import Request, ScoreSpec
from diffaudio.score.embedder import Embedder
from diffaudio.score.spec import SetsSpec

RATE = 8000
AUDIO = AudioSpec(rate=RATE, target="speech")
ALL = ("accuracy", "KAD", "FD (ear)", "IS", "mIS", "AM")
PITCHES = {"low": 300.0, "high": 1500.0}


def tone(label, seed, seconds=0.25):
    """Return (n,): a pitch near that of its class, at some level, with a little noise."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    x = np.sin(2 * np.pi * PITCHES[label] * random.uniform(0.8, 1.25) * time)
    x = random.uniform(0.1, 0.3) * x + 0.003 * random.standard_normal(len(time))
    return x.astype(np.float32)


class Tones(Embedder):
    """Hears the pitch.

    Args:
        version: of it, which is all that a score has to know.
    """

    name = "ear"
    labels = ("high", "low")

    def __init__(self, version: int = 1) -> None:
        self.version = version

    def about(self):
        return {"version": self.version}

    def inputs(self):
        return {}

    def embed(self, clips, rate):
        pitch = np.array([self._pitch(clip, rate) for clip in clips])
        level = np.array([np.log(np.abs(clip).mean() + 1e-9) for clip in clips])
        logit = 4 * np.log(pitch / np.sqrt(300 * 1500))
        log_probs = -np.logaddexp(0, np.stack([-logit, logit], axis=1))
        features = np.stack([np.log(pitch), level], axis=1)
        return Embedding(features, log_probs.argmax(axis=1), log_probs)

    def _pitch(self, clip, rate):
        return 1.0 + np.abs(np.fft.rfft(clip))[1:].argmax() * rate / len(clip)


class Deaf(Tones):
    """Hears nothing, and is sure of nothing."""

    name = "deaf"
    gives = frozenset({"features", "answers"})

    def embed(self, clips, rate):
        said = super().embed(clips, rate)
        return Embedding(said.features, np.full(len(clips), -1))


def corpus(root, *, test=30, train=40):
    """Write `root/data/mini` and its audio; every third clip of a set is a recording."""
    data = root / "data" / "mini"
    for split, count in (("test", test), ("train", train)):
        rows = []
        for number in range(count):
            label = ("low", "high")[number % 2]
            name = f"{split}{number:03d}"
            sound = tone(label, hash_of(name))
            audio.save(root / "corpus" / f"{name}.wav", sound, RATE)
            row = {"id": name, "audio": {"speech": f"{name}.wav"}, "label": label, "speaker": "s"}
            row |= {"samples": len(sound), "rate": RATE}
            rows.append({**row, "source": "synthetic" if number % 3 else "real"})
        manifest.write(data / f"{split}.jsonl", rows)
    write_json(data / "corpus.json", {"root": str(root / "corpus"), "label": "tones"})
    return data


def generate(data, folder, *, split="test", repeat=2, right=1.0, copies=0):
    """Write wavs of every row of a set, `repeat` of each.

    Args:
        data: folder of the manifests.
        folder: of the wavs.
        split: whose rows.
        repeat: how many of each row.
        right: share of the clips that are what was asked for.
        copies: how many are training clips.
    """
    rows = [json.loads(line) for line in (data / f"{split}.jsonl").open()]
    ends = [f"-{number:03d}" for number in range(repeat)] if repeat > 1 else [""]
    names = [row["id"] + end for row in rows for end in ends]
    other = {"low": "high", "high": "low"}
    for number, name in enumerate(names):
        label = rows[number // repeat]["label"]
        if (number % 20) >= right * 20:
            label = other[label]
        x = tone(label, hash_of(f"made {name}"))
        if number < copies:
            x, _ = audio.load(data.parents[1] / "corpus" / f"train{number:03d}.wav")
        audio.save(folder / f"{name}.wav", x, RATE)
    return folder


def a_request(root):
    """Return a request to score sixty wavs, of which a tenth are of the wrong class."""
    exp = root / "exp" / "demo"
    data = corpus(root)
    wavs = generate(data, exp / "decode" / "default" / "test", right=0.9)
    write_json(wavs / "decode.json", {"solver": "DDIM()", "calls": 5, "checkpoint_sha256": "1a2b"})
    (exp / "config.yaml").write_text("train: {seed: 5}\n")
    out = exp / "score" / "default" / "test"
    return Request(data, "test", wavs, exp, out, system="demo <1>", recipe="tones")


def settings(*, metrics=ALL, embedders=None, **options):
    """Return a section `score` that listens with both, or with `embedders`."""
    embedders = [Tones(), Deaf()] if embedders is None else embedders
    sets = SetsSpec(embedders, apart="source", **options)
    return ScoreSpec(metrics=list(metrics), worst=3, resamples=200, sets=sets)


def hash_of(name):
    """Return a number that depends on a name alone."""
    return zlib.crc32(name.encode())
