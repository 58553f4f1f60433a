"""What a result says besides its numbers: the corpus, how the wavs were made, what it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffaudio import provenance, strict
from diffaudio.data import manifest, problem
from diffaudio.files import digest, read_json
from diffaudio.score.pairs import MADE, content

__all__ = ["corpus", "data_set", "described", "made", "made_by", "scope", "speakers"]
__all__ += ["subset", "trained_by"]

_SILENT = 'its corpus.json does not say "comparable": true'
_DECODE = (
    *("calls", "solver", "grid", "rtf", "seed", "config_sha256", "checkpoint"),
    *("checkpoint_sha256", "device", "threads", "precision"),
)
_VOICE = ("vocoder", "parts")  # of a model that reads, whose parts were timed


def described(data: Path) -> dict[str, Any]:
    """Return what corpus.json says in the data folder, and before it in the corpus itself.

    Where `comparable` lists files of the corpus, those that are not there are what is left of it.
    """
    about, root = read_json(data / "corpus.json"), manifest.root(data)
    own = root / "corpus.json"
    about = {**(read_json(own) if own.is_file() else {}), **about}
    if type(needed := about.get("comparable")) is list:
        about["comparable"] = [name for name in needed if not (root / name).is_file()] or True
    return about


def corpus(name: str, about: Mapping[str, Any], cut: Iterable[str] = ()) -> dict[str, Any]:
    """Return the corpus's name, its label, and why its numbers compare with no published ones.

    Args:
        name: of the data folder.
        about: what corpus.json says. `comparable` is whether this is a published test set, or
            names the files that it lacks to be one; `label` is what the corpus calls itself.
        cut: how the test set is less than the corpus's own.

    Returns:
        {"corpus", "label"?, "not_comparable": reasons, empty where numbers do compare}.
    """
    label = str(about.get("label") or name)
    if about.get("comparable") is True:
        return {"corpus": label, "not_comparable": list(cut)}
    reason = "the corpus is no published one" if "comparable" in about else _SILENT
    if missing := about.get("comparable"):
        reason = f"its split is ours: the published lists are not there ({', '.join(missing)})"
    return {"corpus": name, "label": label, "not_comparable": [reason, *cut]}


def data_set(
    data: Path, split: str, rows: Sequence[Mapping[str, Any]], roles: Sequence[str]
) -> dict[str, Any]:
    """Return what a protocol says of a set: its name, size, and digests of manifest and audio.

    Args:
        data: folder of the manifests.
        split: `test`.
        rows: of its manifest.
        roles: of the audio that is used.
    """
    root = manifest.root(data)
    played = dict.fromkeys(root / row["audio"][role] for row in rows for role in roles)
    return {
        "corpus": data.name,
        "split": split,
        "utterances": len(rows),
        "speakers": speakers(rows),
        "manifest_sha256": digest(data / f"{split}.jsonl"),
        "audio_sha256": content(played),
    }


def subset(data: Path, split: str, rows: int) -> list[str]:
    """Return how a test set is less than the corpus's own: rows left out, or a limit reached.

    Args:
        data: folder of the manifests.
        split: `test`.
        rows: in its manifest.
    """
    path, record = data / "problems.jsonl", data / provenance.RECORD
    found = problem.read(path) if path.is_file() else ()
    rejected = len({one.id or one.file for one in found if one.split == split})
    limit = read_json(record)["keys"].get("limit", 0) if record.is_file() else 0
    cut = [f"{rejected} of {rows + rejected} rows were rejected"] if rejected else []
    if 0 < limit <= rows + rejected:
        cut.append(f"only the first {limit} rows were taken (--limit)")
    return cut


def speakers(rows: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the number of speakers of a manifest; None if a row does not name one."""
    names = {str(row["speaker"]) if row.get("speaker") else "" for row in rows}
    return None if "" in names else len(names)


def scope(found: Mapping[str, Any]) -> str:
    """Return of what the intervals of a result speak, and of what they do not."""
    if real := found.get("reference"):
        return (
            f"Intervals are over other sets of clips of the same size, held against these "
            f"{real['n']} real clips of the {real['set']} set, not over other real clips or "
            "training runs."
        )
    count = found.get("speakers")
    who = "this test set (its speakers are not recorded)"
    if count:
        who = f"{'these' if count > 1 else 'this'} {count} speaker{'s' * (count > 1)}"
    return (
        f"Intervals and p-values are over utterances of {who} and one training run, "
        "not over other speakers, noises or runs."
    )


def made(wavs: Path, exp: Path) -> dict[str, Any]:
    """Return how the wavs in a folder were made, as far as that is recorded.

    Args:
        wavs: the folder, with decode.json if diffaudio decoded them.
        exp: experiment they came from.
    """
    path, record = wavs / MADE, wavs / provenance.RECORD
    if not path.is_file():
        return made_by({})
    found = made_by(read_json(path))
    found["train"] |= trained_by(exp)
    commit = read_json(record).get("commit") if record.is_file() else None
    return {**found, "decode_commit": commit or None}


def made_by(decode: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result takes from decode.json; null where nobody recorded it."""
    trained = {"steps": "train_steps", "hours": "train_hours", "params": "params"}
    some = ("temperature", *(_VOICE if "parts" in decode else ()))
    return {
        **{name: decode.get(name) for name in _DECODE},
        **{name: decode[name] for name in some if name in decode},
        "decode_commit": None,
        "hardware": _hardware(decode),
        "train": {
            **{name: decode.get(key) for name, key in trained.items()},
            "seed": None,
            "config_sha256": None,
        },
    }


def trained_by(exp: Path) -> dict[str, Any]:
    """Return {"seed", "config_sha256"} of an experiment's training; empty if it is not known."""
    path = exp / "config.yaml"
    if not path.is_file():
        return {}
    train = strict.load(path, {}).get("train") or {}
    return {"seed": train.get("seed"), "config_sha256": digest(path)}


def _hardware(decode: Mapping[str, Any]) -> str | None:
    """Return where decoding ran and how: a speed means nothing without."""
    if "hardware" not in decode:
        return None
    threads = decode.get("threads", 0)
    words = [decode["hardware"], f"{threads} thread{'s' * (threads > 1)}" * (threads > 0)]
    return ", ".join(filter(None, [*words, decode.get("precision")]))
