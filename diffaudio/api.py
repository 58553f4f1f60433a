"""What Python users call: load a trained model; enhance files or arrays, generate sounds, speak.

import diffaudio

model = diffaudio.load("exp/demo")
model.enhance("noisy.wav", "clean.wav")

model = diffaudio.load("exp/mini")
sevens = model.generate(1.0, 4, label="seven")

model = diffaudio.load("exp/voice")
model.say("Good morning.", "morning.wav")
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch

from diffaudio.decode.configuration import read_config
from diffaudio.decode.enhance import enhance_file, enhanced
from diffaudio.decode.generate import generated
from diffaudio.decode.say import pronounced, say, sentences, spoken
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.stream import Encoding, blocks, reading, shown, writing
from diffaudio.decode.trained import Trained
from diffaudio.decode.trained import load as load_trained
from diffaudio.decode.vocoder import with_vocoder
from diffaudio.log import Refusal

__all__ = ["AudioModel", "load"]

Samples = npt.NDArray[np.float32]


def load(
    folder: str | Path, *, device: str | None = None, decode: Mapping[str, Any] | None = None
) -> AudioModel:
    """Load a trained model.

    Args:
        folder: an experiment (`exp/demo`) or a folder that `diffaudio export` made.
        device: `cpu`, `cuda` or `cuda:1`; by default a GPU where there is one.
        decode: changes of the section `decode`, {"sampler.calls": 1, "seed": 3}.

    Raises:
        Refusal: there is no such model, it is damaged, or a change names no key.
    """
    options = [f"--decode.{key}={_written(value)}" for key, value in (decode or {}).items()]
    config = read_config(Path(folder) / "config.yaml", options)
    place = ("cuda" if torch.cuda.is_available() else "cpu") if device is None else device
    if not re.fullmatch(r"cpu|cuda(:\d+)?", place):
        raise Refusal(f"device: {place!r}", mend="give cpu, cuda, or cuda:1 for a second one")
    trained = load_trained(Path(folder), config, config.build(DecodeSpec), device=place)
    return AudioModel(with_vocoder(trained, Path(folder)))


def _written(value: Any) -> str:
    """Return a value as a command line has it."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


class AudioModel:
    """A trained model. The same audio gives the same output, under any name, on any day.

    Args:
        trained: as `diffaudio.load` puts it together.
    """

    def __init__(self, trained: Trained) -> None:
        self._trained = trained

    @property
    def rate(self) -> int:
        """The model's sample rate in Hz; the bandwidth of its output is half of it."""
        return self._trained.audio.rate

    @overload
    def enhance(
        self, sound: str | Path | npt.ArrayLike, out: None = None, rate: int | None = None
    ) -> Samples: ...

    @overload
    def enhance(
        self, sound: str | Path | npt.ArrayLike, out: str | Path, rate: int | None = None
    ) -> None: ...

    def enhance(
        self,
        sound: str | Path | npt.ArrayLike,
        out: str | Path | None = None,
        rate: int | None = None,
    ) -> Samples | None:
        """Enhance a file or an array of any length, rate and number of channels.

        From file to file, memory holds a few chunks only.

        Args:
            sound: an audio file, or floating-point samples (n,) or (n, a), full scale 1.
            out: a file to write; its suffix is its format.
            rate: of an array, in Hz; the model's by default. A file knows its own.

        Returns:
            Without `out`, float32 samples of the input's shape (of a file: (n, a)) and rate.

        Raises:
            Refusal: the input is not usable audio, or the output cannot be written.
        """
        if isinstance(sound, (str, Path)):
            if out is None:
                return self._file(Path(sound))
            enhance_file(self._trained, Path(sound), Path(out))
            return None
        made = self._array(_checked(np.asarray(sound)), rate or self.rate)
        if out is None:
            return made
        columns = made.reshape(len(made), -1)
        encoding = Encoding.named(Path(out))
        with writing(Path(out), rate or self.rate, columns.shape[1], encoding) as write:
            write(columns)
        return None

    def generate(self, seconds: float, count: int = 1, *, first: int = 0, **told: Any) -> Samples:
        """Generate sounds from nothing but what the model is told.

        Args:
            seconds: length of each.
            count: how many.
            first: number of the first one. The noise of a sound hangs on the seed and on its number
                alone: number 7 is the same among a thousand.
            told: what the model is conditioned on, `label="seven"`; by default nothing.

        Returns:
            float32 (count, n) at the model's rate.

        Raises:
            Refusal: the model needs given audio, or is not conditioned on what is told.
        """
        sounds = generated(self._trained, seconds, told, count, first)
        return np.stack([sound.mean(axis=1) for sound in sounds])

    def say(
        self, text: str, out: str | Path | None = None, *, lexicon: str | Path | None = None
    ) -> Samples | None:
        """Speak a text of any length.

        Args:
            text: as it is written.
            out: a file to write; its suffix is its format.
            lexicon: file of words that are said otherwise (text/lexicon.py).

        Returns:
            Without `out`, float32 (n,) at the model's rate.

        Raises:
            Refusal: the model does not read, or something in the text cannot be said.
        """
        with pronounced(self._trained, None if lexicon is None else Path(lexicon)):
            if out is not None:
                say(self._trained, text, Path(out))
                return None
            pieces = spoken(self._trained, sentences(self._trained, text))
            return np.concatenate([piece.mean(axis=1) for piece in pieces])

    def _file(self, path: Path) -> Samples:
        with reading(path) as sound:
            samples = np.concatenate(list(blocks(path, sound)))
            return self._array(samples, sound.samplerate, name=shown(path))

    def _array(self, x: np.ndarray, rate: int, *, name: str = "the array") -> Samples:
        columns = x.reshape(len(x), -1).astype(np.float32)
        pieces = enhanced(
            self._trained,
            [columns],
            name=name,
            rate=rate,
            rate_out=rate,
            channels=columns.shape[1],
            samples=len(columns),
        )
        return np.concatenate(list(pieces)).reshape(x.shape)


def _checked(x: np.ndarray) -> np.ndarray:
    """Return floating-point audio (n,) or (n, a), or refuse what is something else."""
    if not np.issubdtype(x.dtype, np.floating):
        raise Refusal(
            f"an array of {x.dtype}; audio is floating point with full scale 1",
            mend="divide by the integers' full scale: x / 32768 for 16 bit",
        )
    if x.ndim not in {1, 2} or not x.size:
        raise Refusal(
            f"an array of shape {x.shape}; audio is (n,) or (n, channels), n at least 1",
            mend="transpose (channels, n) with x.T",
        )
    if not np.isfinite(x).all():
        raise Refusal("the array holds samples that are not numbers", mend="mend them first")
    return x
