"""A recipe's own modules: as the toolkit imports them, a package, or as its scripts, by name.

And what must hold of the configurations of every recipe.
"""

import contextlib
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from diffaudio.config import make_local_found, parse
from diffaudio.sweep.spec import SweepSpec

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


def modules_of(recipe, names):
    """Return modules of a recipe by name, imported from their folder as its scripts do."""
    local = str(RECIPES / recipe / "local")
    sys.path.insert(0, local)
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(local)
        for name in names:  # another recipe has modules of these names
            sys.modules.pop(name, None)


def whole(recipe, *others):
    """Return a recipe's configurations but for `others` and settings of a site's batch system."""
    site = {path for kind in ("slurm", "pbs", "sge") for path in recipe.glob(f"conf/{kind}*.yaml")}
    return sorted({*recipe.glob("conf/*.yaml")} - site - {*others})


def sweep_of(path):
    """Read the configuration of a sweep, of a model besides those that it names."""
    argv = ["--config", str(path), "--sweep.models+=exp/mini"]
    return parse(argv, prog="test", description="", sections={"sweep": SweepSpec}).build(SweepSpec)


def trained_where_it_samples(model, sampler):
    """Say whether the sampler calls the network at times that training draws, the ends to 1 %."""
    path, u = model.denoiser.path, torch.tensor([0.0, 1.0 - 1e-9], dtype=torch.float64)
    least, most = model.objective.times(u, path)
    knots = sampler.knots(path)
    return bool(least <= 1.01 * knots[-1].t and knots[0].t <= 1.01 * most)
