"""What a stage read, written beside what it wrote, so that stale output is named and never used.

Each output folder holds the record of its stage (`records.py`). `begin` compares before it records;
`require` is how a later stage checks its input. The version of a stage is raised by hand when its
output changes meaning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffaudio import inventory, origins
from diffaudio.files import read_json, remove, write_json
from diffaudio.log import Refusal, environment, log
from diffaudio.origins import Usual, none_usual
from diffaudio.records import FILES, RECORD, begun, fingerprint, identity, moved, read

__all__ = ["FILES", "RECORD", "begin", "changes", "fingerprint", "finish", "require", "state"]
__all__ += ["held_version", "refuse_other"]


def changes(
    out: Path,
    *,
    stage: str,
    version: int,
    keys: Mapping[str, Any],
    inputs: Mapping[str, str],
    usual: Usual = none_usual,
) -> list[str]:
    """Return why `out` is not what these keys and inputs would make, in words; empty if it is.

    An interrupted build differs in nothing, so it can be continued; `fingerprint` tells it from
    a finished one.
    """
    record = read(out)
    if record is None:
        return ["new"]
    wanted = begun(out, stage, version, keys, inputs)
    if record["stage"] != stage:
        return [f"stage: {record['stage']} -> {stage}"]
    reasons = []
    if record["version"] != version:
        reasons.append(f"format version of {stage}: {record['version']} -> {version}")
    reasons += origins.other_keys(record["keys"], wanted["keys"], usual).values()
    reasons += origins.other_inputs(out, record["inputs"], wanted["inputs"])
    lost = inventory.lost(out, out / FILES) if record["finished"] else ""
    return [*reasons, lost] if lost else reasons


def begin(
    out: Path,
    *,
    stage: str,
    version: int,
    keys: Mapping[str, Any],
    inputs: Mapping[str, str],
    force: bool = False,
    outputs: Sequence[str] = (),
    usual: Usual = none_usual,
) -> bool:
    """Say whether the stage must run, log why, and record that it has begun.

    Args:
        out: the folder the stage writes.
        stage: the stage's name, `shard`.
        version: of the stage's output format and meaning, raised by hand.
        keys: flat configuration keys that the stage reads: {"audio.rate": 16000}.
        inputs: name (a path where there is one) to digest; of a folder's files, what
            `inventory.state` returns.
        force: run even when nothing changed.
        outputs: glob patterns, relative to `out`, of what the stage writes. They are removed when
            they were made from something else or one of them was lost, and kept when an
            interrupted run is continued. `finish` takes down their names and sizes.
        usual: whether a key has its default. One that has, and that the record lacks, is newer
            than what was made, and no change.

    Returns:
        True: run, then call `finish`. False: up to date.

    Raises:
        Refusal: `out` belongs to another stage, or was made by a newer version of this one.
    """
    record = read(out)
    if record:
        _refuse_foreign(out, record, stage, None if force else version)
    reasons = changes(out, stage=stage, version=version, keys=keys, inputs=inputs, usual=usual)
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
    remove(out, outputs)
    opened = begun(out, stage, version, keys, inputs)
    write_json(out / RECORD, {**opened, "outputs": list(outputs)})
    return True


def _refuse_foreign(out: Path, record: Mapping[str, Any], stage: str, version: int | None) -> None:
    """Refuse to replace another stage's output, or what a newer version than this one made."""
    if record["stage"] != stage:
        raise Refusal(
            f"{out}: holds the output of the stage {record['stage']}, not of {stage}",
            mend="give another folder",
        )
    if version is not None and record["version"] > version:
        raise Refusal(
            f"{out}: made by version {record['version']} of the stage {stage}, newer than the "
            f"version {version} that is installed",
            mend="install the newer diffaudio, or give another folder; --force replaces it",
        )


