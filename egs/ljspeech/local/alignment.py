#!/usr/bin/env python3
"""Does a voice know when each word begins? Its alignment beside a recogniser's word times.

    . path.sh; python local/alignment.py --exp exp/mini --data data/mini --dump dump/mini --set test

prints the median distance of word starts, of the alignment that the voice finds in a recording and
of one that gives every symbol the same time, and keeps it in exp/mini/score/alignment_test.json.
Whisper tiny.en hears as many utterances at once as fit (see heard.py) and writes words with times;
those that it hears as the transcript has them count. Its own times are no truth: they stand on a
grid of 20 ms, and may be late as a whole. So the median is printed once more with the median
difference, a common offset, taken away. No sound is made, so no vocoder is needed.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soxr
import torch
from heard import PAUSE, RATE, recogniser, windows
from jsonargparse import ArgumentParser

from diffaudio import provenance
from diffaudio.bin.model import asked, opened, run_options
from diffaudio.data import manifest
from diffaudio.data.index import Index
from diffaudio.decode.texts import look_up
from diffaudio.decode.trained import Trained
from diffaudio.files import digest, read_json, write_json
from diffaudio.log import Refusal, log, setup_log
from diffaudio.nets.layers import masked
from diffaudio.process import token_starts, uniform_durations
from diffaudio.text import split_words

VERSION = 2  # raise it by hand when the same voice would get other figures


class Aligned(NamedTuple):
    """A recording.

    Attributes:
        words: of its transcript, as they are compared.
        starts: of each word in seconds, (2, words): searched, and with uniform durations.
        seconds: of the recording.
    """

    words: Sequence[str]
    starts: np.ndarray
    seconds: float


def main(argv: list[str]) -> None:
    """Align a set unless that is done; keep the medians and print them."""
    config = asked(
        argv,
        prog="local/alignment.py",
        description="Compare a voice's alignment with a recogniser's word times.",
        options=_options,
    )
    options = config.options
    trained = opened(config, vocoder=False)
    made_of = {
        "version": VERSION,
        "checkpoint_sha256": trained.about["checkpoint_sha256"],
        "manifest_sha256": digest(options.data / f"{options.set}.jsonl"),
        "shards": provenance.fingerprint(options.dump / options.set),
    }
    path = options.exp / "score" / f"alignment_{options.set}.json"
    found = read_json(path) if path.is_file() else {}
    if found.get("made_of") != made_of:
        try:
            whisper = recogniser()
        except Refusal as refusal:  # as scores leave out what cannot be measured here
            log.warning("alignment: not measured: %s", refusal)
            return
        found = {"made_of": made_of, **measured(whisper, trained, options)}
        write_json(path, found)
    log.info("%s: how far word starts are from the recogniser's", path)
    rows = {"alignment of the voice": found["voice"], "every symbol alike": found["uniform"]}
    lines = [
        f"  {name:23} {one['median_ms']:.0f} ms; {one['without_offset_ms']:.0f} ms without "
        f"an offset of {one['offset_ms']:.0f} ms\n"
        for name, one in rows.items()
    ]
    sys.stdout.write(
        f"{found['heard']} of {found['words']} words: median distance of a word's start from the "
        f"recogniser's\n{''.join(lines)}"
    )


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--dump", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--set", default="test", help="which split")
    run_options(parser)


def measured(whisper: Any, trained: Trained, options: Any) -> dict[str, Any]:
    """Return the medians in milliseconds, and how many words of how many were heard.

    Raises:
        Refusal: the model does not read, or no word was heard.
    """
    look_up(trained, options.dump)
    index = Index.open(options.dump / options.set)
    rows = {row["id"]: row for row in manifest.read(options.data / f"{options.set}.jsonl")}
    utterances, total = [], 0
    for number in range(len(index)):
        sound = index.read(number, trained.audio.target)[:, 0]
        clip = soxr.resample(sound, trained.audio.rate, RATE)
        words, starts = _starts(trained, rows[index.id(number)]["text"], sound)
        utterances.append((clip, Aligned(words, starts, len(clip) / RATE)))
        total += len(words)
    errors: list[tuple[float, ...]] = []
    for clip, held in windows(utterances):
        errors += differences(held, _heard(whisper, clip))
    if not errors:
        raise Refusal(f"{options.data}: no word of the set {options.set} was recognised")
    voice, uniform = map(_medians, 1000 * np.array(errors).T)
    return {"voice": voice, "uniform": uniform, "heard": len(errors), "words": total}


def _medians(errors: np.ndarray) -> dict[str, float]:
    """Return the median distance, the median difference, and the distance without that."""
    offset = float(np.median(errors))
    return {
        "median_ms": float(np.median(np.abs(errors))),
        "offset_ms": offset,
        "without_offset_ms": float(np.median(np.abs(errors - offset))),
    }


def differences(
    held: Sequence[Aligned], heard: Sequence[tuple[str, float]]
) -> Iterator[tuple[float, ...]]:
    """Yield how much later than the recogniser's the starts of each word heard are, in seconds.

    Args:
        held: the recordings in a window, in their order, a pause after each.
        heard: words and when they begin in the window.
    """
    begin = 0.0
    for one in held:
        here = [  # a word may seem to begin in the pause before it
            (_plain(word), at - begin)
            for word, at in heard
            if -PAUSE / 2 <= at - begin < one.seconds + PAUSE / 2
        ]
        match = difflib.SequenceMatcher(None, one.words, [word for word, _ in here], autojunk=False)
        for own, theirs, count in match.get_matching_blocks():
            for step in range(count):
                off = one.starts[:, own + step] - here[theirs + step][1]
                yield tuple(off.tolist())
        begin += one.seconds + PAUSE


def _heard(whisper: Any, clip: np.ndarray) -> list[tuple[str, float]]:
    """Return the words that Whisper writes of (n,), and when each begins."""
    segments, _ = whisper.transcribe(
        clip.astype(np.float32),
        language="en",
        temperature=0.0,  # no second try by sampling
        condition_on_previous_text=False,
        word_timestamps=True,
    )
    return [(word.word, word.start) for segment in segments for word in segment.words]


def _starts(trained: Trained, text: str, sound: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the words of a text, and when each begins: searched, and with uniform durations."""
    prior, codec = trained.model.prior, trained.model.codec
    if prior is None:
        raise Refusal("the model does not read: it has no alignment")
    reading = prior.reader.read(text)
    frames = codec.frames(torch.tensor([len(sound)], device=trained.device))
    with torch.inference_mode():
        state = codec.encode(torch.from_numpy(sound)[None, None].to(trained.device))
        plan, _ = prior({prior.fields[0]: [text]}, masked(state, None), frames)
    uniform = uniform_durations(torch.tensor([len(reading.ids)]), frames.cpu())
    words = split_words(reading.said, reading.symbols)
    firsts = [word.first for word in words]
    starts = [
        token_starts(durations, hop=codec.hop, rate=trained.audio.rate)[0, firsts].tolist()
        for durations in (plan.durations.cpu(), uniform)
    ]
    return [_plain(word.text) for word in words], np.array(starts)


def _plain(word: str) -> str:
    """Return a word as it is compared."""
    return re.sub(r"[^a-z]", "", word.lower())


if __name__ == "__main__":
    setup_log()
    try:
        main(sys.argv[1:])
    except Refusal as refusal:
        sys.exit(f"alignment.py: {refusal}")
