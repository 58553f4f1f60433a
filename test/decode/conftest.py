import shutil

import pytest

from diffaudio.decode import slices, stage


@pytest.fixture
def in_this_process(monkeypatch):
    """Let tasks of the decode stage run in this process, no model loaded before."""

    def run_tasks(tasks, **_):
        return [task.function(**task.arguments) for task in tasks]

    monkeypatch.setattr(stage, "run_tasks", run_tasks)
    slices._trained.cache_clear()


@pytest.fixture
def exp(tiny_exp, tmp_path):
    """Return a trained enhancer's folder that a test may change."""
    return shutil.copytree(tiny_exp, tmp_path / "exp" / "demo")
