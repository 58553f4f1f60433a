import ctypes
import os
import subprocess
import sys

import pytest

from diffaudio.memory import keep_freed

FAULTS = """
import resource, sys
import numpy as np
from diffaudio.memory import keep_freed

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2**18)  # 2 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
print(int(keep_freed()), given_back, (faults(), faults())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="pages are counted as Linux does")
def test_the_same_block_is_not_fetched_again():
    """As Dask starts its workers, 20 blocks of 512 pages are fetched 20 times; then not at all."""
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", FAULTS]
    told = subprocess.run(command, env=environment, capture_output=True, check=True).stdout.split()
    done, before, after = map(int, told)
    if not done:
        pytest.skip("the C library has no mallopt")
    assert before > 19 * 512
    assert after < 10


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_a_library_without_mallopt_is_left_alone(monkeypatch, error):
    def refuse(_):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert not keep_freed()


def test_a_library_that_refuses_is_no_error(monkeypatch):
    class Library:
        asked = []

        def __init__(self, _):
            self.mallopt = lambda what, value: self.asked.append((what, value)) or 0

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert not keep_freed()
    assert Library.asked == [(-3, 2**30)]
