"""The stage: a folder of wavs and a test set in; tables, results and a report out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from diffaudio import provenance
from diffaudio.data import manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import digest, exclusive, read_json, write_json, write_text
from diffaudio.log import Refusal, environment
from diffaudio.metrics import Metric, available
from diffaudio.score.about import corpus, made_by
from diffaudio.score.measure import Scored, measure, measure_once
from diffaudio.score.pairs import Sound, content, estimates
from diffaudio.score.report import Evidence, report
from diffaudio.score.results import gaps, result
from diffaudio.score.spec import ScoreSpec, comparable, hashed, protocol

__all__ = ["BASELINE", "PROTOCOL", "SUMMARY", "Request", "score"]

VERSION = 1  # raise it by hand when the same input would give other output
SUMMARY, BASELINE, PROTOCOL = "summary.json", "baseline.json", "protocol.json"
_OUTPUTS = ("scores.jsonl", SUMMARY, BASELINE, PROTOCOL, "report.html")


@dataclass(frozen=True)
class Request:
    """What is scored, and where the scores go.

    Args:
        data: folder of the manifests, `data/mini`.
        split: `test`.
        wavs: folder of the estimates, `exp/demo/decode/default/test`.
        exp: experiment, `exp/demo`; its log and configuration go into the report.
        out: `exp/demo/score/default/test`.
        system: the name in tables.
        recipe: the name of the recipe.
    """

    data: Path
    split: str
    wavs: Path
    exp: Path
    out: Path
    system: str
    recipe: str


@dataclass(frozen=True)
class _Test:
    """A test set ready to be measured."""

    sounds: Sequence[Sound]
    metrics: Sequence[Metric]
    protocol: Mapping[str, Any]
    corpus: Mapping[str, Any]


def score(
    request: Request,
    audio: AudioSpec,
    spec: ScoreSpec,
    *,
    keys: Mapping[str, Any],
    inputs: Mapping[str, str],
    nj: int,
    force: bool,
) -> None:
    """Score a folder of wavs, unless that is done.

    Args:
        request: what, and where to.
        audio: rate and roles; `target` is the reference, `given` the baseline.
        spec: metrics, intervals, report.
        keys: the flat configuration keys that scoring reads.
        inputs: name to digest of what the wavs are, or of what they were made from.
        nj: utterances scored at once.
        force: score again.

    Raises:
        Refusal: no metric can be computed, an estimate is missing, superfluous or does not fit.
    """
    test = _test(request, audio, spec)
    with exclusive(request.out):
        if provenance.begin(
            request.out,
            stage="score",
            version=VERSION,
            keys={**keys, "system": request.system, **_installed(test.protocol)},
            inputs={**inputs, **_measured(request, test.protocol)},
            force=force,
            outputs=_OUTPUTS,
        ):
            _run(request, audio, spec, test, nj=nj)
            provenance.finish(request.out)


def _test(request: Request, audio: AudioSpec, spec: ScoreSpec) -> _Test:
    """Find the test set, its estimates and what can be measured here."""
    path = _manifest(request)
    rows = list(manifest.read(path))
    if not rows:
        raise Refusal(f"{path}: no utterances")
    metrics = available(spec.metrics)
    if not metrics:
        raise Refusal("no metric can be computed here", mend="pip install 'diffaudio[score]'")
    root, paths = manifest.root(request.data), estimates(rows, request.wavs)
    heard = dict.fromkeys(root / row["audio"][role] for row in rows for role in audio.roles)
    test_set = {
        "corpus": request.data.name,
        "split": request.split,
        "utterances": len(rows),
        "manifest_sha256": digest(path),
        "audio_sha256": content(heard),
    }
    return _Test(
        [Sound(row, root, paths[row["id"]]) for row in rows],
        metrics,
        protocol(metrics, audio, spec, test_set),
        read_json(request.data / "corpus.json"),
    )


def _manifest(request: Request) -> Path:
    return request.data / f"{request.split}.jsonl"


def _measured(request: Request, protocol: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of the test set: its manifest and its audio."""
    test_set = protocol["test_set"]
    audio = f"audio of {_manifest(request)}"
    return {str(_manifest(request)): test_set["manifest_sha256"], audio: test_set["audio_sha256"]}


def _installed(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return, as keys of the stage, the metrics that can be computed and their packages."""
    metrics = protocol["metrics"]
    packages = {f"package.{p}": v for one in metrics.values() for p, v in one["packages"].items()}
    return {"metrics": list(metrics), "resampler": protocol["resampler"], **packages}


def _run(request: Request, audio: AudioSpec, spec: ScoreSpec, test: _Test, *, nj: int) -> None:
    before = _given(request, audio, test, nj=nj)
    table = measure(
        test.sounds,
        test.metrics,
        audio,
        nj=nj,
        log_dir=request.out / "log",
        title=f"score {request.split}",
    )
    versus = audio.given or ""
    here = {**environment(), "diffaudio": metadata.version("diffaudio")}
    about = {
        "recipe": request.recipe,
        "system": request.system,
        "commit": here["commit"],
        "protocol_sha256": hashed(dict(test.protocol)),
        **corpus(request.data.name, test.corpus),
    }
    decode = request.wavs / "decode.json"
    made, nothing = made_by(read_json(decode) if decode.is_file() else {}), made_by({})
    found = result({**about, **made}, table, spec, baseline=before, versus=versus)
    given = {**about, **nothing, "system": versus, "calls": 0}
    baseline = result(given, before, spec) if before else None
    write_text(request.out / "scores.jsonl", _lines(table, before, versus))
    write_json(request.out / PROTOCOL, test.protocol)
    write_json(request.out / SUMMARY, found)
    if baseline:
        write_json(request.out / BASELINE, baseline)
    evidence = Evidence(
        found=found,
        baseline=baseline,
        table=table,
        before=before,
        sounds=test.sounds,
        gaps=gaps(table),
        protocol=test.protocol,
        environment=here,
        config=_config(request),
        log=request.exp / "log.jsonl",
    )
    write_text(request.out / "report.html", report(evidence, audio, count=spec.worst))


def _given(request: Request, audio: AudioSpec, test: _Test, *, nj: int) -> list[Scored]:
    """Score what the model is given, once for all systems; nothing where it is given nothing."""
    if audio.given is None:
        return []
    key = hashed(comparable(dict(test.protocol)))[:16]
    return measure_once(
        request.data / "score_given" / request.split / f"{key}.jsonl",
        [Sound(sound.row, sound.root) for sound in test.sounds],
        test.metrics,
        audio,
        nj=nj,
        title=f"score {audio.given}",
    )


def _config(request: Request) -> str:
    """Return the configuration that decoded, or else the one that trained."""
    for path in (request.wavs / "config.yaml", request.exp / "config.yaml"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return "not recorded"


def _lines(table: Sequence[Scored], before: Sequence[Scored], versus: str) -> str:
    """Return scores.jsonl: {"id", "seconds", "scores", "missing", BASELINE: {...}} per line."""
    lines = []
    for number, row in enumerate(table):
        line: dict[str, Any] = {"id": row.id, "seconds": row.seconds, "scores": row.values}
        line["missing"] = row.missing
        if before:
            line[versus] = {"scores": before[number].values, "missing": before[number].missing}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)
