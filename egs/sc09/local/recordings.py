"""Real spoken digits inside Debian packages: English, four people, ten words each.

The packages hold digits of two dozen other languages too. They are left out: a Russian seven is
no `seven`, to a recogniser of English or to a model that is told the word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from clips import RATE, Digit, Speaker
from data import WORDS

from diffaudio.corpus.debian import FALLBACK
from diffaudio.corpus.decode import decode
from diffaudio.log import Refusal

__all__ = ["PACKAGES", "digits"]

# voice: package, files; the first group is the digit
_PLACES = {
    "allison": ("asterisk-core-sounds-en-g722", r"/digits/(\d)\.g722$"),
    "dawson": ("saytime", r"/saytime/(\d)\.au$"),
    "tuxpaint": ("tuxpaint-stamps-default", r"/symbols/math/(\d)\.ogg$"),
    "tuxpaint-gb": ("tuxpaint-stamps-default", r"/symbols/math/(\d)_en_GB\.ogg$"),
}
PACKAGES = {
    package: "|".join(files for name, files in _PLACES.values() if name == package)
    for package, _ in _PLACES.values()
}


def digits(packages: Mapping[str, Mapping[str, bytes]]) -> Iterator[Digit]:
    """Yield every recording, for the test.

    Args:
        packages: name to path and content.

    Raises:
        Refusal: a digit of a speaker is not there.
    """
    for voice, (package, files) in _PLACES.items():
        held = {
            int(match[1]): (path, content)
            for path, content in packages[package].items()
            if (match := re.search(files, path))
        }
        speaker = Speaker(voice, "test", "real")
        for number, word in enumerate(WORDS):
            if number not in held:
                raise Refusal(f"{package}: has no recording of {number}", mend=FALLBACK)
            path, content = held[number]
            yield Digit(speaker, word, decode(path, content, RATE))
