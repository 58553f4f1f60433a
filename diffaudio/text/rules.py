"""A rule of normalisation: what it is called, what it looks for, what is said in its place.

Rules are applied in the order of their table, each to what those before it left. A rule that must
not touch what another one handles stands behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["Match", "Rule", "apply", "rule", "stopped", "words_of"]

Match = re.Match[str]


@dataclass(frozen=True)
class Rule:
    """One kind of thing that is written otherwise than it is said.

    Args:
        name: what it is called in tests and tables.
        pattern: where it applies.
        say: from what was found to what is said; what it returns unchanged was none of its cases.
    """

    name: str
    pattern: re.Pattern[str]
    say: Callable[[Match], str]


def rule(name: str, pattern: str, say: Callable[[Match], str] | str, *, flags: int = 0) -> Rule:
    """Return a rule of a pattern in verbose form; `say` may be a template, as `re.sub` takes it."""
    if isinstance(say, str):
        template = say
        return Rule(name, re.compile(pattern, flags | re.X), lambda match: match.expand(template))
    return Rule(name, re.compile(pattern, flags | re.X), say)


def apply(rules: Iterable[Rule], text: str, fired: set[str] | None = None) -> str:
    """Apply rules in their order.

    Args:
        rules: the table.
        text: any text.
        fired: takes the names of the rules that changed something.
    """
    for one in rules:
        after = one.pattern.sub(one.say, text)
        if fired is not None and after != text:
            fired.add(one.name)
        text = after
    return text


def words_of(*words: str) -> str:
    """Return a pattern of any of some words, the longest first, taken literally."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def stopped(match: Match, words: str) -> str:
    """Return words with the full stop of the abbreviation in whose place they stand.

    It goes, unless the text ends there: then it is the sentence's as well.
    """
    last = not match.string[match.end() :].strip("\"')( ")
    return words + ("." if last and match[0].rstrip().endswith(".") else "")
