"""What can be wrong with the audio of a row: each file by itself, then clean against noisy.

Every file is decoded once, so that no later stage meets a surprise. A rate above the model's is no
fault (shards are resampled), nor are two channels where the model wants one (they are mixed down).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffaudio.data import audio
from diffaudio.data.audio import AudioSpec
from diffaudio.data.manifest import Row
from diffaudio.data.problem import Problem
from diffaudio.log import Refusal

__all__ = ["examine"]

SILENT = 1e-3  # peak, full scale 1: -60 dB
FULL_SCALE = 32766 / 32768
CLIPPED = 0.005  # share of samples at full scale
OFFSET = 0.05  # mean, full scale 1
WINDOW_SECONDS = 2.0  # the loudest stretch of the target, in which a delay is looked for
DELAY_SECONDS = 0.1  # the longest delay that is looked for
TOLERANCE_SECONDS = 0.0002  # a shorter delay is let pass
PROMINENCE = 8.0  # of a delay over the others; unrelated signals stay below 6.5, pairs above 10


@dataclass(frozen=True)
class _Sound:
    """A decoded file: (n, a) samples and the rate in Hz."""

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def examine(row: Row, root: Path, spec: AudioSpec) -> tuple[Row, list[Problem]]:
    """Decode a row's audio and look for faults.

    Args:
        row: passed the checks of `validate`.
        root: the corpus folder.
        spec: what the model wants.

    Returns:
        The row with "samples", "rate" and "channels" of the target's file, and its problems. With
        problems the row is as it was.
    """
    sounds: dict[str, _Sound] = {}
    found: list[tuple[str, str, str]] = []  # reason, file, detail
    for role in spec.roles:
        file = row["audio"][role]
        try:
            sounds[role] = _decode(root / file, row, spec)
        except _Fault as fault:
            found.append((fault.reason, file, fault.detail))
            continue
        found += [(reason, file, detail) for reason, detail in _alone(sounds[role], spec)]
    if spec.given in sounds and spec.target in sounds:
        pair = _pair(sounds[spec.target], sounds[spec.given])
        found += [(reason, row["audio"][spec.given], detail) for reason, detail in pair]
    if found:
        return row, [Problem(why, row["id"], row["split"], file, what) for why, file, what in found]
    target = sounds[spec.target]
    samples, channels = target.samples.shape
    return {**row, "samples": samples, "rate": target.rate, "channels": channels}, []


class _Fault(Exception):
    """A file that gives no sound to look at."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def _decode(path: Path, row: Row, spec: AudioSpec) -> _Sound:
    if not path.is_file():
        raise _Fault("missing", "no such file")
    if path.stat().st_size == 0:
        raise _Fault("empty", "0 bytes")
    if cut := _cut(path):
        raise _Fault("truncated", cut)
    try:
        frames, rate = audio.probe(path)
        end = row.get("end")
        seconds = (frames / rate if end is None else end) - row.get("start", 0)
        if seconds > spec.max_seconds:  # by the header, before memory is taken for it
            what = f"{seconds:.1f} s, audio.max_seconds is {spec.max_seconds:g} s"
            raise _Fault("too long", what)
        samples, rate = audio.load(path, start=row.get("start"), end=row.get("end"))
    except Refusal as refusal:
        raise _Fault("unreadable", refusal.message.removeprefix(f"{path}: ")) from refusal
    if not len(samples):
        raise _Fault("empty", "0 samples")
    return _Sound(samples, rate)


def _cut(path: Path) -> str:
    """Compare the size that a RIFF header states with the file's: decoders do not."""
    with path.open("rb") as file:
        head = file.read(12)
    stated, size = int.from_bytes(head[4:8], "little") + 8, path.stat().st_size
    unknown = stated > 0xFFFFFFFF  # written to a pipe
    if head[:4] != b"RIFF" or head[8:] != b"WAVE" or unknown or stated <= size + 1:
        return ""
    return f"its header states {stated} bytes, it has {size}"


def _alone(sound: _Sound, spec: AudioSpec) -> Iterator[tuple[str, str]]:
    """Yield reason and detail of each fault of one file."""
    if not np.isfinite(sound.samples).all():
        bad = np.count_nonzero(~np.isfinite(sound.samples))
        yield "not finite", f"{bad} of {sound.samples.size} samples"
        return  # the other figures would mean nothing
    for reason, check in _CHECKS.items():
        if detail := check(sound, spec):
            yield reason, detail


