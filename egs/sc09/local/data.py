"""Spoken digits of Speech Commands v0.02 (https://arxiv.org/abs/1804.03209), and stand-ins for it.

    python local/data.py --corpus official|mini|synthetic|FOLDER --downloads downloads

Whatever the corpus, it lies on disk as the official one does, so `rows` is the same for all.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffaudio.corpus import stage
from diffaudio.files import read_json

MADE = ("official", "mini", "synthetic")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LISTS = {"valid": "validation_list.txt", "test": "testing_list.txt"}  # the rest is for training
DISJOINT = {"test": ["speaker"]}  # no speaker of the test is in another split


def rows(corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield one row per clip: id, split, audio, label, speaker; source, real or synthetic; voice.

    The official corpus is real and names its speakers by hashes; one that was made here says in
    speakers.json who they are.
    """
    about = corpus / "speakers.json"
    known = read_json(about) if about.is_file() else {}
    split_of = {
        line.strip(): split
        for split, name in LISTS.items()
        for line in (corpus / name).read_text(encoding="utf-8").splitlines()
    }
    folders = [sorted((corpus / word).glob("*.wav")) for word in WORDS]
    for paths in itertools.zip_longest(*folders):  # in turn: the first rows have every word
        for word, path in zip(WORDS, paths, strict=True):
            if path is None:
                continue
            name, speaker = f"{word}/{path.name}", path.stem.split("_nohash_")[0]
            yield {
                "id": f"{word}_{path.stem}",
                "split": split_of.get(name, "train"),
                "audio": {"speech": name},
                "label": word,
                "speaker": speaker,
                **known.get(speaker, {"source": "real"}),
            }


def main(argv: list[str]) -> int:
    """Stage 0: bring a corpus to disk, or check one that is there, and print its folder."""
    needed = (*WORDS, *LISTS.values())
    texts = ("speakers.json", "corpus.json", "CREDITS.txt", "README.md", "LICENSE")
    outputs = (*needed, *texts)
    return stage.main(argv, about=__doc__ or "", made=MADE, outputs=outputs, needed=needed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
