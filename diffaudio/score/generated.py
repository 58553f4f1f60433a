"""The score of what was generated from nothing: a set of clips against a set of real ones.

Nothing is compared clip by clip. Real clips are rows of the table, too: those of the test set, and
as many of the training set, which is where a generator would be that learnt everything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from importlib import metadata

import numpy as np

from diffaudio.data import plan
from diffaudio.data.audio import AudioSpec
from diffaudio.files import write_json, write_text
from diffaudio.log import Refusal, environment
from diffaudio.metrics.sets import Classes, Measured
from diffaudio.score import about
from diffaudio.score.columns import Parts, entries
from diffaudio.score.copied import Copied, copied
from diffaudio.score.embedder import Embedder
from diffaudio.score.gallery import gallery
from diffaudio.score.listening import Clips, Ear
from diffaudio.score.report import Evidence
from diffaudio.score.request import Request, Work, configuration
from diffaudio.score.results import FORMAT, REAL, SYSTEM, Result
from diffaudio.score.scores import PROTOCOL, SCORES, SUMMARY
from diffaudio.score.sets import Asked, find
from diffaudio.score.spec import ScoreSpec, SetsSpec, hashed

__all__ = ["generated"]

_REAL = "baseline_{}.json"  # one for each set of real clips


def generated(request: Request, audio: AudioSpec, spec: ScoreSpec, *, nj: int, force: bool) -> Work:
    """Find the sets and who listens; the work measures a set of generated wavs.

    Raises:
        Refusal: wavs are missing or superfluous, a row has no label, an embedder is not there.
    """
    asked = find(request, audio, spec)
    ear = Ear(audio, request.data / "score_real", nj, force)
    return Work(
        named=asked.named(request),
        read=asked.read(request),
        outputs=(SCORES, SUMMARY, _REAL.format("*"), PROTOCOL, "report.html"),
        run=partial(_run, request, spec, asked, ear),
    )


def _run(request: Request, spec: ScoreSpec, asked: Asked, ear: Ear) -> None:
    """Listen, measure, look for copies and write everything."""
    here = {**environment(), "diffaudio": metadata.version("diffaudio")}
    against = _parts(asked.real, asked.sets)
    results: list[Result] = []
    answers: dict[str, Classes] = {}
    for clips in (asked.made, asked.real, _sample(asked, spec)):
        cases = _cases(clips, asked, ear)
        own = {} if clips is asked.made else _parts(clips, asked.sets)
        metrics = entries(asked.columns, cases, spec, own=own, against=against)
        results.append({**_about(request, asked, clips, here["commit"]), "metrics": metrics})
        answers = answers or {who: case.said.answers for who, case in cases.items()}
    found, *beside = results
    near = copied(asked.sets.embedders[0], asked.made, asked.real, asked.train, ear)
    found["neighbours"] = near.summary
    write_text(request.out / SCORES, _lines(asked, answers, near))
    write_json(request.out / PROTOCOL, asked.protocol)
    for row in beside:
        write_json(request.out / _REAL.format(row["system"].replace(" ", "_")), row)
    write_json(request.out / SUMMARY, found)
    evidence = Evidence(
        found=found,
        table=[],
        before=[],
        sounds=asked.made.sounds,
        gaps=[],
        protocol=asked.protocol,
        environment=here,
        config=configuration(request),
        log=request.exp / "log.jsonl",
    )
    page = gallery(evidence, beside, near, ear.audio, label=asked.sets.label, count=spec.worst)
    write_text(request.out / "report.html", page)


def _sample(asked: Asked, spec: ScoreSpec) -> Clips:
    """Return as many clips of the training set as the test set has."""
    train, count = asked.train, len(asked.real.sounds)
    random = plan.generator(spec.seed, "real clips of the training set")
    rows = np.sort(random.permutation(len(train.sounds))[:count])
    identity = f"{train.identity} {count} {spec.seed}"
    return Clips(train.name, [train.sounds[row] for row in rows], identity)


def _cases(clips: Clips, asked: Asked, ear: Ear) -> dict[str, Measured]:
    """Return, by embedder, what it says of a set, and what that is measured against."""
    found = {}
    for who in asked.sets.embedders:
        known = _classes(asked.train, who, asked.sets.label)
        prior = np.bincount(known, minlength=len(who.labels)) / len(known)
        reference = None if clips is asked.real else ear.embed(who, asked.real)
        wanted = _classes(clips, who, asked.sets.label)
        found[who.name] = Measured(ear.embed(who, clips), wanted, reference, prior)
    return found


def _classes(clips: Clips, who: Embedder, field: str) -> Classes:
    """Return the number of the class that each clip should be, as `who` counts them."""
    place = {label: number for number, label in enumerate(who.labels)}
    for sound in clips.sounds:
        if sound.row.get(field) not in place:
            raise Refusal(
                f"{sound.row['id']}: {field} {sound.row.get(field)!r} is no class of {who.name} "
                f"({', '.join(who.labels)})",
                mend="correct score.sets.label, or train the classifier on this corpus",
            )
    return np.array([place[sound.row[field]] for sound in clips.sounds])


def _parts(clips: Clips, sets: SetsSpec) -> Parts:
    """Return the parts of a set of real clips that are reported apart."""
    if sets.apart is None:
        return {}
    values = np.array([str(sound.row.get(sets.apart, "")) for sound in clips.sounds])
    return {str(value): values == value for value in np.unique(values)}


def _about(request: Request, asked: Asked, clips: Clips, commit: str) -> Result:
    """Return what a result says beside its metrics."""
    made = clips is asked.made
    return {
        **(about.made(request.wavs, request.exp) if made else about.made_by({})),
        "format": FORMAT,
        "role": SYSTEM if made else REAL,
        "system": clips.name,
        "n": len(clips.sounds),
        "recipe": request.recipe,
        "given": None,
        "commit": commit,
        "protocol_sha256": hashed(dict(asked.protocol)),
        "reference": {"set": asked.protocol["test_set"]["split"], "n": len(asked.real.sounds)},
        "speakers": None if made else about.speakers(sound.row for sound in clips.sounds),
        **asked.corpus,
    }


def _lines(asked: Asked, answers: Mapping[str, Classes], near: Copied) -> str:
    """Return scores.jsonl: what each clip should be, how it is heard, what it is nearest to."""
    written = []
    for at, sound in enumerate(asked.made.sounds):
        heard = {}
        for who in asked.sets.embedders:
            answer = int(answers[who.name][at])
            heard[who.name] = who.labels[answer] if answer >= 0 else None
        line = {
            "id": sound.row["id"],
            "label": sound.row[asked.sets.label],
            "heard": heard,
            "nearest": near.of(at),
        }
        written.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(written)
