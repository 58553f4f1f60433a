"""The mini corpus: real speech and real noise out of Debian packages, in a minute.

Speech: telephone prompts by three people to train on (two women, one man; English, Spanish, French,
Italian) and a fourth, Russian, for the test. Noise: scenes of games, babble, speech-shaped noise.
All at 16 kHz, the speech up to 7 kHz; the official corpus has 48 kHz. Figures on it say how systems
compare with each other and must not stand beside figures on VoiceBank-DEMAND.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mixtures import Voice, deal, write
from sounds import NOISE_PACKAGES, SPEAKERS, SPEECH_PACKAGES, noises, prompts

from diffaudio.corpus.debian import credits_of, fetch, read
from diffaudio.files import write_json, write_text
from diffaudio.log import Refusal, log

__all__ = ["LABEL", "make"]

LABEL = "mini (real speech and noise; not VoiceBank-DEMAND)"
FEWEST_NOISES = 100
PARTS = {"ru": "test", "fr": "valid"}  # the other languages are trained on


def make(folder: Path, downloads: Path) -> None:
    """Fetch the packages and write the corpus.

    Args:
        folder: the corpus.
        downloads: the packages are kept in its folder `packages`, 190 MB.

    Raises:
        Refusal: the packages cannot be had; see `packages.fetch`.
    """
    patterns = {**SPEECH_PACKAGES, **NOISE_PACKAGES}
    files = fetch(list(SPEECH_PACKAGES), list(NOISE_PACKAGES), downloads / "packages")
    log.info("reading %d packages", len(files))
    with ThreadPoolExecutor(2) as pool:
        contents = pool.map(lambda name: read(files[name], patterns[name]), files)
        packages = dict(zip(files, contents, strict=True))
    voices = [
        Voice(speaker, tongue, PARTS.get(tongue, "train"), prompts(packages, tongue))
        for tongue, speaker in SPEAKERS.items()
    ]
    recorded = noises(packages)
    if len(recorded) < FEWEST_NOISES:
        raise Refusal(
            f"only {len(recorded)} noises in {', '.join(sorted(set(files) & set(NOISE_PACKAGES)))}",
            mend="use --corpus synthetic, or a distribution that has the packages named above",
        )
    log.info("mixing")
    write(deal(voices, recorded), folder)
    _write_credits(folder, files, packages)
    write_json(
        folder / "corpus.json",
        {
            "label": LABEL,
            "comparable": False,
            "packages": {name: path.name for name, path in sorted(files.items())},
            "valid": [f"{SPEAKERS[tongue]}_9" for tongue in PARTS if PARTS[tongue] == "valid"],
        },
    )


def _write_credits(
    folder: Path, files: Mapping[str, Path], packages: Mapping[str, Mapping[str, bytes]]
) -> None:
    """Write CREDITS.txt: a list of the packages, then the credits that each one carries."""
    names = "\n".join(f"  {files[name].name}" for name in sorted(files))
    parts = [
        "The speech and the noise of this corpus come out of these Debian packages, changed\n"
        "(resampled, cut, joined, mixed). Their authors and licences follow; keep this file with\n"
        f"whatever is made of the corpus.\n\n{names}\n"
    ]
    told = set(files) - {f"{name}-g722" for name in files}
    parts += credits_of({name: packages[name] for name in told})
    write_text(folder / "CREDITS.txt", "\n".join(parts))
