"""The bench of the training loop still runs; what it measures is not judged here."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_two_turns_of_each_loop_are_timed():
    bench = Path(__file__).with_name("train.py")
    done = subprocess.run(
        [sys.executable, bench, "--steps", "20"], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    assert "bare loop" in done.stdout
    assert "cost" in done.stdout
