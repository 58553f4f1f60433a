"""Which file is scored against which: the rows of a test set, and a folder of wavs."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diffaudio.data import audio
from diffaudio.data.audio import AudioSpec
from diffaudio.data.convert import convert
from diffaudio.files import digest
from diffaudio.log import Refusal
from diffaudio.metrics import Prompt
from diffaudio.score.timing import DURATIONS

__all__ = [
    "MADE",
    "Sound",
    "check_length",
    "content",
    "estimates",
    "heard",
    "read_clip",
    "read_estimate",
    "read_role",
    "scored_wavs",
]

MADE = "decode.json"  # beside wavs: how they were made
_WAVS = "wavs in "  # before a folder, as an input of the stage
_SHOWN = 5  # ids named in a message
Row = dict[str, Any]
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """One utterance of the test set: its row, and where its audio and its estimate lie.

    Args:
        row: of the manifest.
        root: of the corpus.
        estimate: a file; None where something that the row holds is scored.
        role: of the row's audio that is scored then; None for what the model is given.
        prompt: what should be said. Its estimate then has a length of its own.
    """

    row: Row
    root: Path
    estimate: Path | None = None
    role: str | None = None
    prompt: Prompt | None = None


def estimates(rows: Iterable[Row], folder: Path) -> dict[str, Path]:
    """Return the file `folder/<id>.wav` of every row.

    Raises:
        Refusal: an estimate is missing, or there is one that no row asks for; both are listed.
    """
    there = {path.stem: path for path in sorted(folder.glob("*.wav"))}
    wanted = [str(row["id"]) for row in rows]
    if not there:
        raise Refusal(f"{folder}: holds no .wav", mend="decode first, or give another --wavs")
    missing = sorted(set(wanted) - set(there))
    extra = sorted(set(there) - set(wanted))
    if missing or extra:
        parts = [
            f"{len(names)} {what}: {_some(names)}"
            for what, names in (("without an estimate", missing), ("not in the test set", extra))
            if names
        ]
        raise Refusal(
            f"{folder}: {'; '.join(parts)}",
            mend="one <id>.wav per row of the manifest, no more and no fewer: the mean of another "
            "selection is another number",
        )
    return {name: there[name] for name in wanted}


def content(paths: Iterable[Path]) -> str:
    """Return one digest of the names and the bytes of `paths`.

    Raises:
        Refusal: one of them cannot be read.
    """
    total = hashlib.sha256()
    for path in paths:
        try:
            total.update(f"{path.name} {digest(path)}\n".encode())
        except OSError as error:
            raise Refusal(
                f"{path}: {error.strerror}", mend="check the corpus: `diffaudio manifest`"
            ) from error
    return total.hexdigest()


def heard(folder: Path) -> dict[str, str]:
    """Return, as inputs of the stage, digests of the wavs in `folder` and of what made them."""
    found = {f"{_WAVS}{folder}": content(sorted(folder.glob("*.wav")))}
    for path in (folder / MADE, folder / DURATIONS):
        if path.is_file():
            found[str(path)] = digest(path)
    return found


def scored_wavs(score: Path, inputs: Mapping[str, str]) -> tuple[Path, str] | None:
    """Return the folder of wavs that a score has read and their digest, if they are the same still.

    Args:
        score: its folder, `exp/demo/score/default/test`; wavs are looked for in
            `exp/demo/decode/default/test`, then where they were.
        inputs: that it has recorded, name to digest.
    """
    usual = score.resolve().parents[2] / "decode" / score.parent.name / score.name
    for name, wanted in inputs.items():
        for folder in (usual, Path(name.removeprefix(_WAVS))) if name.startswith(_WAVS) else ():
            with contextlib.suppress(Refusal):  # one cannot be read
                if content(sorted(folder.glob("*.wav"))) == wanted:
                    return folder, wanted
    return None


def read_role(sound: Sound, role: str, spec: AudioSpec) -> Samples:
    """Return what a row holds in `role`, exactly as shards hold it for training; (n, a)."""
    row = sound.row
    path = sound.root / row["audio"][role]
    x, _ = convert(path, spec, start=row.get("start"), end=row.get("end"))
    return x.astype(np.float32) / np.float32(1 << 15)


def read_estimate(path: Path, spec: AudioSpec) -> Samples:
    """Return the audio of `path`, (n, a); values may be not finite, which no metric measures.

    Raises:
        Refusal: unreadable, or not at the model's rate.
    """
    x, rate = audio.load(path)
    if rate != spec.rate:
        raise Refusal(
            f"{path}: {rate} Hz, the reference is at {spec.rate} Hz (audio.rate)",
            mend="resample the estimates first; scoring does not do it for them",
        )
    return x


def read_clip(sound: Sound, spec: AudioSpec) -> Samples:
    """Return a sound's estimate or, if it has none, what its row holds as target; (n, a)."""
    if sound.estimate is None:
        return read_role(sound, spec.target, spec)
    return read_estimate(sound.estimate, spec)


def check_length(sound: Sound, estimate: Samples, reference: Samples) -> None:
    """Check that both are (n, a) of the same n and a; of the same a, where a text is what counts.

    Raises:
        Refusal: they are not; the message has both lengths.
    """
    where = sound.estimate or sound.row["id"]
    if sound.prompt is not None:
        if estimate.shape[1] != reference.shape[1]:
            raise Refusal(f"{where}: {_shape(estimate)}, the reference has {_shape(reference)}")
    elif estimate.shape != reference.shape:
        raise Refusal(
            f"{where}: {_shape(estimate)}, the reference has {_shape(reference)}",
            mend="cut or pad the estimates and take out any delay; no tolerance is applied",
        )


def _shape(x: Samples) -> str:
    channels = f" in {x.shape[1]} channels" if x.shape[1] > 1 else ""
    return f"{x.shape[0]} samples{channels}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
