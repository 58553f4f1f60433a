"""From prompts and noises to a corpus in VoiceBank-DEMAND's layout: three parts, mixed and written.

Follows Valentini-Botinhao et al., "Investigating RNN-based speech enhancement methods for
noise-robust text-to-speech" (SSW 2016) in its signal-to-noise ratios (0, 5, 10, 15 dB for training;
2.5, 7.5, 12.5, 17.5 dB for the test), in its two artificial noises (babble and speech-shaped) and
in a test whose speakers and noises are unseen. Every draw belongs to the name of an utterance, so a
corpus comes out the same each time.

Many recorded noises end below 6 kHz. So that no model learns that all above is speech, each is
mixed with a second noise that does not: babble or speech-shaped noise in half of the mixtures, a
wide-band recording in the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

__all__ = ["RATE", "Noise", "Part", "Voice", "deal", "draw", "level", "mix", "utterances", "write"]

RATE = 16000
KINDS = ("babble", "ssn", "scene+babble", "scene+ssn", *(4 * ("scene+wide",)))
TALKERS = 6  # voices in a babble
SHORTEST, LONGEST = 2.0, 12.0  # seconds of an utterance
PAUSE = 0.25  # seconds between prompts that share an utterance
FRAME = RATE // 50
PEAK = 0.98  # a mixture above it is scaled down, and its clean speech alike
TEST_UTTERANCES = 128
VALID = 900  # numbers of validation utterances follow
BABBLE_SHARE, VALID_SHARE = 0.08, 0.2  # of a voice's prompts


@dataclass(frozen=True)
class Voice:
    """The prompts of one person in one language, and whether they go to train, valid or test."""

    speaker: str
    tongue: str
    part: str
    prompts: Sequence[np.ndarray]


@dataclass(frozen=True)
class Noise:
    """A noise: its name, the scene it belongs to, whether it reaches above 6 kHz, its samples."""

    name: str
    scene: str
    wide: bool
    samples: np.ndarray


@dataclass
class Part:
    """One of train, valid and test: its utterances by name, and what is mixed into them."""

    snrs: tuple[float, ...]  # dB
    speech: dict[str, np.ndarray] = field(default_factory=dict)
    scenes: list[Noise] = field(default_factory=list)
    talkers: dict[str, list[np.ndarray]] = field(default_factory=dict)


def draw(*words: str) -> np.random.Generator:
    """Return the random generator that belongs to `words`, the same on every machine."""
    key = hashlib.blake2b("/".join(words).encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(key, "little"))


def deal(voices: Sequence[Voice], noises: Sequence[Noise]) -> dict[str, Part]:
    """Deal prompts and noises out to train, valid and test.

    No prompt and no scene is in two parts. Babble in valid and test is made of prompts that were
    set aside from the training voices.

    Args:
        voices: those of part `test` are in no other part; those of part `valid` lend a fifth of
            their prompts to validation and are trained on otherwise.
        noises: a fifth of the scenes of each source (what precedes the dash of the name) goes to
            the test, a tenth to validation.
    """
    low, high = (0.0, 5.0, 10.0, 15.0), (2.5, 7.5, 12.5, 17.5)
    parts = {"train": Part(low), "valid": Part(low), "test": Part(high)}
    for voice in voices:
        order = draw("prompts", voice.speaker, voice.tongue).permutation(len(voice.prompts))
        prompts = [voice.prompts[number] for number in order]
        if voice.part == "test":
            parts["test"].speech |= _named(f"{voice.speaker}_", utterances(prompts), 1)
        else:
            _deal_voice(parts, voice, prompts)
    parts["test"].speech = dict(list(parts["test"].speech.items())[:TEST_UTTERANCES])
    scenes = sorted({noise.scene for noise in noises})
    for source in sorted({scene.split("-")[0] for scene in scenes}):
        own = [scene for scene in scenes if scene.split("-")[0] == source]
        for place, number in enumerate(draw("scenes", source).permutation(len(own))):
            name = "test" if place % 5 == 0 else "valid" if place % 10 == 1 else "train"
            parts[name].scenes += [noise for noise in noises if noise.scene == own[number]]
    return parts


def _deal_voice(parts: dict[str, Part], voice: Voice, prompts: list[np.ndarray]) -> None:
    """Deal the shuffled prompts of a voice that is trained on."""
    share = int(BABBLE_SHARE * len(prompts))
    for name in ("test", "valid"):
        parts[name].talkers.setdefault(voice.speaker, []).extend(prompts[:share])
        prompts = prompts[share:]
    if voice.part == "valid":
        share = int(VALID_SHARE * len(prompts))
        valid = utterances(prompts[:share])
        parts["valid"].speech |= _named(f"{voice.speaker}_", valid, VALID + 1)
        prompts = prompts[share:]
    parts["train"].talkers.setdefault(voice.speaker, []).extend(prompts)
    parts["train"].speech |= _named(f"{voice.speaker}_{voice.tongue}", utterances(prompts), 1)


def _named(head: str, speech: Iterator[np.ndarray], first: int) -> dict[str, np.ndarray]:
    return {f"{head}{number:03d}": x for number, x in enumerate(speech, first)}


def utterances(prompts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield utterances of 2 to 12 s: long prompts are cut at pauses, short ones are joined."""
    pause = np.zeros(int(PAUSE * RATE), np.float32)
    held: list[np.ndarray] = []
    for prompt in prompts:
        for piece in _pieces(prompt):
            if len(piece) >= SHORTEST * RATE:
                yield piece
                continue
            held += [pause, piece] if held else [piece]
            if sum(map(len, held)) >= SHORTEST * RATE:
                yield np.concatenate(held)
                held = []


