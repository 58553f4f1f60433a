"""The mini corpus: twenty minutes by one person, telephone prompts out of Debian packages.

Allison Smith speaks the prompts of Asterisk, G.722 at 16 kHz with a band up to 7 kHz; LJSpeech has
24 hours of books at 22.05 kHz. Figures on it say how systems compare with each other and must not
stand beside figures on LJSpeech.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from layout import Entry, save, write_tables
from pauses import cut, marks, trimmed
from spoken import key, spoken, weight

from diffaudio.corpus.debian import credits_of, fetch, read
from diffaudio.corpus.decode import g722
from diffaudio.files import write_json, write_text
from diffaudio.log import log

__all__ = ["LABEL", "PACKAGES", "make", "utterances"]

LABEL = "mini (one person's telephone prompts; not LJSpeech)"
SPEAKER, RATE = "allison", 16000
PACKAGES = {
    "asterisk-core-sounds-en": r"/core-sounds-en\.txt\.gz$",
    "asterisk-core-sounds-en-g722": r"\.g722$",
}
SHORTEST, LONGEST = 0.7, 12.0  # seconds of an utterance
CUT = 10.0  # seconds; longer recordings are cut
HELD_OUT = {"test": 64, "valid": 24}  # utterances, of which none has a text of another split,
WORDS = 4  # and none fewer words: one or two say little of how a system speaks


@dataclass(frozen=True)
class Utterance:
    """A sentence or a few: id, transcript as the package has it, (n,) samples at 16 kHz."""

    id: str
    raw: str
    samples: np.ndarray


def make(folder: Path, downloads: Path) -> None:
    """Fetch the packages and write the corpus; left_out.txt names what was not used, and why.

    Args:
        folder: the corpus.
        downloads: the packages are kept in its folder `packages`, 11 MB.

    Raises:
        Refusal: the packages cannot be had; see `debian.fetch`.
    """
    files = fetch(list(PACKAGES), [], downloads / "packages")
    packages = {name: read(path, PACKAGES[name]) for name, path in files.items()}
    log.info("decoding and cutting")
    left_out: list[str] = []
    found = list(utterances(packages, left_out))
    split_of = _deal(found)
    for each in found:
        save(folder, each.id, each.samples, RATE)
    write_tables(folder, [Entry(u.id, u.raw, spoken(u.raw), split_of[u.id]) for u in found])
    write_text(folder / "left_out.txt", "".join(f"{line}\n" for line in sorted(left_out)))
    log.info("%d utterances; %d left out: left_out.txt", len(found), len(left_out))
    write_text(folder / "CREDITS.txt", _credits(files, packages))
    held = {name: path.name for name, path in sorted(files.items())}
    about = {"label": LABEL, "comparable": False, "speaker": SPEAKER, "packages": held}
    write_json(folder / "corpus.json", about)


def utterances(
    packages: Mapping[str, Mapping[str, bytes]], left_out: list[str]
) -> Iterator[Utterance]:
    """Yield what is spoken, by id, and add what is left out, and why, to `left_out`.

    Args:
        packages: name to path and content.
        left_out: lines `prompt: reason`.
    """
    texts = _transcripts(packages["asterisk-core-sounds-en"])
    recorded = {
        re.sub(r"^.*/sounds/[^/]+/|\.g722$", "", path): content
        for path, content in packages["asterisk-core-sounds-en-g722"].items()
        if path.endswith(".g722")
    }
    left_out += [f"{name}: no recording" for name in texts.keys() - recorded.keys()]
    known: dict[bytes, str] = {}
    for name, content in sorted(recorded.items()):
        raw = texts.get(name, "")
        if content in known:
            left_out.append(f"{name}: the same recording as {known[content]}")
        elif not raw or raw[0] in "[<(":
            left_out.append(f"{name}: {raw or 'no transcript'}: not speech")
        elif "(" in raw:
            left_out.append(f"{name}: {raw}: a note in the transcript")
        else:
            known[content] = name
            yield from _of_prompt(name, raw, g722(content), left_out)


def _transcripts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return text by name of the prompt."""
    [packed] = [content for path, content in files.items() if path.endswith(".txt.gz")]
    found = {}
    for line in gzip.decompress(packed).decode("utf-8-sig").splitlines():
        name, colon, text = line.partition(":")
        if colon and not line.startswith(";"):
            found[name.strip()] = " ".join(text.split())
    return found


def _of_prompt(
    name: str, raw: str, samples: np.ndarray, left_out: list[str]
) -> Iterator[Utterance]:
    """Yield a prompt, or what a long one is cut into."""
    own = name.replace("/", "_")
    pieces = [(own, raw, trimmed(samples, RATE))]
    if len(pieces[0][2]) > CUT * RATE:
        pieces = []
        for number, piece in enumerate(cut(samples, RATE, marks(raw), weight, longest=LONGEST), 1):
            if piece.doubtful:
                left_out.append(f"{name}: {piece.text}: not sure to be where it was cut")
            else:
                pieces.append((f"{own}_{number:02}", piece.text, piece.samples))
    for identity, text, part in pieces:
        seconds = len(part) / RATE
        if SHORTEST <= seconds <= LONGEST:
            yield Utterance(identity, text, part)
        else:
            left_out.append(f"{identity}: {text}: {seconds:.2f} s")


def _deal(found: Sequence[Utterance]) -> dict[str, str]:
    """Return split by id: texts in the order of their digests go to the test, then to valid."""
    texts = {each.id: key(spoken(each.raw)) for each in found}
    often = Counter(texts.values())
    long = {text for text in often if len(text.split()) >= WORDS}
    ranked = sorted(long, key=lambda text: hashlib.blake2b(text.encode()).digest())
    split_of: dict[str, str] = {}
    for split, wanted in HELD_OUT.items():
        count = 0
        while ranked and count < wanted:
            text = ranked.pop(0)
            split_of[text] = split
            count += often[text]
    return {name: split_of.get(text, "train") for name, text in texts.items()}


def _credits(files: Mapping[str, Path], packages: Mapping[str, Mapping[str, bytes]]) -> str:
    """Return CREDITS.txt: where the speech comes from, then what the packages say of themselves."""
    names = "\n".join(f"  {path.name}" for _, path in sorted(files.items()))
    head = (
        "The speech of this corpus is Allison Smith's, prompts of Asterisk out of these Debian\n"
        "packages, CC BY-SA 3.0, changed (decoded, cut, silence taken away); transcripts as they\n"
        "come with them, numbers written in words. Authors and licences follow; keep this file\n"
        f"with whatever is made of the corpus.\n\n{names}\n"
    )
    return "\n".join([head, *credits_of({name: packages[name] for name in [min(packages)]})])
