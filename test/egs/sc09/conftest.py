"""The recipe's own modules, imported as its scripts import them: by name, from their folder."""

import pytest
from recipe import modules_of

NAMES = ("data", "clips", "flite", "mini", "official", "recordings", "synthetic")


@pytest.fixture(scope="session")
def local():
    """Return the modules of egs/sc09/local by name."""
    return modules_of("sc09", NAMES)
