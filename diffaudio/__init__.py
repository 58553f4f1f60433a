"""diffaudio: recipes for score-based audio models (diffusion, flow matching and bridges)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffaudio.api import AudioModel, load

__version__ = "0.1.0"
__all__ = ["AudioModel", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import the user's interface on first use, so that `import diffaudio` stays light."""
    if name in {"AudioModel", "load"}:
        return getattr(importlib.import_module("diffaudio.api"), name)
    raise AttributeError(f"module 'diffaudio' has no attribute {name!r}")
