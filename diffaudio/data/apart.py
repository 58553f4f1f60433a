"""A recipe's DISJOINT: the fields whose values a split shares with no other split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from diffaudio.data.problem import Problem
from diffaudio.data.validate import Collected
from diffaudio.log import Refusal

__all__ = ["check", "overlaps"]


def check(collected: Collected, disjoint: Mapping[str, Sequence[str]]) -> None:
    """Check that a recipe's DISJOINT names what is there, so that it forbids something.

    Raises:
        Refusal: a split that no row has, or a field that no usable row of that split has.
    """
    for split, fields in disjoint.items() if collected.splits else ():
        if split not in collected.seen:
            splits = ", ".join(sorted(name for name in collected.seen if name))
            raise Refusal(f"DISJOINT: no row is of the split {split!r}", mend=f"one of: {splits}")
        own = 1 << collected.splits.index(split) if split in collected.splits else 0
        for key in fields if own else ():
            if not any(seen & own for seen in collected.values[key].values()):
                raise Refusal(
                    f"DISJOINT: no row of the split {split!r} has the field {key!r}",
                    mend="correct the name, or let rows() yield the field",
                )


def overlaps(collected: Collected, disjoint: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Yield a problem for each value that a split shares with another against the declaration.

    Args:
        collected: with the declared fields' values.
        disjoint: split to the fields whose values no other split may have.
    """
    for split, fields in disjoint.items():
        own = 1 << collected.splits.index(split) if split in collected.splits else 0
        for key in fields:
            for value, seen in collected.values[key].items():
                if seen & own and seen != own:
                    others = [
                        name
                        for place, name in enumerate(collected.splits)
                        if seen & ~own & 1 << place
                    ]
                    detail = f"{key} {value} is also in {', '.join(others)}"
                    yield Problem("split overlap", "", split, "", detail)
