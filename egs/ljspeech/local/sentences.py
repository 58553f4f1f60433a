"""Sentences of English prose to be spoken: six novels by Jane Austen, in the public domain.

They come in the Debian package r-cran-janeaustenr (Julia Silge, after Project Gutenberg), which
keeps them as R keeps data: vectors of lines, packed one after another.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator, Sequence

from spoken import key

from diffaudio.corpus.debian import FALLBACK
from diffaudio.log import Refusal

__all__ = ["PACKAGE", "PATTERN", "digest", "lines", "sentences"]

PACKAGE, PATTERN = "r-cran-janeaustenr", r"/data/Rdata\.rdb$"
SHORTEST, LONGEST = 20, 150  # letters and signs of a sentence
# Words whose dot ends no sentence, as they are spoken.
TITLES = {"Mr": "Mister", "Mrs": "Missus", "Dr": "Doctor", "St": "Saint", "Messrs": "Messers"}
_TITLE = re.compile(rf"\b({'|'.join(TITLES)})\.")
_PLAIN = re.compile(r"[A-Z][A-Za-z ,;:'-]+[.?!]")
_STRING, _VECTOR = 9, 16  # types of R's serialisation: CHARSXP, STRSXP


def sentences(content: bytes) -> list[str]:
    """Return the sentences of the novels that are fit to be read aloud, each one once.

    They are of letters and common marks alone, without quotes, which are taken away where they
    stand around a whole sentence. Their order is that of digests: any number of the first ones are
    a fair sample.

    Args:
        content: of the file that `PATTERN` matches.
    """
    found: dict[str, str] = {}
    for book in lines(content):
        for paragraph in _paragraphs(book):
            for sentence in _split(paragraph):
                if SHORTEST <= len(sentence) <= LONGEST and _fit(sentence):
                    found.setdefault(key(sentence), sentence)
    return sorted(found.values(), key=digest)


def digest(text: str) -> str:
    """Return ten hexadecimal digits that stand for a text."""
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _fit(sentence: str) -> bool:
    plain = _PLAIN.fullmatch(sentence) and "--" not in sentence
    return bool(plain) and not re.search(
        r"\b([A-Z]{2,}|[B-HJ-Z])\b", sentence
    )  # no CHAPTER, no Mr. K


def _split(paragraph: str) -> Iterator[str]:
    """Yield sentences: what ends in a mark before a capital."""
    text = _TITLE.sub(lambda title: TITLES[title[1]], paragraph.replace("_", ""))
    for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z\"])|(?<=[.?!]\")\s+", text):
        yield sentence.strip().strip('"').strip()


def _paragraphs(book: Sequence[str]) -> Iterator[str]:
    """Yield what stands between empty lines, as one line each."""
    held: list[str] = []
    for line in [*book, ""]:
        if line.strip():
            held.append(line.strip())
        elif held:
            yield " ".join(held)
            held = []


def lines(content: bytes) -> Iterator[list[str]]:
    """Yield each book of an R database as its lines.

    The format is R's own (R Internals, sections 1.8 and 1.17): blocks of a size and zlib data; in
    each, version 3 of the serialisation in big-endian order, a vector of strings.

    Raises:
        Refusal: it is something else.
    """
    at = 0
    try:
        while at < len(content):
            inflate = zlib.decompressobj()
            block = inflate.decompress(content[at + 4 :])
            if not inflate.eof:
                raise ValueError("cut off")
            at = len(content) - len(inflate.unused_data)
            yield _vector(block)
    except (zlib.error, struct.error, ValueError) as error:
        raise Refusal(
            f"{PACKAGE}: its books are not in the format that is known ({error})", mend=FALLBACK
        ) from error


def _vector(block: bytes) -> list[str]:
    """Return the strings of a serialised vector."""
    mark, version, _, _, named = struct.unpack_from(">2s4i", block)
    kind, count = struct.unpack_from(">2i", block, 18 + named)
    if (mark, version, kind & 0xFF) != (b"X\n", 3, _VECTOR):
        raise ValueError(f"{mark!r}, version {version}, type {kind & 0xFF}")
    at, found = 26 + named, []
    for _ in range(count):
        kind, size = struct.unpack_from(">2i", block, at)
        if kind & 0xFF != _STRING:
            raise ValueError(f"type {kind & 0xFF} among strings")
        at += 8 + max(size, 0)  # -1: a string that is not there
        found.append(block[at - max(size, 0) : at].decode("utf-8"))
    if at > len(block):
        raise ValueError("a string is cut off")
    return found
