"""VoiceBank-DEMAND with 28 speakers (https://doi.org/10.7488/ds/2117), and what stands in for it.

    python local/data.py --corpus official|mini|synthetic|FOLDER --downloads downloads

Whatever the corpus, it lies on disk as the official one does, so `rows` is the same for all.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffaudio import provenance
from diffaudio.files import exclusive, read_json
from diffaudio.log import Refusal, setup_log

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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    add = parser.add_argument
    add("--corpus", default="mini", help="official, mini, synthetic or a folder")
    add("--downloads", type=Path, default=Path("downloads"), help="folder for what is downloaded")
    truth = ("true", "false")
    add("--force", nargs="?", const="true", default="false", choices=truth, help="make it again")
    options = parser.parse_args(argv)
    setup_log()
    try:
        folder = Path(options.corpus)
        if options.corpus in MADE:
            folder = options.downloads / options.corpus
            _make(options.corpus, folder, options.downloads, force=options.force == "true")
        _check(folder)
    except Refusal as refusal:
        print(f"local/data.py: {refusal}", file=sys.stderr)
        return int(refusal.code)
    print(folder)
    return 0


_AsWritten = argparse.RawDescriptionHelpFormatter


def _make(name: str, folder: Path, downloads: Path, *, force: bool) -> None:
    """Make a corpus in `folder` unless it is there: official.py, mini.py or synthetic.py does."""
    with exclusive(folder):
        must_run = provenance.begin(
            folder,
            stage="corpus",
            version=1,
            keys={"corpus": name},
            inputs={},
            force=force,
            outputs=(*FOLDERS, "logfiles", "log_*.txt", "corpus.json", "CREDITS.txt"),
        )
        if must_run:
            importlib.import_module(name).make(folder, downloads)
            provenance.finish(folder)


def _check(folder: Path) -> None:
    """Refuse a folder that is not laid out as the official corpus, naming what is missing."""
    if missing := [name for name in FOLDERS if not (folder / name).is_dir()]:
        raise Refusal(
            f"{folder}: has no {', '.join(missing)}",
            mend=f"--corpus takes {', '.join(MADE)}, or a folder that holds {', '.join(FOLDERS)}",
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
