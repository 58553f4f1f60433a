"""The record of a stage in its output folder: `.stage.json`, what was read, and `.stage.files`.

`.stage.json` holds stage, version, the flat configuration keys that were read, the digests of the
inputs, and when it was finished; the commit and the time are recorded but never compared.
`.stage.files` holds names and sizes of what the finished stage wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diffaudio import inventory, origins
from diffaudio.files import digest, read_json
from diffaudio.log import Refusal

__all__ = ["FILES", "RECORD", "begun", "fingerprint", "identity", "moved", "read"]

RECORD, FILES = ".stage.json", ".stage.files"
_FIELDS = ("stage", "version", "keys", "inputs", "finished")


def read(out: Path) -> dict[str, Any] | None:
    """Return the record in `out`, if there is one.

    Raises:
        Refusal: it is no record of a stage.
    """
    path = out / RECORD
    if not path.is_file():
        return None
    record = read_json(path)
    if type(record) is not dict or not record.keys() >= {*_FIELDS}:
        raise Refusal(
            f"{path}: is not the record of a stage",
            mend=f"remove it, and the stage that writes {out} will run again",
        )
    return record


def fingerprint(out: Path) -> str:
    """Return the digest of what the finished folder `out` was made from, "" when there is none.

    Two builds from the same keys, inputs and version have the same fingerprint.
    """
    record = read(out)
    return identity(record) if record and record["finished"] else ""


def identity(record: Mapping[str, Any]) -> str:
    """Return the digest of what a record says of keys, inputs and version."""
    compared = [record[name] for name in ("stage", "version", "keys")]
    compared.append(sorted(origins.pairs(record["inputs"])))
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()


def begun(
    out: Path, stage: str, version: int, keys: Mapping[str, Any], inputs: Mapping[str, str]
) -> dict[str, Any]:
    """Return the record of a stage that begins now; see `provenance.begin`."""
    held = {origins.stored(out, name): value for name, value in inputs.items()}
    record = {"stage": stage, "version": version, "keys": dict(keys), "inputs": held}
    return {**json.loads(json.dumps(record)), "finished": None, "commit": ""}


def moved(out: Path, record: Mapping[str, Any], *, deep: bool) -> Iterator[str]:
    """Name the recorded inputs that are still there but are no longer what they were."""
    for name, old in record["inputs"].items():
        path, of = origins.place(out, name), origins.shown(out, name)
        if old.startswith(inventory.MARK):
            if deep and path.is_dir() and inventory.state(path, mark=RECORD) != old:
                yield f"input {of}: its files changed"
            continue
        below = read(path)
        if below is None and not path.is_file():
            continue
        new = fingerprint(path) if below else digest(path)
        if new != old:
            yield f"input {of}: {old[:12]} -> {new[:12] or 'unfinished'}"
        elif below and deep:
            for reason in moved(path, below, deep=True):
                yield reason if " (input of " in reason else f"{reason} (input of {of})"
