"""`diffaudio say`: a text, spoken by a trained voice."""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ArgumentParser

from diffaudio.bin.model import asked, opened, run_options
from diffaudio.decode.say import pronounced, say
from diffaudio.log import Refusal

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Speak a text from the command line, a file or standard input."""
    config = asked(
        argv,
        prog="diffaudio say",
        description="Speak a text with a trained voice. A long text is spoken sentence by "
        "sentence; with - for OUT each one is on standard output as soon as it is spoken. "
        "--decode.length_scale 1.2 speaks slower, --decode.seed draws another reading.",
        options=_options,
    )
    options = config.options
    text, trained = _text(options.text, options.file), opened(config)
    with pronounced(trained, options.lexicon):
        say(trained, text, options.output)
    return 0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", type=str, help="what to say, or - (stdin)")
    parser.add_argument("output", metavar="OUT", type=Path, help="audio file, or - (stdout)")
    parser.add_argument(
        "--file", type=bool, default=False, help="TEXT is the name of a file that holds the text"
    )
    parser.add_argument(
        "--lexicon",
        type=Path,
        help="file of words that are said otherwise: on each line a word, a tab, its phonemes in "
        "ARPAbet with stress, `nguyen<tab>N W IH1 N`",
    )
    run_options(parser)


def _text(text: str, file: bool) -> str:
    """Return the text that is meant.

    Raises:
        Refusal: there is no such file, or it is not text in UTF-8.
    """
    if not file and text != "-":
        return text
    try:
        content = sys.stdin.buffer.read() if text == "-" else Path(text).read_bytes()
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refusal(
            f"{text}: byte {error.start} is not UTF-8", mend="save the text in UTF-8"
        ) from error
    except OSError as error:
        raise Refusal(
            f"{text}: cannot be read ({error.strerror})",
            mend="with --file true the first word names a file of text; without it, it is the text",
        ) from error
