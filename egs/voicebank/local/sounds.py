"""Recordings inside Debian packages: telephone prompts in five languages and noises of games.

Every sound comes out as mono float32 at 16 kHz. The prompts are G.722 at 16 kHz (speech up to
7 kHz); the noises are WAV, Ogg, an OpenTTD sound catalogue and Qt resource files.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
import soundfile
import soxr
import zstandard
from mixtures import RATE, Noise

from diffaudio.corpus.decode import g722

__all__ = ["NOISE_PACKAGES", "SPEAKERS", "SPEECH_PACKAGES", "noises", "prompts"]

SPEAKERS = {"en": "allison", "es": "allison", "fr": "june", "it": "carlo", "ru": "ivrvoice"}
_SPEECH = "asterisk-core-sounds-{}"
SPEECH_PACKAGES = {
    **{_SPEECH.format(tongue): r"/core-sounds-\w+\.txt\.gz$" for tongue in SPEAKERS},
    **{f"{_SPEECH.format(tongue)}-g722": r"\.g722$" for tongue in SPEAKERS},
}
NOISE_PACKAGES = {
    "gcompris-qt-data": r"/rcc/(canal_lock|core|explore_farm_animals|guessnumber|memory-sound"
    r"|railroad|traffic|watercycle)\.rcc$",
    "lincity-ng-data": r"/sounds/[^/]+\.wav$",
    "minetest-data": r"/sounds/[^/]+\.ogg$",
    "openttd-opensfx": r"/opensfx\.cat$",
    "scorched3d-data": r"/wav/.+\.wav$",
}
_RESOURCE = re.compile(r"memory-sound/.*\.ogg$|animals/.*\.ogg$|resource/[^/]+\.wav$|/water\.wav$")
# Music, jingles, beeps and other sounds that nobody would meet as noise, ...
_NO_NOISE = (
    r"gcompris-(guitar|lr(lapause|weird|buddhist|ring)).*|lincity-window.*"
    r"|minetest-(soundstuff|tnt_explode).*"
    r"|openttd-(unused|toyland|opensfx|beep|morse|good-year|bad-year).*"
    r"|scorched3d-(activ|beamup|beep|camera|extralife|fight4life|hit|laser|lockon|play|teleport"
    r"|text).*"
)
# ... and recordings that are there under another name too (found by cross-correlation).
_COPIES = (
    r"lincity-(commune3|harbor[13]|parklandlake2|powersolar3|residentialhigh2|trafichigh3|water2)"
    r"|minetest-fire_large|openttd-(steam-engine|truck.*horn).*"
    r"|scorched3d-(exp|flare|lightning|meteor|screaming|shockwave)"
)
_LEFT_OUT = re.compile(f"({_NO_NOISE}|{_COPIES})")
_SHORTEST = 1.0  # seconds of a noise
_QUIET = 0.02  # peak of the prompts that are pauses

Files = Mapping[str, bytes]  # path in a package to content


def prompts(packages: Mapping[str, Files], tongue: str) -> list[np.ndarray]:
    """Return the spoken prompts of one language, in the order of their names.

    A prompt counts as speech when the transcript has words for it: tones, silences and animals are
    in brackets there, or absent.
    """
    package = _SPEECH.format(tongue)
    [packed] = [packages[package][path] for path in packages[package] if path.endswith(".txt.gz")]
    spoken = set()
    for line in gzip.decompress(packed).decode("utf-8-sig").splitlines():
        key, _, text = line.partition(":")
        if text.strip() and not line.startswith(";") and text.strip()[0] not in "[<":
            spoken.add(key.strip())
    found: dict[bytes, str] = {}  # some prompts are there under two names
    for path, content in packages[f"{package}-g722"].items():
        key = re.sub(r"^.*/sounds/[^/]+/|\.g722$", "", path)
        if key in spoken:
            found[content] = min(key, found.get(content, key))
    decoded = [g722(content) for content in sorted(found, key=found.__getitem__)]
    return [x for x in decoded if np.abs(x).max() > _QUIET]


def noises(packages: Mapping[str, Files]) -> list[Noise]:
    """Return the noises of those packages that are there, in the order of their names."""
    found: dict[bytes, Noise] = {}
    for package in sorted(set(packages) & set(NOISE_PACKAGES)):
        for path, content in sorted(_sounds(packages[package])):
            if content not in found and (noise := _noise(package, path, content)):
                found[content] = noise
    return sorted(found.values(), key=lambda noise: noise.name)


def _sounds(files: Files) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of a package's sound files, those in catalogues included."""
    for path, content in files.items():
        if path.endswith(".cat"):
            yield from _catalogue(content)
        elif path.endswith(".rcc"):
            yield from _resources(content)
        elif path.endswith((".wav", ".ogg")):
            yield path.rsplit("/", 1)[-1], content


