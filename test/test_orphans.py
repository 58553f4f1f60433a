import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = (
    "import time; from diffaudio.orphans import end_with_parent; {ends}; print(); time.sleep(60)"
)
PARENT = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdout=subprocess.PIPE)\n"
    "child.stdout.readline()\nprint(child.pid, flush=True)\ntime.sleep(60)\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
@pytest.mark.parametrize(("ends", "survives"), [("end_with_parent()", False), ("pass", True)])
def test_a_process_ends_with_its_killed_parent(ends, survives):
    words = [sys.executable, "-c", PARENT, CHILD.format(ends=ends)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + (0.3 if survives else 10.0)
    while alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert alive(child) is survives
    if survives:
        os.kill(child, 9)


def alive(pid):
    """Say whether a process runs: one that ended and that nobody has waited for does not."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
        return told.rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
