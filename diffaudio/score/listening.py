"""Sets of clips as embedders hear them, and as points in log-mel; what real clips give is kept."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from diffaudio.data.audio import AudioSpec
from diffaudio.files import atomic
from diffaudio.log import Refusal, log
from diffaudio.metrics.neighbours import Nearest, log_mel, nearest
from diffaudio.metrics.sets import Embedding
from diffaudio.score.embedder import Embedder
from diffaudio.score.pairs import Samples, Sound, read_clip
from diffaudio.score.spec import hashed

__all__ = ["Clips", "Ear", "clip"]

Arrays = dict[str, np.ndarray]

_AT_ONCE = 64  # clips in memory, for each job


@dataclass(frozen=True)
class Clips:
    """A set of clips.

    Args:
        name: in tables.
        sounds: in the order of their rows.
        identity: of real clips, whose embeddings are kept: a digest of their audio and rows; ""
            of others.
    """

    name: str
    sounds: Sequence[Sound]
    identity: str = ""


@dataclass(frozen=True)
class Ear:
    """Listens to sets of clips.

    Args:
        audio: the rate and the target role of real clips.
        store: folder where what real sets give is kept, a file each.
        nj: batches of clips at once.
        force: listen again to what is kept.
        heard: what it has heard, so that it listens only once.
    """

    audio: AudioSpec
    store: Path
    nj: int
    force: bool = False
    heard: dict[str, Arrays] = field(default_factory=dict)

    def embed(self, who: Embedder, clips: Clips) -> Embedding:
        """Return what an embedder says of a set."""
        function = partial(_said, who, self.audio)
        found = self._heard(clips, function, _what(who))
        return Embedding(found["features"], found["answers"], found.get("log_probs"))

    def mels(self, clips: Clips, longest: int) -> np.ndarray:
        """Return a set's points in log-mel, (n, p); `longest` is in samples."""
        function = partial(_mels, self.audio, longest)
        return self._heard(clips, function, _mel(longest))["mels"]

    def nearest(self, who: Embedder | int, clips: Clips, train: Clips) -> Nearest:
        """Return the nearest clip of `train` to each of a set, that are not one and the same.

        Args:
            who: whose features are compared; a number means log-mel, up to so many samples.
            clips: the set.
            train: what it may have copied.
        """
        what = _mel(who) if isinstance(who, int) else _what(who)

        def points(one: Clips) -> np.ndarray:
            return self.mels(one, who) if isinstance(who, int) else self.embed(who, one).features

        def make() -> Arrays:
            own = clips.identity == train.identity
            return asdict(nearest(points(clips), points(train), own=own))

        return Nearest(**self._once(clips, make, {"nearest": 1, "train": train.identity, **what}))

    def _heard(
        self, clips: Clips, function: Callable[[Sequence[Sound]], Arrays], what: Mapping[str, Any]
    ) -> Arrays:
        """Return what a function gives of a set, `what` being all that it depends on beside."""
        return self._once(clips, partial(self._all, clips.sounds, function), what)

    def _once(self, clips: Clips, make: Callable[[], Arrays], what: Mapping[str, Any]) -> Arrays:
        """Return what is made of a set, `what` being all that it depends on beside."""
        spec = {"rate": self.audio.rate, "role": self.audio.target, "channels": self.audio.channels}
        name = hashed({**what, **spec, "audio": clips.identity or clips.name})[:16]
        if name not in self.heard:
            path = self.store / f"{name}.npz"
            self.heard[name] = _kept(path, make, force=self.force) if clips.identity else make()
        return self.heard[name]

    def _all(
        self, sounds: Sequence[Sound], function: Callable[[Sequence[Sound]], Arrays]
    ) -> Arrays:
        """Return what a function of some clips gives of all."""
        parts = [sounds[at : at + _AT_ONCE] for at in range(0, len(sounds), _AT_ONCE)]
        with ThreadPoolExecutor(self.nj) as pool:
            made = list(pool.map(function, parts))
        return {name: np.concatenate([one[name] for one in made]) for name in made[0]}


def _kept(path: Path, make: Callable[[], Arrays], *, force: bool) -> Arrays:
    """Return the arrays in a file, or make and keep them; its name says all they depend on."""
    if path.is_file() and not force:
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    log.info("%s: listening to real clips", path)
    made, buffer = make(), io.BytesIO()
    np.savez(buffer, allow_pickle=False, **made)
    with atomic(path) as file:
        file.write(buffer.getbuffer())
    return made


def clip(sound: Sound, spec: AudioSpec) -> Samples:
    """Return a generated clip, or what a row holds in the target role: (n,), channels averaged.

    Raises:
        Refusal: it is empty, or holds values that are not finite.
    """
    x = read_clip(sound, spec)
    if not len(x) or not np.isfinite(x).all():
        what = "holds values that are not finite" if len(x) else "is empty"
        raise Refusal(f"{sound.estimate or sound.row['id']}: {what}", mend="decode it again")
    return x.mean(axis=1)


def _what(who: Embedder) -> dict[str, Any]:
    return {"embedder": who.name, **who.about()}


def _mel(longest: int) -> dict[str, Any]:
    return {"log_mel": longest, "version": 1}


def _said(who: Embedder, spec: AudioSpec, sounds: Sequence[Sound]) -> Arrays:
    said = who.embed([clip(sound, spec) for sound in sounds], spec.rate)
    found: Arrays = {"features": said.features, "answers": said.answers}
    return found if said.log_probs is None else {**found, "log_probs": said.log_probs}


def _mels(spec: AudioSpec, longest: int, sounds: Sequence[Sound]) -> Arrays:
    points = [log_mel(clip(sound, spec), spec.rate, longest) for sound in sounds]
    return {"mels": np.stack(points)}