def _noise(package: str, path: str, content: bytes) -> Noise | None:
    """Decode one noise, silence at its ends cut off; None when it is of no use."""
    stem = re.sub(r"\W+", "-", path.rsplit(".", 1)[0].lower()).strip("-")
    name = f"{package.split('-')[0]}-{stem}"
    if _LEFT_OUT.fullmatch(name):
        return None
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    loud = np.flatnonzero(np.abs(mono) > 1e-3 * np.abs(mono).max(initial=0.0))
    if not loud.size or loud[-1] - loud[0] < _SHORTEST * rate:
        return None
    mono = _high_pass(soxr.resample(mono[loud[0] : loud[-1] + 1], rate, RATE, "HQ"))
    scene = re.sub(r"[-_]?\d+$", "", name)  # TraficHigh1 and TraficHigh2 are one scene
    return Noise(name, scene, _is_wide(mono), mono)


def _high_pass(samples: np.ndarray) -> np.ndarray:
    """Take away what lies below 50 Hz: rumble and offsets would count as noise and not be heard."""
    spectrum = np.fft.rfft(samples)
    spectrum[: len(samples) * 50 // RATE] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def _is_wide(samples: np.ndarray) -> bool:
    """Say whether a noise has at least -40 dB of its power above 6 kHz."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    return bool(power[len(power) * 6000 * 2 // RATE :].sum() > 1e-4 * power.sum())


def _catalogue(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the sounds of an OpenTTD catalogue: (offset, size) pairs, then name and WAV each."""
    count = (struct.unpack_from("<I", content)[0] & 0x7FFFFFFF) // 8
    for entry in range(count):
        offset, size = struct.unpack_from("<II", content, 8 * entry)
        offset &= 0x7FFFFFFF
        start = offset + 1 + content[offset]
        title = content[offset + 1 : start].split(b'"')[1].decode("latin-1")
        wav = content.index(b"RIFF", start, start + size)
        length = struct.unpack_from("<I", content, wav + 4)[0]
        yield f"{title}.wav", content[wav : wav + 8 + length]


def _resources(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the noises of a Qt resource file: a tree of nodes, names in UTF-16, packed data."""
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", content)
    if magic != b"qres":
        return
    step = 14 if version < 2 else 22

    def walk(node: int, path: str) -> Iterator[tuple[str, bytes]]:
        at = tree + node * step
        name_at, flags = struct.unpack_from(">IH", content, at)
        if node:
            length = struct.unpack_from(">H", content, names + name_at)[0]
            start = names + name_at + 6
            path += "/" + content[start : start + 2 * length].decode("utf-16-be")
        if flags & 2:
            count, child = struct.unpack_from(">II", content, at + 6)
            for number in range(child, child + count):
                yield from walk(number, path)
        elif _RESOURCE.search(path):
            place = data + struct.unpack_from(">I", content, at + 10)[0]
            size = struct.unpack_from(">I", content, place)[0]
            yield path.rsplit("/", 1)[-1], _unpack(content[place + 4 : place + 4 + size], flags)

    yield from walk(0, "")


def _unpack(packed: bytes, flags: int) -> bytes:
    """Undo the packing of one resource: zlib after a length word, zstandard, or none."""
    if flags & 1:
        return zlib.decompress(packed[4:])
    return zstandard.decompress(packed) if flags & 4 else packed