def finish(out: Path, *, also: Sequence[str] = ()) -> None:
    """Mark the stage that `begin` opened as finished; the last thing a stage does.

    Args:
        out: the folder of the stage.
        also: glob patterns of outputs besides those that `begin` was told.
    """
    record = read_json(out / RECORD)
    inventory.write(out / FILES, inventory.sizes(out, [*record.get("outputs", ()), *also]))
    finished = time.strftime("%Y-%m-%dT%H:%M:%S")
    write_json(out / RECORD, {**record, "finished": finished, "commit": environment()["commit"]})


def require(
    out: Path,
    *,
    stage: str,
    keys: Mapping[str, Any],
    mend: str,
    deep: bool = True,
    usual: Usual = none_usual,
) -> str:
    """Check that `out` is the finished output of `stage`, made with `keys`, of unchanged input.

    Args:
        out: the folder another stage wrote.
        stage: that stage.
        keys: flat keys that must have had these values then.
        mend: what to do otherwise, `run stage 2 (shard) again`.
        deep: look at the inputs of the inputs, too, down to the corpus' files: one `stat` each.
        usual: as for `begin`.

    Returns:
        The fingerprint of `out`, for the caller's own `inputs`.

    Raises:
        Refusal: missing, unfinished, incomplete, or made with another value or from another input.
    """
    record = read(out)
    if record is None or record["stage"] != stage:
        raise Refusal(f"{out}: the stage {stage} has not been run", mend=mend)
    if not record["finished"]:
        raise Refusal(f"{out}: the stage {stage} was interrupted", mend=mend)
    if lost := inventory.lost(out, out / FILES):
        raise Refusal(f"{out}: the output of the stage {stage} is not complete: {lost}", mend=mend)
    plain = json.loads(json.dumps(dict(keys)))
    recorded = {key: value for key, value in record["keys"].items() if key in plain}
    reasons = [*origins.other_keys(recorded, plain, usual).values()]
    reasons += dict.fromkeys(moved(out, record, deep=deep))
    if reasons:
        raise Refusal(f"{out}: stale (built with -> wanted): {'; '.join(reasons)}", mend=mend)
    return identity(record)


def held_version(out: Path) -> int | None:
    """Return the version of the stage that made `out`, finished or not; None if none did."""
    record = read(out)
    return record["version"] if record else None


def refuse_other(out: Path, inputs: Mapping[str, str], *, mend: str) -> None:
    """Refuse to replace what `out` holds by what is made from another folder of data.

    Args:
        out: the folder of a stage.
        inputs: as for `begin`; only folders are looked at.
        mend: how to keep both apart.

    Raises:
        Refusal: `out` was made from a folder of the same name, in another place and not the same.
    """
    record = read(out)
    held = record["inputs"] if record and "outputs" in record else {}  # older ones: other names
    for before, now in origins.elsewhere(out, held, inputs):
        raise Refusal(f"{out}: was made from {before}, not from {now}", mend=mend)


def state(out: Path, *, keys: Mapping[str, Any] | None = None, stage: str = "") -> tuple[str, str]:
    """Return the state of `out` (done, stale, unfinished, missing, damaged) and a word on why.

    Args:
        out: the folder of a stage.
        keys: flat keys that are asked for now; of those only what `out` recorded can make it stale.
        stage: whose output is held against `keys`; that of another stage is not, "" takes any.
    """
    try:
        record = read(out)
        if record is None:
            return "missing", ""
        asked = keys if keys and stage in {"", record["stage"]} else {}
        unlike = _unlike(record["keys"], asked)
        if not record["finished"]:
            return "unfinished", "; ".join(unlike)
        lost = inventory.lost(out, out / FILES)
        other = dict.fromkeys(moved(out, record, deep=True))
        reasons = "; ".join(filter(None, [*unlike, lost, *other]))
    except Refusal as refusal:
        return "damaged", str(refusal).replace("\n ", ";")
    return ("stale", reasons) if reasons else ("done", "")


def _unlike(held: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Name the recorded keys that have another value in `asked`; other sections do not count."""
    sections = {name.partition(".")[0] for name in asked}
    held = {name: value for name, value in held.items() if name.partition(".")[0] in sections}
    now = {name: value for name, value in asked.items() if name in held}
    return [*origins.other_keys(held, json.loads(json.dumps(now))).values()]
