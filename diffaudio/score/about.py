"""What a result says besides its numbers: the corpus, and how the wavs were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["corpus", "made_by"]

_MADE = ("mini", "synthetic")  # how labels begin that forbid comparing with published numbers


def corpus(name: str, about: Mapping[str, Any]) -> dict[str, str]:
    """Return the corpus's name and, if its numbers compare with no others, its label.

    Args:
        name: of the data folder.
        about: its corpus.json.
    """
    label = str(about.get("label") or name)
    return {"corpus": name, "label": label} if label.startswith(_MADE) else {"corpus": label}


def made_by(decode: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result takes from decode.json; null where nobody recorded it."""
    plain = ("calls", "solver", "rtf", "seed", "config_sha256")
    trained = {"steps": "train_steps", "hours": "train_hours", "params": "params"}
    return {
        **{name: decode.get(name) for name in plain},
        "hardware": _hardware(decode),
        "train": {name: decode.get(key) for name, key in trained.items()},
    }


def _hardware(decode: Mapping[str, Any]) -> str | None:
    """Return where decoding ran and how: a speed means nothing without."""
    if "hardware" not in decode:
        return None
    threads = decode.get("threads", 0)
    words = [decode["hardware"], f"{threads} thread{'s' * (threads > 1)}" * (threads > 0)]
    return ", ".join(filter(None, [*words, decode.get("precision")]))
