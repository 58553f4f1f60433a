"""The score of estimates that have references or a text, beside what was given or recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any

from diffaudio.data import manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import write_json, write_text
from diffaudio.log import Refusal, environment
from diffaudio.metrics import Metric, Prompt, available
from diffaudio.score import about, scores
from diffaudio.score.measure import measure
from diffaudio.score.others import RECORDINGS, Asked, Beside, given, recordings
from diffaudio.score.pairs import Row, Sound, estimates
from diffaudio.score.report import Evidence, report
from diffaudio.score.request import Request, Work, configuration, trained
from diffaudio.score.results import INPUT, SYSTEM, Result, gaps, result
from diffaudio.score.scores import PROTOCOL, SCORES, SUMMARY, Rival
from diffaudio.score.spec import ScoreSpec, hashed, protocol
from diffaudio.score.timing import read_timings

__all__ = ["utterances"]


@dataclass(frozen=True)
class _Test:
    """A test set ready to be measured, and who else was scored on it."""

    sounds: Sequence[Sound]
    metrics: Sequence[Metric]
    protocol: Mapping[str, Any]
    corpus: Mapping[str, Any]
    rival: Rival | None


def utterances(
    request: Request, audio: AudioSpec, spec: ScoreSpec, *, nj: int, force: bool
) -> Work:
    """Find the test set, its estimates and its metrics; the work measures and compares them.

    Raises:
        Refusal: no metric can be computed, an estimate is missing, superfluous or does not fit.
    """
    test = _test(request, audio, spec)
    return Work(
        named=_named(request, test),
        read=_read(request, test),
        outputs=(SCORES, SUMMARY, "baseline*.json", PROTOCOL, "report.html"),
        run=partial(_run, request, audio, spec, test, nj=nj, force=force),
    )


def _test(request: Request, audio: AudioSpec, spec: ScoreSpec) -> _Test:
    """Find the test set, its estimates, what can be measured here, and the rival."""
    path = request.manifest
    rows = list(manifest.read(path))
    if not rows:
        raise Refusal(f"{path}: no utterances")
    metrics = available(spec.metrics)
    if not metrics:
        raise Refusal("no metric can be computed here", mend="pip install 'diffaudio[score]'")
    if request.system in (*audio.roles, RECORDINGS):
        raise Refusal(
            f"--system {request.system}: what it is compared with is called so",
            mend="give it another name",
        )
    root, paths = manifest.root(request.data), estimates(rows, request.wavs)
    test_set = about.data_set(request.data, request.split, rows, audio.roles)
    whole = protocol(metrics, audio, spec, test_set)
    cut = about.subset(request.data, request.split, len(rows))
    prompts = _prompts(request, rows, spec)
    return _Test(
        [
            Sound(row, root, paths[row["id"]], prompt=prompt)
            for row, prompt in zip(rows, prompts, strict=True)
        ],
        metrics,
        whole,
        about.corpus(request.data.name, about.described(request.data), cut),
        _rival(request, audio, whole),
    )


def _prompts(
    request: Request, rows: Sequence[Row], spec: ScoreSpec
) -> Sequence[Prompt] | Sequence[None]:
    """Return what each row should say; nothing where no field is named for it."""
    if spec.text is None:
        return [None] * len(rows)
    for row in rows:
        if not isinstance(row.get(spec.text), str) or not row[spec.text].strip():
            raise Refusal(
                f"{request.manifest}: {row['id']}: no text in the field {spec.text!r} (score.text)",
                mend="name the field that has it, or let local/data.py write it",
            )
    listener = spec.listener()
    return [Prompt(row[spec.text], listener) for row in rows]


def _rival(request: Request, audio: AudioSpec, whole: Mapping[str, Any]) -> Rival | None:
    """Return the system to compare with; its name has to tell it from the others."""
    if request.versus is None:
        return None
    found = scores.rival(request.versus, whole)
    if found.name in (request.system, audio.given, RECORDINGS):
        raise Refusal(
            f"{request.versus}: its system is called {found.name!r}, as one here is",
            mend="give this one another name with --system",
        )
    return found


def _read(request: Request, test: _Test) -> dict[str, str]:
    """Return the digests of the test set (manifest and audio), the training and the rival."""
    path, test_set = request.manifest, test.protocol["test_set"]
    found = {str(path): test_set["manifest_sha256"], f"audio of {path}": test_set["audio_sha256"]}
    return {**found, **trained(request), **(test.rival.inputs if test.rival else {})}


def _named(request: Request, test: _Test) -> dict[str, Any]:
    """Return keys of the stage: the names, the metrics that can be computed and their versions."""
    metrics = test.protocol["metrics"]
    packages = {f"package.{p}": v for one in metrics.values() for p, v in one["packages"].items()}
    versions = {f"metric.{name}": one["version"] for name, one in metrics.items()}
    named: dict[str, Any] = {
        "system": request.system,
        "versus": test.rival.name if test.rival else None,
    }
    named |= {"metrics": list(metrics), "resampler": test.protocol["resampler"]}
    return {**named, **test.corpus, **versions, **packages}


def _run(
    request: Request, audio: AudioSpec, spec: ScoreSpec, test: _Test, *, nj: int, force: bool
) -> None:
    """Measure, compare and write everything."""
    asked = Asked(request, audio, test.sounds, test.metrics, test.protocol, nj, force)
    rows = [*given(asked), *recordings(asked)]
    logs, title = request.out / "log", f"score {request.split}"
    table = measure(test.sounds, test.metrics, audio, nj=nj, log_dir=logs, title=title)
    here = {**environment(), "diffaudio": metadata.version("diffaudio")}
    others = {row.name: row.table for row in rows}
    others |= {test.rival.name: test.rival.table} if test.rival else {}
    names = list(test.protocol["metrics"])
    shared = _about(request, audio, test, here["commit"])
    made = about.made(request.wavs, request.exp)
    own = {**shared, **made, "role": SYSTEM, "system": request.system}
    found = result(own, table, names, spec, others=others)
    write_text(request.out / SCORES, scores.lines(table, {row.name: row.table for row in rows}))
    write_json(request.out / PROTOCOL, test.protocol)
    write_json(request.out / SUMMARY, found)
    for row in rows:
        write_json(request.out / row.file, _baseline(shared, row, spec))
    evidence = Evidence(
        found=found,
        table=table,
        before=rows[0].table if rows else [],
        versus=rows[0].name if rows else None,
        rival=test.rival,
        sounds=test.sounds,
        gaps=gaps(table),
        protocol=test.protocol,
        environment=here,
        config=configuration(request),
        log=request.exp / "log.jsonl",
        timings=read_timings(request.wavs) if spec.text else {},
    )
    write_text(request.out / "report.html", report(evidence, audio, count=spec.worst))


def _about(request: Request, audio: AudioSpec, test: _Test, commit: str) -> Result:
    """Return what a system's result and its input's have in common."""
    return {
        "recipe": request.recipe,
        "given": audio.given,
        "commit": commit,
        "protocol_sha256": hashed(dict(test.protocol)),
        "speakers": test.protocol["test_set"]["speakers"],
        **test.corpus,
    }


def _baseline(shared: Result, row: Beside, spec: ScoreSpec) -> Result:
    """Return the result of what stands beside the system; what a model is given costs no calls."""
    own = {**shared, **about.made_by({}), "role": row.role, "system": row.name}
    own |= {"calls": 0} if row.role == INPUT else {}
    return result(own, row.table, row.metrics, spec)
