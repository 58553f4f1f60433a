"""The command `diffaudio`: finds the verb, runs it, and turns a refusal into one block of text."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from diffaudio import __version__
from diffaudio.log import Refusal, setup_log
from diffaudio.memory import keep_freed

__all__ = ["VERBS", "main"]

VERBS = {
    "manifest": "list a corpus in data/<corpus>/<split>.jsonl, naming every problem",
    "shard": "write audio into shards in dump/<corpus>/<split>",
    "extract": "compute once what training needs besides: readings of texts, in dump/<corpus>/text",
    "train": "train a model in exp/<name>",
    "ema": "average weights over another length, after training",
    "decode": "generate audio for a set of the corpus with a trained model",
    "score": "score generated audio: tables with intervals, a report",
    "sweep": "compare models, samplers, calls and guidance: table, plot, recommended setting",
    "generate": "sounds from nothing but what the model is told: one, or a folder of them",
    "say": "speak a text with a trained voice",
    "enhance": "run a trained model on files or folders of your own",
    "restore": "fill gaps, extend the band, declip or dereverberate with a generative model",
    "export": "pack a trained model into one portable folder",
    "describe": "parameters, operations, memory and estimated hours of a configuration",
    "config": "check a configuration file, print what it comes to",
    "status": "what is done, stale, unfinished or missing",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        argv: the arguments after `diffaudio`; by default those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help"}:
        sys.stdout.write(_usage())
        return 0 if words else 2
    if words[0] == "--version":
        sys.stdout.write(f"diffaudio {__version__}\n")
        return 0
    setup_log()
    keep_freed()
    try:
        return _run(words[0], words[1:])
    except Refusal as refusal:
        sys.stderr.write(f"diffaudio {words[0]}: {refusal}\n")
        return refusal.code
    except KeyboardInterrupt:
        sys.stderr.write(f"diffaudio {words[0]}: interrupted\n")
        return 130
    except BrokenPipeError:  # `diffaudio status | head`: nobody reads on, which is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = error.filename2 or error.filename
        what = f"{os.fsdecode(where)}: {error.strerror}" if where and error.strerror else error
        sys.stderr.write(f"diffaudio {words[0]}: {what}\n")
        return 1


def _run(verb: str, argv: list[str]) -> int:
    if verb not in VERBS:
        from difflib import get_close_matches

        close = get_close_matches(verb, VERBS, n=1)
        raise Refusal(
            "no such command",
            mend=f"did you mean {close[0]}?" if close else f"one of: {', '.join(VERBS)}",
            code=2,
        )
    module = importlib.import_module(f"diffaudio.bin.{verb}")
    return int(module.main(argv))


def _usage() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {text}" for verb, text in VERBS.items())
    return (
        "usage: diffaudio VERB [options]     diffaudio VERB --help     diffaudio --version\n\n"
        f"Recipes for score-based audio models. The verbs, in the order of a recipe:\n\n{verbs}\n"
    )