def _rate(sound: _Sound, spec: AudioSpec) -> str:
    if sound.rate >= spec.rate:
        return ""
    return f"{sound.rate} Hz, audio.rate is {spec.rate} Hz: the upper band would be missing"


def _channels(sound: _Sound, spec: AudioSpec) -> str:
    channels = sound.samples.shape[1]
    return "" if spec.channels in {1, channels} else f"{channels}, audio.channels: {spec.channels}"


def _short(sound: _Sound, spec: AudioSpec) -> str:
    if sound.seconds >= spec.min_seconds:
        return ""
    return f"{sound.seconds:.3f} s, audio.min_seconds is {spec.min_seconds:g} s"


def _peak(sound: _Sound) -> float:
    return float(max(sound.samples.max(), -sound.samples.min()))


def _silent(sound: _Sound, _: AudioSpec) -> str:
    peak = _peak(sound)
    return "" if peak >= SILENT else f"peak {peak:.6f} of full scale, {SILENT:g} is the least"


def _clipped(sound: _Sound, _: AudioSpec) -> str:
    peak = _peak(sound)
    if peak < FULL_SCALE:
        return ""
    share = np.count_nonzero(np.abs(sound.samples) >= FULL_SCALE) / sound.samples.size
    if share < CLIPPED:
        return ""
    return f"{100 * share:.1f} % of its samples at or above full scale (peak {peak:.2f})"


def _offset(sound: _Sound, _: AudioSpec) -> str:
    mean = float(np.abs(sound.samples.mean(axis=0, dtype=np.float64)).max())
    return "" if mean <= OFFSET else f"mean {mean:.3f} of full scale, {OFFSET:g} is the most"


_CHECKS: dict[str, Callable[[_Sound, AudioSpec], str]] = {
    "wrong rate": _rate,
    "wrong channels": _channels,
    "too short": _short,
    "silent": _silent,
    "clipped": _clipped,
    "dc offset": _offset,
}


def _pair(target: _Sound, given: _Sound) -> Iterator[tuple[str, str]]:
    """Yield reason and detail of what does not fit between two files."""
    if target.rate != given.rate:
        yield "rate mismatch", f"{given.rate} Hz, the target has {target.rate} Hz"
        return
    if target.samples.shape[1] != given.samples.shape[1]:
        channels = target.samples.shape[1]
        yield "channel mismatch", f"{given.samples.shape[1]}, the target has {channels}"
    lengths = len(given.samples), len(target.samples)
    if lengths[0] != lengths[1]:
        yield "length mismatch", f"{lengths[0]} samples, the target has {lengths[1]}"
    if np.isfinite(target.samples).all() and np.isfinite(given.samples).all():
        lag = _delay(target.samples[:, 0], given.samples[: lengths[1], 0], target.rate)
        if abs(lag) > TOLERANCE_SECONDS * target.rate:
            late = "late" if lag > 0 else "early"
            yield "delay mismatch", f"{abs(lag)} samples {late} ({1000 * lag / target.rate:.1f} ms)"


def _delay(target: np.ndarray, given: np.ndarray, rate: int) -> int:
    """Return by how many samples `target` comes later in `given`; 0 where none stands out.

    The response from one to the other, by division of the spectra where the target has power, is
    sharp whatever the speech; noise spreads over all delays.
    """
    start, length = _loudest(target[: len(given)], round(WINDOW_SECONDS * rate))
    reach = round(DELAY_SECONDS * rate)
    if length <= reach:
        return 0
    size = 1 << (length + reach).bit_length()
    source = np.fft.rfft(target[start : start + length], size)
    power = np.abs(source) ** 2
    cross = np.fft.rfft(given[start : start + length], size) * source.conj()
    response = np.fft.irfft(cross / (power + 0.1 * power.mean() + 1e-20), size)
    near = np.abs(np.concatenate([response[-reach:], response[: reach + 1]]))
    best = int(near.argmax())
    stands_out = near[best] > PROMINENCE * np.sqrt((near**2).mean())
    return best - reach if stands_out else 0


def _loudest(x: np.ndarray, length: int) -> tuple[int, int]:
    """Return start and length of the loudest stretch of at most `length` samples."""
    if len(x) <= length:
        return 0, len(x)
    energy = np.concatenate([[0.0], np.cumsum(x.astype(np.float64) ** 2)])
    starts = np.arange(0, len(x) - length + 1, max(1, length // 20))
    return int(starts[(energy[starts + length] - energy[starts]).argmax()]), length
