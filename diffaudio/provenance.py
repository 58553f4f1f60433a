"""What a stage read, written beside what it wrote, so that stale output is named and never used.

Each output folder holds `.stage.json`: stage, version, the flat configuration keys that were read,
the digests of the inputs. `begin` compares before it records; `require` is how a later stage checks
its input. The version of a stage is raised by hand when its output changes meaning. The commit and
the time are recorded but never compared.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffaudio.files import digest, read_json, write_json
from diffaudio.log import Refusal, environment, log

__all__ = ["RECORD", "begin", "changes", "fingerprint", "finish", "require", "state"]

RECORD = ".stage.json"
_COMPARED = ("stage", "version", "keys", "inputs")


def fingerprint(out: Path) -> str:
    """Return the digest of what the finished folder `out` was made from, "" when there is none.

    Two builds from the same keys, inputs and version have the same fingerprint.
    """
    record = _read(out)
    return _fingerprint(record) if record and record["finished"] else ""


def changes(
    out: Path, *, stage: str, version: int, keys: Mapping[str, Any], inputs: Mapping[str, str]
) -> list[str]:
    """Return why `out` is not what these keys and inputs would make, in words; empty if it is.

    An interrupted build differs in nothing, so it can be continued; `fingerprint` tells it from
    a finished one.
    """
    record = _read(out)
    if record is None:
        return [f"{out} is missing"]
    wanted = _record(stage, version, keys, inputs)
    if record["stage"] != stage:
        return [f"stage: {record['stage']} -> {stage}"]
    reasons = []
    if record["version"] != version:
        reasons.append(f"format version of {stage}: {record['version']} -> {version}")
    reasons += _differences(record["keys"], wanted["keys"])
    old, new = record["inputs"], wanted["inputs"]
    reasons += [f"input {n} changed" for n in sorted({*old, *new}) if old.get(n) != new.get(n)]
    return reasons


def begin(
    out: Path,
    *,
    stage: str,
    version: int,
    keys: Mapping[str, Any],
    inputs: Mapping[str, str],
    force: bool = False,
    outputs: Sequence[str] = (),
) -> bool:
    """Say whether the stage must run, log why, and record that it has begun.

    Args:
        out: the folder the stage writes.
        stage: the stage's name, `shard`.
        version: of the stage's output format and meaning, raised by hand.
        keys: flat configuration keys that the stage reads: {"audio.rate": 16000}.
        inputs: name (a path where there is one) to digest.
        force: run even when nothing changed.
        outputs: glob patterns, relative to `out`, of what the stage writes. They are removed when
            they were made from something else, and kept when an interrupted run is continued.

    Returns:
        True: run, then call `finish`. False: up to date.

    Raises:
        Refusal: `out` belongs to another stage.
    """
    record = _read(out)
    if record and record["stage"] != stage:
        raise Refusal(
            f"{out}: holds the output of the stage {record['stage']}, not of {stage}",
            mend="give another folder",
        )
    reasons = changes(out, stage=stage, version=version, keys=keys, inputs=inputs)
    if force:
        reasons.append("--force")
    if record and not reasons:
        if record["finished"]:
            log.info("%s: up to date", out)
            return False
        log.info("%s: was interrupted; continuing", out)
        return True
    log.info("%s: %s", out, "; ".join(reasons))
    if record:  # first unfinished, then cleared, then renamed: a kill in between is harmless
        write_json(out / RECORD, {**record, "finished": None})
    _remove(out, outputs)
    write_json(out / RECORD, _record(stage, version, keys, inputs))
    return True


def finish(out: Path) -> None:
    """Mark the stage that `begin` opened as finished; the last thing a stage does."""
    record = read_json(out / RECORD)
    finished = time.strftime("%Y-%m-%dT%H:%M:%S")
    write_json(out / RECORD, {**record, "finished": finished, "commit": environment()["commit"]})


def require(out: Path, *, stage: str, keys: Mapping[str, Any], mend: str) -> str:
    """Check that `out` is the finished output of `stage`, made with `keys`, of unchanged input.

    Args:
        out: the folder another stage wrote.
        stage: that stage.
        keys: flat keys that must have had these values then.
        mend: what to do otherwise, `run stage 2 (shard) again`.

    Returns:
        The fingerprint of `out`, for the caller's own `inputs`.

    Raises:
        Refusal: missing, unfinished, or made with another value or from another input.
    """
    record = _read(out)
    if record is None or record["stage"] != stage:
        raise Refusal(f"{out}: the stage {stage} has not been run", mend=mend)
    if not record["finished"]:
        raise Refusal(f"{out}: the stage {stage} was interrupted", mend=mend)
    plain = json.loads(json.dumps(dict(keys)))
    recorded = {key: value for key, value in record["keys"].items() if key in plain}
    reasons = _differences(recorded, plain) + list(_moved(record))
    if reasons:
        raise Refusal(f"{out}: stale (built with -> wanted): {'; '.join(reasons)}", mend=mend)
    return _fingerprint(record)


def state(out: Path) -> tuple[str, str]:
    """Return the state of `out` (done, stale, unfinished, missing) and a word on why."""
    record = _read(out)
    if record is None:
        return "missing", ""
    if not record["finished"]:
        return "unfinished", ""
    reasons = "; ".join(_moved(record))
    return ("stale", reasons) if reasons else ("done", "")


def _moved(record: Mapping[str, Any]) -> Iterator[str]:
    """Name the recorded inputs that are still there but are no longer what they were."""
    for name, old in record["inputs"].items():
        path = Path(name)
        if (path / RECORD).is_file():
            new = fingerprint(path)
        elif path.is_file():
            new = digest(path)
        else:
            continue
        if new != old:
            yield f"input {name}: {old[:12]} -> {new[:12] or 'unfinished'}"


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    names = sorted(name for name in {*old, *new} if (name in old) != (name in new))
    names += sorted(name for name in {*old} & {*new} if old[name] != new[name])
    return [f"{name}: {_word(old, name)} -> {_word(new, name)}" for name in names]


def _word(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name], ensure_ascii=False) if name in values else "absent"


def _record(
    stage: str, version: int, keys: Mapping[str, Any], inputs: Mapping[str, str]
) -> dict[str, Any]:
    record = {"stage": stage, "version": version, "keys": dict(keys), "inputs": dict(inputs)}
    return {**json.loads(json.dumps(record)), "finished": None, "commit": ""}


def _fingerprint(record: Mapping[str, Any]) -> str:
    compared = {name: record[name] for name in _COMPARED}
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()


def _read(out: Path) -> dict[str, Any] | None:
    return read_json(out / RECORD) if (out / RECORD).is_file() else None


def _remove(out: Path, patterns: Sequence[str]) -> None:
    for pattern in patterns:
        for path in sorted(out.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
