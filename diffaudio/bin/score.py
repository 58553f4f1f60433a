"""`diffaudio score`: a folder of wavs against a test set; tables, results and a report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from diffaudio import provenance
from diffaudio.config import Config, parse
from diffaudio.data.audio import AudioSpec
from diffaudio.jobs import check_jobs
from diffaudio.log import log
from diffaudio.score import Request, ScoreSpec, link, publish, score, shown, summarise
from diffaudio.score.pairs import heard

__all__ = ["main", "scored"]


def main(argv: list[str]) -> int:
    """Score what a model decoded, or anyone's wavs; print a table and what it means."""
    request, options = scored(argv)
    sys.stdout.write(shown(request.out))
    log.info("%s: all scores of this experiment", summarise(request.exp))
    log.info("%s: open it in a browser", link(request.exp, request.out))
    if options.publish:
        log.info("%s: all published scores", publish(request.out, Path.cwd()))
    return 0


def scored(argv: list[str]) -> tuple[Request, Any]:
    """Score as a command line asks, unless that is done; return what is scored and its options."""
    outside = any(word.partition("=")[0] == "--wavs" for word in argv)
    config = parse(
        argv,
        prog="diffaudio score",
        description="Score <id>.wav files against a test set, and against what the model is given.",
        sections=_sections(outside=outside),
        options=_options,
    )
    options, request = config.options, _request(config)
    check_jobs(options.nj)
    score(
        request,
        config.build(AudioSpec),
        config.build(ScoreSpec),
        keys=config.keys("audio", "score"),
        usual=config.usual,
        inputs={**heard(request.wavs), **({} if outside else _decoded(request, config))},
        nj=options.nj,
        force=options.force,
    )
    return request, options


def _sections(*, outside: bool) -> dict[str, type]:
    """Name the sections: those that decoding read, too, unless the wavs came from elsewhere."""
    sections: dict[str, type] = {"audio": AudioSpec, "score": ScoreSpec}
    if not outside:
        from diffaudio.decode.configuration import SECTIONS

        sections |= SECTIONS
    return sections


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the manifests")
    parser.add_argument("--set", default="test", help="which manifest, without .jsonl")
    parser.add_argument("--exp", type=Path, required=True, help="experiment; scores go below it")
    parser.add_argument("--tag", default="default", help="which decoding of the experiment")
    parser.add_argument("--wavs", type=Path, help="folder of <id>.wav made elsewhere")
    parser.add_argument("--system", help="name in tables; by default experiment and tag")
    parser.add_argument("--versus", help="also compare with the scores of EXP or EXP:TAG")
    parser.add_argument("--nj", type=int, default=1, help="jobs at once")
    parser.add_argument("--publish", type=bool, default=False, help="true: also into ./results")
    parser.add_argument("--force", action="store_true", help="score again")


def _request(config: Config) -> Request:
    options = config.options
    tag = "" if options.tag == "default" else f" {options.tag}"
    return Request(
        data=options.data,
        split=options.set,
        wavs=options.wavs or options.exp / "decode" / options.tag / options.set,
        exp=options.exp,
        out=options.exp / "score" / options.tag / options.set,
        system=options.system or f"{options.exp.name}{tag}",
        recipe=Path.cwd().name,
        versus=_versus(options.versus, options.set) if options.versus else None,
    )


def _versus(name: str, split: str) -> Path:
    """Return the folder of the scores of `EXP` or `EXP:TAG`."""
    exp, _, tag = name.partition(":")
    return Path(exp) / "score" / (tag or "default") / split


def _decoded(request: Request, config: Config) -> dict[str, str]:
    """Check that the wavs are what this configuration decodes."""
    made = provenance.require(
        request.wavs,
        stage="decode",
        keys=config.keys("audio", "model", "decode"),
        usual=config.usual,
        mend="run stage 5 again: `diffaudio decode`",
    )
    return {str(request.wavs): made}
