"""What is swept over: the YAML section `sweep:`, and the cells that it makes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffaudio.log import Refusal
from diffaudio.process import Guidance
from diffaudio.solve import Grid, Sampler, Solver

__all__ = ["Cell", "SweepSpec", "Way"]

_NAME = re.compile(r"[A-Za-z0-9.+-]+")  # of a folder


@dataclass(frozen=True)
class Way:
    """A solver on its grid.

    Args:
        solver: of the ODE or SDE: what moves z from knot to knot.
        grid: the time steps, where the knots are.
        temperature: factor of the noise at the start; null: the model's own.
    """

    solver: Solver
    grid: Grid
    temperature: float | None = None


@dataclass(frozen=True)
class Cell:
    """One way to decode one model.

    Args:
        model: experiment folder.
        sampler: name of the solver on its grid.
        calls: network calls.
        guidance: name of the guidance.
        name: of the comparison.
    """

    model: str
    sampler: str
    calls: int
    guidance: str
    name: str = "sweep"

    @property
    def tag(self) -> str:
        """Return the name of this way to decode, a folder in the model's decode/ and score/."""
        return f"{self.name}_{self.sampler}_{self.calls}_{self.guidance}"


@dataclass(frozen=True)
class SweepSpec:
    """The YAML section `sweep`: every model with every sampler, number of calls and guidance.

    Args:
        models: experiment folders; one that is named twice counts once.
        samplers: a name for each solver on its grid; null leaves one out that the file has.
        calls: numbers of network calls; a sampler that cannot spend one exactly is left out there.
        guidance: a name for each; null guides nothing.
        metric: that ranks the cells.
        decode: what else of the section decode is changed, the same in all cells: {repeat: 4}.
        name: of the comparison; the folders of its cells begin with it.
    """

    models: list[str]
    samplers: dict[str, Way | None]
    calls: list[int]
    metric: str
    guidance: dict[str, Guidance | None] | None = None
    decode: dict[str, Any] | None = None
    name: str = "sweep"

    def __post_init__(self) -> None:
        """Refuse what makes no cell, or names that make no folder."""
        for name in (self.name, *self.samplers, *(self.guidance or {})):
            if not _NAME.fullmatch(name):
                raise Refusal(
                    f"sweep: {name!r} names a folder",
                    mend="use letters, digits, '.', '+' and '-' only",
                )
        if "sampler" in (self.decode or {}):
            raise Refusal("sweep.decode: sampler is what is compared", mend="leave it out")
        if not (self.models and self._ways() and self.calls):
            raise Refusal("sweep: models, samplers and calls must each have at least one entry")

    def cells(self) -> list[Cell]:
        """Return all cells, models outermost, in the order of the file.

        Raises:
            Refusal: there is none, since no sampler can make any of the numbers of calls; or a
                guidance does not go with a solver.
        """
        names, ways = list(self.guidance or {"plain": None}), self._ways()
        whole = itertools.product(dict.fromkeys(self.models), ways, names, self.calls)
        found = [
            Cell(model, sampler, calls, guidance, self.name)
            for model, sampler, guidance, calls in whole
            if self._spends(ways[sampler], calls)
        ]
        if not found:
            raise Refusal(
                f"sweep.calls: {self.calls}: none of {', '.join(ways)} makes exactly so many",
                mend="add other numbers of calls",
            )
        for cell in found:
            way = ways[cell.sampler]
            Sampler(way.solver, way.grid, cell.calls, self._guidance(cell))  # before the first runs
        return found

    def weaker(self, cell: Cell) -> bool:
        """Say whether a weaker model guides a cell."""
        guidance = self._guidance(cell)
        return guidance is not None and guidance.weaker

    def _guidance(self, cell: Cell) -> Guidance | None:
        return (self.guidance or {}).get(cell.guidance)

    def _ways(self) -> dict[str, Way]:
        return {name: way for name, way in self.samplers.items() if way is not None}

    @staticmethod
    def _spends(way: Way, calls: int) -> bool:
        """Say whether a sampler can make exactly so many calls: some take two a step."""
        try:
            Sampler(way.solver, way.grid, calls)
        except Refusal:
            return False
        return True


def overlay(section: Mapping[str, Any], cell: Cell, *, weaker: bool = False) -> dict[str, Any]:
    """Return the configuration that is laid over a model's own to decode a cell.

    Args:
        section: the section `sweep` in plain values.
        cell: one of its cells.
        weaker: whether a weaker model guides it: the others have none.
    """
    guidance = (section["guidance"] or {}).get(cell.guidance)
    way = {key: one for key, one in section["samplers"][cell.sampler].items() if one is not None}
    sampler = {**way, "calls": cell.calls, "guidance": guidance}
    decode = {**(section["decode"] or {}), "sampler": sampler}
    return {"decode": decode if weaker else {**decode, "weaker": None}}
