"""Flite, a small speech synthesiser: program and voices out of Debian packages, not installed.

Its voices at 16 kHz are those of people: slt, rms and awb (statistical parametric synthesis), kal16
(diphones).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soxr

from diffaudio.corpus.debian import FALLBACK, unpack
from diffaudio.corpus.decode import decode
from diffaudio.log import Refusal

__all__ = ["LIBRARIES", "PACKAGES", "Flite"]

PACKAGES = ("flite", "libflite1")
LIBRARIES = ("libasound2",)  # which the program is linked to; a newer Debian calls it otherwise


class Flite:
    """The unpacked program.

    Args:
        packages: its .deb files.
        folder: to unpack them to.
    """

    def __init__(self, packages: Iterable[Path], folder: Path) -> None:
        for package in packages:
            unpack(package, folder)
        self.program, self.spoken = folder / "usr/bin/flite", folder / "spoken.wav"
        libraries = ":".join(str(path) for path in folder.glob("usr/lib/*-linux-gnu*"))
        before = os.environ.get("LD_LIBRARY_PATH", "")
        self.environment = {**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{before}".strip(":")}

    def say(
        self,
        voice: str,
        text: str,
        rate: int,
        *,
        stretch: float = 1.0,
        pitch: float | None = None,
        speed: float = 1.0,
    ) -> np.ndarray:
        """Return speech as (n,) float32.

        Args:
            voice: slt, rms, awb, kal16.
            text: to be spoken.
            rate: wanted, in Hz.
            stretch: of all durations; pitch and timbre stay.
            pitch: mean, in Hz; rms keeps to its own.
            speed: of playing: 1.1 is faster and higher, the voice of a smaller head. That changes
                the speaker (Ko et al. 2015, "Audio augmentation for speech recognition").

        Raises:
            Refusal: the program does not run here, or has no such voice.
        """
        words = ["--setf", f"duration_stretch={stretch}"]
        if pitch is not None:
            words += ["--setf", f"int_f0_target_mean={pitch}"]
        command = [self.program, "-voice", voice, *words, "-o", self.spoken, "-t", text]
        self.spoken.unlink(missing_ok=True)
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, errors="replace"
        )
        if done.returncode != 0 or not self.spoken.is_file():
            raise Refusal(
                f"flite {voice}: {done.stderr.strip() or f'exit code {done.returncode}'}",
                mend=FALLBACK,
            )
        speech = decode("spoken.wav", self.spoken.read_bytes(), rate)
        faster: np.ndarray = soxr.resample(speech, rate * speed, rate, "HQ")
        return speech if speed == 1.0 else faster
