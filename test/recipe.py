"""A recipe's own package `local`, imported as the toolkit does: from the recipe's folder."""

import contextlib
import importlib
import sys
from pathlib import Path

import pytest

from diffaudio.config import make_local_found

RECIPES = Path(__file__).parents[1] / "egs"


@contextlib.contextmanager
def package_of(recipe):
    """Give a function that imports `local.NAME` of a recipe; other recipes have such names too."""
    make_local_found()
    _forget()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(RECIPES / recipe)
            yield lambda name: importlib.import_module(f"local.{name}")
    finally:
        _forget()


def _forget():
    """Let no package `local` of another folder answer."""
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.split(".")[0] == "local"]:
        del sys.modules[name]
