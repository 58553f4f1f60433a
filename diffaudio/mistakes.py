"""What a wrong configuration is told: key, value, place and what was probably meant.

The messages of jsonargparse name the key in parts and the types as Python prints them. They are
read here into one sentence; a message of an unknown form is passed on as it is.
"""

from __future__ import annotations

import difflib
import pydoc
import re
import typing
from collections.abc import Iterable, Mapping
from inspect import isabstract, signature
from typing import Any

from jsonargparse import ArgumentParser

from diffaudio.log import Refusal

__all__ = ["Mistakes", "flat_key", "suggest"]


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?`, or `one of: ...` when nothing known is like `word`.

    Capitals and small letters are alike.
    """
    names = sorted(known)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]}?"
    return f"one of: {', '.join(names)}" if names else ""


def flat_key(flag: str) -> str:
    """Return the flat key that a flag sets: `--model.net.init_args.depth=6` is model.net.depth."""
    return flag.lstrip("-").split("=")[0].replace(".init_args", "")


class Mistakes:
    """Turns a message of jsonargparse into key, value, place and suggestion.

    Args:
        parser: the parser that refused.
        sections: section name to class.
        places: flat key to where it was given.
    """

    def __init__(
        self, parser: ArgumentParser, sections: Mapping[str, type], places: Mapping[str, str]
    ) -> None:
        self.sections, self.places = sections, places
        self.known = list(parser.get_defaults(skip_validation=True).keys())

    def explain(self, text: str) -> Refusal:
        """Return what to tell the user for jsonargparse's `text`."""
        text = " ".join(text.split())
        key = ".".join(re.findall(r'Parser key "([^"]+)"', text))
        if found := re.search(r"unrecognized arguments: (\S+)", text):
            return self._stray(found[1])
        if found := re.search(r"Group '(\S+)' does not accept option '(\S+)'", text):
            known = [name for name in self.known if name.startswith(found[1])]
            return self._unknown(f"{found[1]}.{found[2]}", known)
        if "Dict must include a class_path" in text:
            return self._unknown(f"{key}.class_path", [])
        if found := re.search(r"Option '(\S+)' is not accepted", text):
            return self._unknown(f"{key}.{found[1]}", [f"{key}.{n}" for n in _parameters(text)])
        if found := re.search(r"arguments are required: (.+?)(?:\. Got value|$)", text):
            names = [f"{key}.{name}".lstrip(".") for name in found[1].split(", ")]
            mend = f"add it to the --config file, or give --{names[0]} VALUE"
            mend = mend if "." in names[0] else "see --help"
            return self._at(names[0], f"{', '.join(names)}: missing", mend)
        core = _core(text)
        if re.search(r"no class|has no attribute|No module named|subclass", core):
            word = core.split()[-1] if core.startswith("no class") else ""
            return self._at(key, f"{key}: {core}", suggest(word, self._classes(key)))
        return self._at(key, f"{key}: {core}" if key else text, "")

    def _stray(self, word: str) -> Refusal:
        if not word.startswith("--"):
            mend = "put words that belong together in quotes; --help shows what there is"
            return Refusal(f"unexpected argument {word!r}", mend=mend)
        section = flat_key(word).split(".")[0]
        if "." in word and section not in self.sections:
            reads = ", ".join(self.sections) or "none"
            return Refusal(f"{word}: no section {section} here", mend=f"this command reads {reads}")
        return Refusal(f"{word}: no such option", mend=suggest(flat_key(word), self.known))

    def _unknown(self, key: str, known: Iterable[str]) -> Refusal:
        if key.endswith(".class_path"):
            key = key.rpartition(".")[0]
            return self._at(key, f"{key}: options beside class_path", "put them under init_args")
        return self._at(key, f"{key}: no such option", suggest(key, known))

    def _at(self, key: str, message: str, mend: str) -> Refusal:
        while key and key not in self.places:
            key = key.rpartition(".")[0]
        return Refusal(f"{self.places[key]}: {message}" if key else message, mend=mend)

    def _classes(self, key: str) -> list[str]:
        """Name the classes that could stand at `model.net`, as far as they are imported."""
        section, *parts = key.split(".")
        hint: Any = self.sections.get(section)
        for part in parts:
            known = signature(hint, eval_str=True).parameters if isinstance(hint, type) else {}
            hint = known[part].annotation if part in known else None
        kinds = [kind for kind in (hint, *typing.get_args(hint)) if isinstance(kind, type)]
        for kind in kinds:
            kinds += kind.__subclasses__()
        return [kind.__name__ for kind in kinds if not isabstract(kind)]


def _parameters(text: str) -> list[str]:
    """Return what the innermost class of a message accepts."""
    found = re.search(r"is not accepted.*?class_path='([\w.]+)'", text) or re.search(
        r"(?:.*)given class_path '([\w.]+)'", text
    )
    located = pydoc.locate(found[1]) if found else None
    return list(signature(located).parameters) if isinstance(located, type) else []


def _core(text: str) -> str:
    """Return the innermost complaint: `expected int or null, got fast`."""
    if found := re.search(r"dot import path string: (\S*)", text):
        return f"no class {found[1]}"
    value = re.search(r"(?:Got|Given) value: (.*?)(?:\.? Got value: .*)?$", text)
    got = f", got {value[1] or repr('')}" if value else ""
    if kinds := re.findall(r"Expected an? (.+?)(?=\. Got| - | Given|$)", text):
        names = [re.sub(r"<class '(?:\w+\.)*(\w+)'>|typing\.", r"\1", kind) for kind in kinds]
        return f"expected {' or '.join(names).replace('NoneType', 'null')}{got}"
    text = re.sub(r'.*?(Parser key "\S+": |a callable class: )', "", text)
    return re.sub(r"\.* Got value: .*", "", text)
