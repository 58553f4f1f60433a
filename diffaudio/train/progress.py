"""How far a run has come: what a checkpoint holds of it besides tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Progress"]


@dataclass
class Progress:
    """How far a run has come: all of a run's state that is not a tensor.

    Attributes:
        step: steps done.
        updates: those that changed the weights.
        skipped: those skipped in a row until now.
        validated: the step of the last validation.
        best: {"checkpoint": name, "protocol": digest, metric: value, ...} of the best validation.
        log_bytes: length of log.jsonl.
        seconds: spent on steps, by the clock; what was lost by a kill is not counted.
    """

    step: int = 0
    updates: int = 0
    skipped: int = 0
    validated: int = 0
    best: dict[str, Any] | None = None
    log_bytes: int = 0
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The name of the checkpoint at this step."""
        return f"step_{self.step:08d}"
