import json
import os
import signal
import sys
import time

import pytest

from diffaudio.log import Refusal
from diffaudio.train.launch import Asked, spawn, start

SAY = """
import json, os, sys
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
open(sys.argv[1] + os.environ["RANK"], "w").write(json.dumps([os.environ[n] for n in names]))
"""


@pytest.fixture
def alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("wrong", [{"ngpu": -1}, {"num_nodes": 0}, {"cpu_ranks": 0}])
def test_no_such_number_of_processes(wrong):
    with pytest.raises(Refusal, match="no such number"):
        Asked(**wrong)


def test_sizes():
    assert [Asked(ngpu=4, num_nodes=2).size, Asked().size, Asked(cpu_ranks=3).per_node] == [8, 1, 3]
    with pytest.raises(Refusal, match="one of the two"):
        Asked(ngpu=1, cpu_ranks=2)


def test_one_process_runs_here(alone):
    assert start(Asked(), ["false"], lambda: 42) == 42


def test_a_rank_of_torchrun_runs_here(alone, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert start(Asked(cpu_ranks=2), ["false"], lambda: 42) == 42


def test_several_nodes_need_somebody_to_start_them(alone):
    with pytest.raises(Refusal, match="--num_nodes 2"):
        start(Asked(num_nodes=2), ["false"], lambda: 42)


def test_a_task_of_srun_is_told_who_it_is(alone, monkeypatch):
    step = {"PROCID": "3", "LOCALID": "1", "JOB_ID": "5", "STEP_NODELIST": "n[1-2]"}
    step |= {"STEP_NUM_TASKS": "4", "STEP_NUM_NODES": "2"}
    for name, value in step.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    seen = {}
    start(Asked(ngpu=2, num_nodes=2), ["false"], lambda: seen.update(os.environ) or 0)
    assert (seen["RANK"], seen["WORLD_SIZE"], seen["MASTER_ADDR"]) == ("3", "4", "n1")


def test_ranks_get_the_variables_of_torch(alone, tmp_path):
    code = start(Asked(cpu_ranks=2), [sys.executable, "-c", SAY, f"{tmp_path}/"], lambda: 1)
    assert code == 0
    zero, one = (json.loads((tmp_path / str(rank)).read_text()) for rank in (0, 1))
    assert zero[:5] == ["0", "0", "2", "2", "127.0.0.1"]
    assert one[:5] == ["1", "1", "2", "2", "127.0.0.1"]
    assert zero[5] == one[5]


@pytest.mark.parametrize(
    ("failing", "code"), [("sys.exit(7)", 7), ("os.kill(os.getpid(), 9)", 137)]
)
def test_one_failure_ends_all_and_gives_the_status(failing, code, caplog):
    body = f"import os, sys, time\nif os.environ['RANK'] == '1': {failing}\ntime.sleep(60)"
    began = time.monotonic()
    assert spawn([sys.executable, "-c", body], 3) == code
    assert time.monotonic() - began < 20
    assert "rank 1 ended with" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_signals_are_passed_on_and_75_comes_back(number, tmp_path):
    body = f"""
import os, signal, sys, time
for number in (15, 10):
    signal.signal(number, lambda *_: sys.exit(75))
open({str(tmp_path)!r} + "/" + os.environ["RANK"], "w")
if os.environ["RANK"] == "0":
    while len(os.listdir({str(tmp_path)!r})) < 2: time.sleep(0.01)
    os.kill(int(os.environ["DIFFAUDIO_LAUNCHER"]), {int(number)})
time.sleep(60)
"""
    before = signal.getsignal(number)
    assert spawn([sys.executable, "-c", body], 2) == 75
    assert signal.getsignal(number) is before
