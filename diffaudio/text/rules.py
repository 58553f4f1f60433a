"""A rule of normalisation: what it is called, what it looks for, what is said in its place.

Rules are applied in the order of their table, each to what those before it left. A rule that must
not touch what another one handles stands behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["Match", "Rule", "apply", "STARTERS", "rule", "stopped", "words_of"]

Match = re.Match[str]


STARTERS = frozenset({
    "The", "A", "An", "He", "She", "It", "They", "We", "You", "I", "In", "On", "At", "But", "And",
    "Then", "This", "That", "There", "These", "Those", "If", "When", "While", "His", "Her", "Its",
    "Their", "Our", "My", "Your", "What", "Who", "Why", "How", "Where", "No", "Not", "Yes", "So",
    "As", "For", "From", "With", "After", "Before", "Now", "Here", "Let", "One", "All", "To", "Of",
    "Please", "Some", "Many", "Most", "Both", "Each", "Every", "However", "Also", "Although",
    "Because", "Since", "Later", "Today", "Yesterday", "Tomorrow", "Meanwhile", "Do", "Does",
    "Did", "Is", "Are", "Was", "Were", "Would", "Can", "Could", "Should", "Have", "Has", "Had",
    "Another", "Other", "Several", "Until", "Once", "Perhaps", "By", "Or", "Thus", "Still",
    "During", "Through", "Under", "Over", "Only", "Such", "Which", "Them", "Him", "Me", "Us",
})  # fmt: skip
"""Words that begin a sentence and no name."""


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

    It goes, unless a sentence ends there: then it is the sentence's as well.
    """
    after = match.string[match.end() :]
    begins = re.match(r"\s+([A-Z][a-z]*)\b(?!\.)", after)
    last = not after.strip("\"')( ") or begins and begins[1] in STARTERS
    return words + ("." if last and match[0].rstrip().endswith(".") else "")
