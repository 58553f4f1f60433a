"""espeak-ng in this process, from the Python package espeakng-loader (10 MB, voices inside).

Formant synthesis. Samples depend on what was spoken before, so a process speaks the same samples
again when it makes the same calls in the same order.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import soxr

from diffaudio.log import Refusal

__all__ = ["Espeak"]

# of espeak-ng's speak_lib.h: espeak_AUDIO_OUTPUT, espeakCHARS, espeak_PARAMETER
_SYNCHRONOUS, _UTF8 = 2, 1
_SPEED, _PITCH, _RANGE = 1, 3, 4
_IPA = 2  # espeakPHONEMES_IPA


class Espeak:
    """The library; there is one in a process.

    Raises:
        Refusal: espeakng-loader is not installed.
    """

    def __init__(self) -> None:
        try:
            import espeakng_loader  # type: ignore[import-untyped]
        except ImportError as error:
            raise Refusal(
                "this corpus needs the package espeakng-loader",
                mend="pip install espeakng-loader",
            ) from error
        self.library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate = int(self.library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0))
        self.heard = bytearray()
        arguments = ctypes.POINTER(ctypes.c_char), ctypes.c_int, ctypes.c_void_p
        self.callback = ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(self._hear)  # kept alive
        self.library.espeak_SetSynthCallback(self.callback)
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def _hear(self, samples: Any, count: int, _: Any) -> int:
        if samples:
            self.heard += ctypes.string_at(samples, 2 * count)
        return 0

    def say(
        self,
        voice: str,
        text: str,
        rate: int,
        *,
        words_per_minute: int = 175,
        pitch: int = 50,
        spread: int = 50,
    ) -> np.ndarray:
        """Return speech as (n,) float32, full scale 1.0.

        Args:
            voice: language and variant, `en-us+f2`; British English is `en`.
            text: to be spoken.
            rate: wanted, in Hz.
            words_per_minute: 80 to 450.
            pitch: 0 to 100, 50 is the voice's own.
            spread: of the pitch, 0 (monotone) to 100.

        Raises:
            Refusal: there is no such voice.
        """
        self.heard.clear()
        self.library.espeak_ng_SetRandSeed(1)  # of the breath in a voice
        self._choose(voice)
        for number, value in ((_SPEED, words_per_minute), (_PITCH, pitch), (_RANGE, spread)):
            self.library.espeak_SetParameter(number, value, 0)
        spoken = text.encode()
        self.library.espeak_Synth(spoken, len(spoken) + 1, 0, 1, 0, _UTF8, None, None)
        speech = np.frombuffer(bytes(self.heard), dtype=np.int16) * np.float32(1 / 32768)
        resampled: np.ndarray = soxr.resample(speech, self.rate, rate, "HQ")
        return resampled

    def phonemes(self, voice: str, text: str) -> str:
        """Return how a text is said, in the International Phonetic Alphabet, without its marks.

        Args:
            voice: language and variant.
            text: to be said.

        Raises:
            Refusal: there is no such voice.
        """
        self._choose(voice)
        rest, clauses = ctypes.c_char_p(text.encode()), []
        while rest.value:  # it is moved behind the clause that is returned, to nothing at the end
            clause = self.library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA)
            clauses.append(clause.decode().strip())
        return " ".join(clause for clause in clauses if clause)

    def _choose(self, voice: str) -> None:
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise Refusal(f"espeak-ng has no voice {voice}", mend="pip install -U espeakng-loader")
