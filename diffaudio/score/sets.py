"""The clips that are scored as sets: generated ones, real ones, and those that were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diffaudio.data import manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.data.loader import copies
from diffaudio.files import digest
from diffaudio.log import Refusal
from diffaudio.score import about
from diffaudio.score.columns import Column, columns
from diffaudio.score.listening import Clips
from diffaudio.score.pairs import Sound, estimates
from diffaudio.score.request import Request, trained
from diffaudio.score.spec import ScoreSpec, SetsSpec, hashed, sets_protocol

__all__ = ["Asked", "find"]


@dataclass(frozen=True)
class Asked:
    """What is to be scored, and against what.

    Args:
        made: the generated clips.
        real: those of the test set.
        train: all that were trained on.
        columns: what is measured.
        protocol: of it.
        corpus: its name, and why its numbers compare with no published ones.
        sets: who listens, and the names of fields.
    """

    made: Clips
    real: Clips
    train: Clips
    columns: Sequence[Column]
    protocol: Mapping[str, Any]
    corpus: Mapping[str, Any]
    sets: SetsSpec

    def named(self, request: Request) -> dict[str, Any]:
        """Return keys of the stage: the name, the metrics and who listens, in their versions."""
        listeners = {f"embedder.{name}": one for name, one in self.protocol["embedders"].items()}
        versions = {f"metric.{column.name}": column.metric.version for column in self.columns}
        return {"system": request.system, **listeners, **versions, **self.corpus}

    def read(self, request: Request) -> dict[str, str]:
        """Return the digests of the real clips, of who listens and of the training.

        Raises:
            Refusal: who listens is not there, or is stale.
        """
        found = dict(trained(request))
        for embedder in self.sets.embedders:
            found |= embedder.inputs()
        found[str(request.manifest)] = self.protocol["asked"]["manifest_sha256"]
        for described in (self.protocol["test_set"], self.protocol["train_set"]):
            path = request.data / f"{described['split']}.jsonl"
            found[str(path)] = described["manifest_sha256"]
            found[f"audio of {path}"] = described["audio_sha256"]
        return found


def find(request: Request, audio: AudioSpec, spec: ScoreSpec) -> Asked:
    """Find the clips of all sets, and what can be measured of them.

    Raises:
        Refusal: wavs are missing or superfluous, or nobody who listens gives a metric.
    """
    assert spec.sets is not None
    if request.versus is not None:
        raise Refusal(
            f"--versus {request.versus}: sets are not compared clip by clip",
            mend="leave it out; the rows of one table have their intervals",
        )
    chosen, split = columns(spec.metrics, spec.sets.embedders), spec.sets.real or request.split
    real, test_set = _real(request, audio, split)
    train, train_set = _real(request, audio, spec.sets.train)
    if request.system in (real.name, train.name):
        raise Refusal(f"--system {request.system}: a set of real clips is called so")
    rows = real.sounds if split == request.split else _sounds(request, request.split)
    made = Clips(request.system, _generated(request, rows))
    sets = {"test_set": test_set, "train_set": train_set, "asked": _rows(request)}
    metrics = {column.name: column.metric for column in chosen}
    protocol = sets_protocol(metrics, spec.sets, audio, spec, sets)
    cut = about.subset(request.data, split, len(real.sounds))
    corpus = about.corpus(request.data.name, about.described(request.data), cut)
    return Asked(made, real, train, chosen, protocol, corpus, spec.sets)


def _real(request: Request, audio: AudioSpec, split: str) -> tuple[Clips, dict[str, Any]]:
    """Return the real clips of a split, and what a protocol says of them."""
    sounds = _sounds(request, split)
    rows = [sound.row for sound in sounds]
    described = about.data_set(request.data, split, rows, audio.roles)
    identity = hashed({name: described[name] for name in ("audio_sha256", "manifest_sha256")})
    return Clips(f"real {split}", sounds, identity), described


def _sounds(request: Request, split: str) -> list[Sound]:
    path = request.data / f"{split}.jsonl"
    rows, root = list(manifest.read(path)), manifest.root(request.data)
    if not rows:
        raise Refusal(f"{path}: no utterances")
    return [Sound(row, root) for row in rows]


def _rows(request: Request) -> dict[str, str]:
    """Return what a protocol says of the rows that were generated."""
    return {"split": request.split, "manifest_sha256": digest(request.manifest)}


def _generated(request: Request, real: Sequence[Sound]) -> list[Sound]:
    """Return the wavs with their rows: each row has one, or as many as any other."""
    repeat = max(1, len(list(request.wavs.glob("*.wav"))) // len(real))
    wanted = [
        Sound({**sound.row, "id": name}, sound.root)
        for sound in real
        for name in copies(sound.row["id"], repeat)
    ]
    paths = estimates([sound.row for sound in wanted], request.wavs)
    return [Sound(sound.row, sound.root, paths[sound.row["id"]]) for sound in wanted]
