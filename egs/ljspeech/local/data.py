"""LJSpeech-1.1 (https://keithito.com/LJ-Speech-Dataset/), one speaker, and what stands in for it.

    python local/data.py --corpus official|mini|synthetic|FOLDER --downloads downloads [--hours 4]

Whatever the corpus, it lies on disk as the official one does, so `rows` is the same for all:
`metadata.csv`, lines of `id|text|text with numbers in words`, and `wavs/<id>.wav`.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffaudio.corpus import stage
from diffaudio.files import read_json
from diffaudio.log import Refusal

MADE = ("official", "mini", "synthetic")
TABLE, WAVS = "metadata.csv", "wavs"
LISTS = {"test": "test.txt", "valid": "valid.txt"}  # optional; an id a line, the rest trains
SPEAKER = "LJ"  # of the official corpus; one that was made here says in corpus.json who speaks
SHOWN = 10  # kinds of wrong lines that a message names
DISJOINT = {"test": ["text"]}  # no sentence of the test is in another split
# Sizes of the test and the validation, of 13,100: those of the file lists of NVIDIA's Tacotron 2,
# which Grad-TTS (arXiv:2105.06337) and many others use: 12,500 to train on, 100, 500. Which ids
# these lists have cannot be had by a rule; put beside metadata.csv, as test.txt and valid.txt,
# they are used (their lines are `folder/<id>.wav|text`).
SIZES, WHOLE = {"test": 500, "valid": 100}, 13100


@dataclass(frozen=True)
class Line:
    """A line of metadata.csv: where it stands, its id, the text as written and as spoken."""

    number: int
    id: str
    raw: str
    text: str


def rows(corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield one row per utterance: id, split, audio, text (as spoken), raw (as written), speaker.

    Raises:
        Refusal: metadata.csv has a line that is none, or it and wavs/ do not name the same
            utterances, or a list names one that is not there.
    """
    about = corpus / "corpus.json"
    speaker = read_json(about).get("speaker", SPEAKER) if about.is_file() else SPEAKER
    lines = read_table(corpus / TABLE)
    _match(corpus, lines)
    split_of = _listed(corpus, lines) or by_rule(lines)
    for line in lines:
        yield {
            "id": line.id,
            "split": split_of.get(line.id, "train"),
            "audio": {"speech": f"{WAVS}/{line.id}.wav"},
            "text": line.text,
            "raw": line.raw,
            "speaker": speaker,
        }


def read_table(path: Path) -> list[Line]:
    """Return the lines of metadata.csv. Quotes have no meaning in it: they belong to the text.

    Raises:
        Refusal: lines have not two or three fields, an empty one, an id again, or are no UTF-8;
            the first of each kind are named.
    """
    found: dict[str, Line] = {}
    faults: list[tuple[int, str]] = []
    for number, content in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            name, raw, *words = _fields(content)
        except ValueError as error:
            faults.append((number, str(error)))
            continue
        if name in found:
            faults.append((number, f"{name} is also in line {found[name].number}"))
        else:
            found[name] = Line(number, name, raw, "".join(words) or raw)
    if faults:
        raise _bad(path, *faults)
    return list(found.values())


