import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy.py")


@pytest.fixture(scope="session")
def toy():
    """The module toy.py."""
    spec = importlib.util.spec_from_file_location("toy", TOY)
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def accelerator():
    from diffaudio.train.launch import Asked
    from diffaudio.train.world import join

    return join(Asked())


def _command(exp, options, extra):
    return [sys.executable, str(TOY), str(exp), json.dumps(options), json.dumps(extra)]


@pytest.fixture
def launch():
    """Start toy.py as a process of its own; every one started is gone after the test."""
    started = []

    def run(exp, options, extra):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        started.append(subprocess.Popen(_command(exp, options, extra), env=environment))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def two_ranks():
    """Run toy.py as two ranks; returns the exit status."""
    from diffaudio.train.launch import spawn

    return lambda exp, options, **extra: spawn(_command(exp, options, {"ranks": 2, **extra}), 2)
