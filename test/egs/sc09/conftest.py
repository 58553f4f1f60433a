"""The recipe's own modules, imported as its scripts import them: by name, from their folder."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

LOCAL = Path(__file__).parents[3] / "egs" / "sc09" / "local"
NAMES = ("data", "clips", "flite", "mini", "official", "recordings", "synthetic")


@pytest.fixture(scope="session")
def local():
    """Return the modules of egs/sc09/local by name."""
    sys.path.insert(0, str(LOCAL))
    try:
        modules = {name: importlib.import_module(name) for name in NAMES}
    finally:
        sys.path.remove(str(LOCAL))
        for name in NAMES:  # another recipe has modules of these names
            sys.modules.pop(name, None)
    return SimpleNamespace(**modules)