def _pieces(prompt: np.ndarray) -> Iterator[np.ndarray]:
    """Cut a prompt above 12 s where it is quietest between 4 and 10 s, again and again."""
    hop = RATE // 10
    while len(prompt) > LONGEST * RATE:
        frames = prompt[4 * RATE : 10 * RATE].reshape(-1, hop)
        cut = 4 * RATE + hop * int((frames**2).sum(axis=1).argmin()) + hop // 2
        yield prompt[:cut]
        prompt = prompt[cut:]
    yield prompt


def level(speech: np.ndarray) -> float:
    """Return the power of the active speech: 20 ms frames within 40 dB of the loudest."""
    frames = speech[: len(speech) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    power = (frames**2).mean(axis=1)
    return float(power[power >= 1e-4 * power.max()].mean())


def mix(clean: np.ndarray, noise: np.ndarray, snr: float) -> tuple[np.ndarray, np.ndarray]:
    """Return clean and noisy speech, the noise `snr` dB below the active speech, none clipped."""
    gain = np.sqrt(level(clean) / (noise**2).mean() * 10 ** (-snr / 10))
    noisy = clean + gain * noise
    scale = min(1.0, PEAK / np.abs(noisy).max())
    return scale * clean, scale * noisy


def noise_for(part: Part, name: str, kind: str, length: int) -> tuple[str, np.ndarray]:
    """Return description and samples of the noise of one utterance; its name decides every draw."""
    random = draw("noise", name)
    labels: list[str] = []
    total = np.zeros(length)
    for component in kind.split("+"):
        label, noise = component, np.zeros(0)
        if component == "babble":
            noise = _babble(part, name.split("_")[0], length, random)
        elif component == "ssn":
            noise = _speech_shaped(part, length, random)
        else:
            label, noise = _scene(part, length, random, wide=component == "wide")
        below = random.uniform(0, 10) if labels else 0.0  # dB
        total += 10 ** (-below / 20) * _unit(noise)
        labels.append(label)
    return "+".join(labels), total


def _unit(noise: np.ndarray) -> np.ndarray:
    """Scale a noise to power 1."""
    power = float((noise.astype(np.float64) ** 2).mean())
    scaled: np.ndarray = noise / (power + 1e-12) ** 0.5
    return scaled


def _babble(part: Part, speaker: str, length: int, random: np.random.Generator) -> np.ndarray:
    """Return the sum of six talkers of equal level; none is the speaker."""
    others = [voice for voice in sorted(part.talkers) if voice != speaker]
    total = np.zeros(length)
    for number in range(TALKERS):
        voice = part.talkers[others[number % len(others)]]
        chosen = random.permutation(len(voice))[: 2 + length // (2 * RATE)]
        total += _unit(_loop(np.concatenate([voice[i] for i in chosen]), length, random))
    return total


def _speech_shaped(part: Part, length: int, random: np.random.Generator) -> np.ndarray:
    """Return white noise with the long-term average spectrum of twenty prompts."""
    prompts = [prompt for voice in sorted(part.talkers) for prompt in part.talkers[voice]]
    chosen = np.concatenate([prompts[i] for i in random.permutation(len(prompts))[:20]])
    frames = chosen[: len(chosen) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    spectrum = np.sqrt((np.abs(np.fft.rfft(frames, axis=1)) ** 2).mean(axis=0))
    white = np.fft.rfft(random.standard_normal(length))
    bins = np.linspace(0, len(spectrum) - 1, len(white))
    shaped: np.ndarray = white * np.interp(bins, np.arange(len(spectrum)), spectrum)
    return np.fft.irfft(shaped, length)


def _scene(
    part: Part, length: int, random: np.random.Generator, *, wide: bool
) -> tuple[str, np.ndarray]:
    """Return the name and a stretch of one of the part's noises."""
    scenes = [noise for noise in part.scenes if noise.wide or not wide]
    noise = scenes[int(random.integers(len(scenes)))]
    return noise.name, _loop(noise.samples, length, random)


def _loop(samples: np.ndarray, length: int, random: np.random.Generator) -> np.ndarray:
    """Repeat a sound without a click where it begins again, from a random place."""
    fade = min(RATE // 10, len(samples) // 4)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    ring = samples[fade:].copy()
    ring[-fade:] = ring[-fade:] * np.sqrt(1 - ramp) + samples[:fade] * np.sqrt(ramp)
    start = int(random.integers(len(ring)))
    looped: np.ndarray = np.take(ring, np.arange(start, start + length), mode="wrap")
    return looped


def write(parts: Mapping[str, Part], folder: Path) -> None:
    """Write the four folders and the two log files (name, noise, SNR) of the official corpus."""
    for official, names in {"trainset_28spk": ("train", "valid"), "testset": ("test",)}.items():
        folders = [folder / f"{role}_{official}_wav" for role in ("clean", "noisy")]
        for each in folders:
            each.mkdir(parents=True, exist_ok=True)
        lines = []
        for part in (parts[name] for name in names):
            for number, (name, speech) in enumerate(sorted(part.speech.items())):
                snr = part.snrs[number % len(part.snrs)]
                kind = KINDS[number // len(part.snrs) % len(KINDS)]
                label, noise = noise_for(part, name, kind, len(speech))
                for each, samples in zip(folders, mix(speech, noise, snr), strict=True):
                    soundfile.write(each / f"{name}.wav", samples, RATE, subtype="PCM_16")
                lines.append(f"{name} {label} {snr:g}\n")
        (folder / f"log_{official}.txt").write_text("".join(lines), encoding="utf-8")
