"""The front end: text as it is written to the units of a model, in one object that is kept with it.

    front_end = FrontEnd(Phonemes(), normalise="english")
    front_end.read("It cost $5.").said  ->  "It cost five dollars."

It is saved as plain files, `front_end.json` and what the units hold: a lexicon, a model of pieces.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import pydoc
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from diffaudio.files import atomic, read_json, write_json
from diffaudio.log import Refusal, log
from diffaudio.text.english import normalise
from diffaudio.text.units import Units

__all__ = ["FILE", "VERSION", "FrontEnd", "Reading", "held_files", "state_digest"]

VERSION = 3
"""Raised when the same text would be read otherwise: what was kept of readings is made again."""

FILE = "front_end.json"
_OWN = ("diffaudio.", "local.")


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a front end makes of a text.

    Args:
        said: the text in words.
        symbols: its units.
        ids: their numbers.
    """

    said: str
    symbols: tuple[str, ...]
    ids: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class FrontEnd:
    """Turns text into units.

    Args:
        units: what a model is told: characters, phonemes, pieces.
        normalise: the language in which figures and abbreviations are said; none: texts are in
            words already.
        edges: whether a word boundary stands before the first word and behind the last one, too:
            the silence there is no part of a sound then.
    """

    units: Units
    normalise: Literal["english", "none"] = dataclasses.field(default="english", kw_only=True)
    edges: bool = dataclasses.field(default=False, kw_only=True)

    def say(self, text: str) -> str:
        """Return the text in words."""
        return normalise(text) if self.normalise == "english" else " ".join(text.split())

    def read(self, text: str, *, place: str = "text") -> Reading:
        """Return what is made of a text.

        Args:
            text: as it is written.
            place: where it is from, for messages: a file and line, or an utterance.

        Raises:
            Refusal: there is nothing to say, or something has no unit.
        """
        said = self.say(text)
        symbols = self.units.split(said)
        if self.edges and symbols:
            symbols = [self.units.boundary, *symbols, self.units.boundary]
        ids = self.units.number(symbols, place=place)
        return Reading(said, tuple(symbols), tuple(ids))

    def learned(self, texts: Iterable[str], folder: Path) -> FrontEnd:
        """Return the front end that a corpus leads to, and write what it has learned to `folder`.

        Args:
            texts: of the corpus' training set, as they are written.
            folder: where `save` will write the rest.
        """
        units = self.units.learned(map(self.say, texts), folder / _file("model"))
        return dataclasses.replace(self, units=units)

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all that a reading depends on, besides the text."""
        return state_digest(self._state())

    def matches(self, kept: Mapping[str, Any]) -> bool:
        """Say whether a front_end.json is of this front end, wherever its dictionary was.

        Args:
            kept: its content.
        """
        return {"edges": False, **kept, "source": None} == {**self._own(), "source": None}

    def _state(self) -> dict[str, Any]:
        """Return what front_end.json says."""
        return {**self._own(), "source": self.units.source()}

    def _own(self) -> dict[str, Any]:
        """Return what it says of the front end itself; files are named by their content."""
        held = {field: _sha256(content) for field, content in self.units.held().items()}
        values = {field.name: getattr(self.units, field.name) for field in _fields(self.units)}
        return {
            "version": VERSION,
            "normalise": self.normalise,
            "edges": self.edges,
            "units": f"{type(self.units).__module__}.{type(self.units).__qualname__}",
            "arguments": {name: one for name, one in values.items() if name not in held},
            "held": held,
            "names": list(self.units.names),
        }

    def save(self, folder: Path) -> None:
        """Write the front end into `folder`: what the units hold first, front_end.json last."""
        for field, content in self.units.held().items():
            with atomic(folder / _file(field)) as file:
                file.write(content)
        write_json(folder / FILE, self._state())

    @classmethod
    def load(cls, folder: Path) -> FrontEnd:
        """Return the front end in `folder`; of what its file names, only classes of units are made.

        Raises:
            Refusal: a file is missing, changed, or of a newer version; or the units are others.
        """
        path = folder / FILE
        if not path.is_file():
            raise Refusal(
                f"{path}: no such file, and without it a voice does not know its symbols",
                mend="copy it from the experiment that trained the voice, or export that again",
            )
        kept = read_json(path)
        try:
            units, language = _restored(kept, folder), kept["normalise"]
            edges = bool(kept.get("edges", False))  # earlier ones had none
            same, source = list(units.names) == kept["names"], kept["source"]
        except (AttributeError, KeyError, TypeError) as error:
            raise _no_front_end(path, error) from error
        if not same:
            raise Refusal(
                f"{path}: {type(units).__name__} have other names here than the model was "
                "trained with",
                mend="use the version of diffaudio that trained it",
            )
        if source != units.source():
            log.warning("%s: dictionary or tagger are others here: words may differ", path)
        return cls(units, normalise=language, edges=edges)


def held_files(folder: Path, units: str) -> dict[str, Path]:
    """Return the files in `folder` that the units of its front end hold, by the units' field.

    Args:
        folder: with a front end or none.
        units: name of a class; where the front end has others, their files are no use.

    Raises:
        Refusal: the file that says so is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    kept = read_json(path)
    if type(kept) is not dict or type(kept.get("held")) is not dict or "units" not in kept:
        raise _no_front_end(path, "it does not say what it holds")
    if units.rpartition(".")[2] != str(kept["units"]).rpartition(".")[2]:
        return {}
    return {field: folder / _file(field) for field in kept["held"]}


def state_digest(state: Mapping[str, Any]) -> str:
    """Return the digest of what a front_end.json says."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _restored(kept: Any, folder: Path) -> Units:
    """Return the units that front_end.json describes.

    Raises:
        Refusal: they cannot be had.
        KeyError: something is missing in it.
        TypeError: something in it is of another kind.
    """
    if kept["version"] > VERSION:
        raise Refusal(
            f"{folder / FILE}: version {kept['version']}, this is diffaudio's {VERSION}",
            mend="use the version of diffaudio that trained the model",
        )
    if not kept["units"].startswith(_OWN):  # the file may come from elsewhere: nothing is imported
        raise Refusal(
            f"{folder / FILE}: {kept['units']} is neither diffaudio's nor the recipe's own",
            mend="use units of diffaudio.text or of the recipe's local/",
        )
    leaf = pydoc.locate(kept["units"])
    if not isinstance(leaf, type) or not issubclass(leaf, Units):
        raise Refusal(f"{folder / FILE}: {kept['units']} are no units")
    for field, digest in kept["held"].items():
        _check(folder / _file(field), digest)
    return leaf(**kept["arguments"], **{field: folder / _file(field) for field in kept["held"]})


def _no_front_end(path: Path, why: object) -> Refusal:
    return Refusal(f"{path}: not a front end ({why})", mend="copy it from the model again")


def _check(path: Path, digest: str) -> None:
    """Refuse a file that is not what was saved."""
    if not path.is_file() or _sha256(path.read_bytes()) != digest:
        fault = "has changed" if path.is_file() else "is missing"
        raise Refusal(f"{path}: {fault}", mend="copy the front end from the model again")


def _fields(units: Units) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of a leaf.

    Raises:
        TypeError: it is no dataclass.
    """
    if not dataclasses.is_dataclass(units):
        raise TypeError(f"{type(units).__name__}: units must be a dataclass to be kept")
    return dataclasses.fields(units)


def _file(field: str) -> str:
    return f"front_end.{field}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
