import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diffaudio.train.signals import stopping


def test_a_signal_is_remembered_and_the_old_handlers_come_back():
    before = {number: signal.getsignal(number) for number in (15, 10, 2)}
    with stopping() as stop:
        assert not stop
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stop
        assert stop.reason == "SIGUSR1"
    assert {number: signal.getsignal(number) for number in (15, 10, 2)} == before


def test_the_second_ctrl_c_is_not_waited_for():
    with stopping() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.reason == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
print(child.pid, flush=True)
child.wait()
"""
CHILD = """
import sys, time
from diffaudio.train.signals import die_with_parent
die_with_parent()
sys.stderr.write("ready\\n")
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_rank_does_not_outlive_its_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline())
    assert parent.stderr.readline() == "ready\n"
    parent.kill()
    parent.wait()
    for _ in range(100):
        try:
            state = Path(f"/proc/{child}/stat").read_text().split()[2]
        except FileNotFoundError:
            break
        if state == "Z":  # ended; whoever adopted it has not looked yet
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child lives on")


def test_a_parent_that_is_gone_already_ends_the_rank():
    code = CHILD.replace("time.sleep(60)", "sys.exit(0)")
    environment = {**os.environ, "DIFFAUDIO_LAUNCHER": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert run.returncode == 1
