#!/usr/bin/env python3
"""Does a voice know when each word begins? Its alignment beside a recogniser's word times.

    . path.sh; python local/alignment.py --exp exp/mini --data data/mini --dump dump/mini --set test

prints the median distance of word starts, of the alignment that the voice finds in a recording and
of one that gives every symbol the same time. Whisper tiny.en writes words with times; those that it
hears as the transcript has them count. Its own times are no truth: they stand on a grid of 20 ms.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
from heard import recogniser
from jsonargparse import ArgumentParser

from diffaudio.bin.model import asked, opened, run_options
from diffaudio.data import manifest
from diffaudio.data.index import Index
from diffaudio.decode.trained import Trained
from diffaudio.log import Refusal, setup_log
from diffaudio.nets.layers import masked
from diffaudio.process import token_starts, uniform_durations

RATE = 16000  # of what Whisper hears


def main(argv: list[str]) -> None:
    """Align a set and print both medians."""
    config = asked(
        argv,
        prog="local/alignment.py",
        description="Compare a voice's alignment with a recogniser's word times.",
        options=_options,
    )
    options, trained = config.options, opened(config)
    errors = np.array(list(_errors(trained, options)))
    if not len(errors):
        raise Refusal(f"{options.data}: no word of the set {options.set} was recognised")
    searched, uniform = np.median(errors, axis=0)
    sys.stdout.write(
        f"{len(errors)} words: median distance of a word's start from the recogniser's\n"
        f"  alignment of the voice  {1000 * searched:.0f} ms\n"
        f"  every symbol alike      {1000 * uniform:.0f} ms\n"
    )


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--dump", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--set", default="test", help="which split")
    run_options(parser)


def _errors(trained: Trained, options: Any) -> Iterator[tuple[float, float]]:
    """Yield the distances of each recognised word's start, in seconds: searched, uniform."""
    whisper, index = recogniser(), Index.open(options.dump / options.set)
    rows = {row["id"]: row for row in manifest.read(options.data / f"{options.set}.jsonl")}
    for number in range(len(index)):
        text = rows[index.id(number)]["text"]
        sound = index.read(number, trained.audio.target)[:, 0]
        words, starts = _starts(trained, text, sound)
        segments, _ = whisper.transcribe(
            soxr.resample(sound, trained.audio.rate, RATE), word_timestamps=True
        )
        heard = [word for segment in segments for word in segment.words]
        names = [_plain(word.word) for word in heard]
        pairs = difflib.SequenceMatcher(None, words, names, autojunk=False).get_matching_blocks()
        for own, theirs, count in pairs:
            for step in range(count):
                at = heard[theirs + step].start
                yield tuple(abs(start[own + step] - at) for start in starts)


def _starts(
    trained: Trained, text: str, sound: np.ndarray
) -> tuple[list[str], list[Sequence[float]]]:
    """Return the words of a text, and when each begins: searched, and with uniform durations."""
    prior, codec = trained.model.prior, trained.model.codec
    if prior is None:
        raise Refusal("the model does not read: it has no alignment")
    reading = prior.front_end.read(text)
    frames = codec.frames(torch.tensor([len(sound)]))
    with torch.inference_mode():
        state = masked(codec.encode(torch.from_numpy(sound)[None, None]), None)
        plan, _ = prior({prior.fields[0]: [text]}, state, frames)
    uniform = uniform_durations(torch.tensor([len(reading.ids)]), frames)
    firsts = [0, *(n + 1 for n, symbol in enumerate(reading.symbols) if symbol == " ")]
    words = [_plain(word) for word in re.split(r"[\s-]+", reading.said.strip())]
    if len(words) != len(firsts):
        return [], [[], []]
    hop, rate = codec.hop, trained.audio.rate
    starts = [
        token_starts(durations, hop=hop, rate=rate)[0, firsts].tolist()
        for durations in (plan.durations, uniform)
    ]
    return words, starts


def _plain(word: str) -> str:
    """Return a word as it is compared."""
    return re.sub(r"[^a-z]", "", word.lower())


if __name__ == "__main__":
    setup_log()
    try:
        main(sys.argv[1:])
    except Refusal as refusal:
        sys.exit(f"alignment.py: {refusal}")
