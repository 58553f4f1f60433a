"""VoiceBank-DEMAND with 28 speakers (https://doi.org/10.7488/ds/2117), and what stands in for it.

    python local/data.py --corpus official|mini|synthetic|FOLDER --downloads downloads

Whatever the corpus, it lies on disk as the official one does, so `rows` is the same for all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffaudio.corpus import stage
from diffaudio.files import read_json

MADE = ("official", "mini", "synthetic")
SETS = {"train": "trainset_28spk", "test": "testset"}
FOLDERS = [f"{role}_{name}_wav" for name in SETS.values() for role in ("clean", "noisy")]
VALID = [
    "p226_",
    "p287_",
]  # two speakers held out of training: their voices choose the best checkpoint
DISJOINT = {"test": ["speaker"]}  # no speaker of the test is in another split


def rows(corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield one row per utterance: id, split, audio by role, speaker, noise and SNR."""
    about = corpus / "corpus.json"  # a corpus that was made here may name others
    valid = tuple(read_json(about).get("valid", VALID) if about.is_file() else VALID)
    for split, name in SETS.items():
        noises = dict(_noises(corpus / f"log_{name}.txt"))
        folders = {role: corpus / f"{role}_{name}_wav" for role in ("clean", "noisy")}
        names = {path.name for folder in folders.values() for path in folder.glob("*.wav")}
        for file in sorted(names):
            stem = file.removesuffix(".wav")
            yield {
                "id": stem,
                "split": "valid" if split == "train" and stem.startswith(valid) else split,
                "audio": {role: f"{folder.name}/{file}" for role, folder in folders.items()},
                "speaker": stem.split("_")[0],
                **noises.get(stem, {}),
            }


def _noises(log_file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield utterance, noise and SNR (dB) from one of the corpus's log files, if it is there."""
    if log_file.is_file():
        for line in log_file.read_text(encoding="utf-8").splitlines():
            if len(words := line.split()) == 3:
                yield words[0], {"noise": words[1], "snr": float(words[2])}


def main(argv: list[str]) -> int:
    """Stage 0: bring a corpus to disk, or check one that is there, and print its folder."""
    outputs = (*FOLDERS, "logfiles", "log_*.txt", "corpus.json", "CREDITS.txt")
    return stage.main(argv, about=__doc__ or "", made=MADE, outputs=outputs, needed=FOLDERS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