def _fields(content: bytes) -> list[str]:
    """Return the fields of a line.

    Raises:
        ValueError: it is none, with a word on why.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8: save the file in UTF-8") from error
    fields = [field.strip() for field in text.split("|")]
    wanted = "id|text or id|text|text in words"
    if not text.strip():
        raise ValueError("is blank")
    if len(fields) not in (2, 3):
        raise ValueError(f"has {text.count('|')} signs |, not one or two ({wanted}): {text[:60]!r}")
    if not all(fields[:2]):
        raise ValueError(f"has no {'text' if fields[0] else 'id'} ({wanted}): {text[:60]!r}")
    return fields


def _bad(path: Path, *faults: tuple[int, str]) -> Refusal:
    """Return what is said of wrong lines: of the first ones, and how many more there are."""
    alike: dict[str, list[int]] = {}
    for number, what in faults:
        alike.setdefault(what, []).append(number)
    told = [
        f"{path}, line {numbers[0]}: {what}{_and_more(numbers)}"
        for what, numbers in list(alike.items())[:SHOWN]
    ]
    more = [f"and {len(alike) - SHOWN} other ones"] if len(alike) > SHOWN else []
    mend = (
        "correct the lines, or take them out" if len(faults) > 1 else "correct it, or take it out"
    )
    return Refusal("\n  ".join([*told, *more]), mend=mend)


def _match(corpus: Path, lines: list[Line]) -> None:
    """Refuse a transcript without a recording, or a recording without a transcript."""
    recorded = {path.stem for path in (corpus / WAVS).glob("*.wav")}
    silent = [line for line in lines if line.id not in recorded]
    if silent:
        raise Refusal(
            f"{corpus / TABLE}, line {silent[0].number}: there is no {WAVS}/{silent[0].id}.wav"
            + _and_more(silent),
            mend=_how_to_find(corpus / WAVS, silent[0].id),
        )
    untold = sorted(recorded - {line.id for line in lines})
    if untold:
        raise Refusal(
            f"{corpus / WAVS / untold[0]}.wav: has no line in {TABLE}" + _and_more(untold),
            mend="write its line, or take the recording out of the folder",
        )


def _how_to_find(folder: Path, name: str) -> str:
    """Return what to do about an id without a recording: it may only be written otherwise."""
    if (folder / name).is_file() or (folder.parent / name).is_file():
        return "write ids without folder and .wav"
    alike = sorted(path.name for path in folder.glob("*") if path.stem.lower() == name.lower())
    if alike and Path(alike[0]).suffix.lower() != ".wav":
        return f"{WAVS}/{alike[0]} is there: convert the recordings to .wav"
    if alike:
        return f"{WAVS}/{alike[0]} is there: recordings are <id>.wav, with these letters"
    return "bring the recordings, or take the lines out; a line of headings is taken out, too"


def _and_more(found: list[Any]) -> str:
    return f", and {len(found) - 1} more like it" if len(found) > 1 else ""


def _listed(corpus: Path, lines: list[Line]) -> dict[str, str]:
    """Return split by id as the lists beside metadata.csv have it; nothing if there are none."""
    known, split_of = {line.id for line in lines}, {}
    for split, name in LISTS.items():
        path = corpus / name
        told = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for number, entry in enumerate(told, start=1):
            listed = Path(entry.split("|")[0].strip()).name.removesuffix(".wav")
            if listed not in known or listed in split_of:
                why = "is listed twice" if listed in split_of else f"is not in {TABLE}"
                raise _bad(path, (number, f"{listed!r} {why}"))
            split_of[listed] = split
    return split_of


def by_rule(lines: list[Line]) -> dict[str, str]:
    """Return split by id: the first ids in the order of their digests are the test, then valid.

    A text that is there twice is trained on, so no text of the test is in another split. Of fewer
    lines than the official corpus has, as large a share is taken.
    """
    texts = Counter(line.text for line in lines)
    once = [line.id for line in lines if texts[line.text] == 1]
    ranked = iter(sorted(once, key=lambda name: hashlib.blake2b(name.encode()).digest()))
    counts = {split: -(-size * len(lines) // WHOLE) for split, size in SIZES.items()}
    return {name: split for split in counts for name in itertools.islice(ranked, counts[split])}


def main(argv: list[str]) -> int:
    """Stage 0: bring a corpus to disk, or check one that is there, and print its folder."""
    outputs = (TABLE, WAVS, *LISTS.values(), "left_out.txt", "corpus.json", "CREDITS.txt", "README")
    hours = stage.Option("synthetic", "hours", 1.0, "of speech that --corpus synthetic makes")
    return stage.main(
        argv,
        about=__doc__ or "",
        made=MADE,
        outputs=outputs,
        needed=(TABLE, WAVS),
        options=[hours],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
