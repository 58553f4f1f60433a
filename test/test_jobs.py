import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diffaudio.jobs import Task, run_tasks
from diffaudio.log import Refusal

WORK = """
import ctypes, os, sys, time
from pathlib import Path
from diffaudio.log import Refusal, log

def square(x):
    print("printed", x)
    log.info("logged %d", x)
    os.system("echo from a child")
    return x * x, os.environ["OMP_NUM_THREADS"], "torch" in sys.modules

def dies_once(mark):
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), 9)
    return "second try"

def crashes():
    ctypes.string_at(0)

def raises(x):
    Path(x).open("a").write("tried ")
    raise ValueError("boo " + Path(x).name)

def device():
    time.sleep(0.2)
    return os.environ["CUDA_VISIBLE_DEVICES"]

def refuses(x):
    Path(x).open("a").write("tried ")
    raise Refusal("a.wav: 8000 Hz", mend="resample it", code=5)

def faults():
    import resource
    import numpy as np
    count = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**18)  # 2 MiB
    before = count()
    for _ in range(20):
        np.ones(2**18)
    return count() - before

def waits(mark):
    Path(mark).write_text(str(os.getpid()))
    time.sleep(60)

def stage(folder):
    from diffaudio.jobs import Task, run_tasks
    tasks = [Task(str(n), waits, {"mark": f"{folder}/{n}"}) for n in range(2)]
    run_tasks(tasks, nj=2, log_dir=Path(folder) / "log", title="waiting")

if __name__ == "__main__":
    stage(sys.argv[1])
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Return a module of task functions that workers can import."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "jobwork.py").write_text(WORK)
    sys.path.append(str(folder))
    import jobwork

    yield jobwork
    sys.path.remove(str(folder))


def test_results_come_in_order_and_everything_printed_goes_to_the_log(work, tmp_path):
    tasks = [Task(f"t{x}", work.square, {"x": x}) for x in range(4)]
    before = dict(os.environ)
    results = run_tasks(tasks, nj=1, threads=2, log_dir=tmp_path / "log", title="squares")
    assert results == [(x * x, "2", False) for x in range(4)]
    assert dict(os.environ) == before
    text = (tmp_path / "log" / "t3.log").read_text()
    for words in ("t3, try 1", "printed 3", "logged 3", "from a child"):
        assert words in text
    assert "printed 2" not in text


def test_a_killed_worker_costs_its_task_only_and_results_do_not_depend_on_nj(work, tmp_path):
    tasks = [Task(f"t{x}", work.square, {"x": x}) for x in range(4)]
    tasks.insert(1, Task("dies", work.dies_once, {"mark": str(tmp_path / "mark")}))
    results = run_tasks(tasks, nj=3, threads=2, log_dir=tmp_path / "log", title="squares")
    assert results.pop(1) == "second try"
    assert results == [(x * x, "2", False) for x in range(4)]
    assert "try 2" in (tmp_path / "log" / "dies.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="pages are counted as Linux does")
def test_workers_keep_what_they_free(work, tmp_path):
    """20 blocks of 512 pages are fetched once, whatever Dask has told the C library."""
    task = Task("faults", work.faults, {})
    assert run_tasks([task], nj=1, log_dir=tmp_path / "log", title="faults")[0] < 600


def test_what_fails_three_times_is_named_with_its_log_after_all_else_was_run(work, tmp_path):
    tasks = [
        Task("bad", work.raises, {"x": str(tmp_path / "bad")}),
        Task("crash", work.crashes, {}),
        Task("good", work.square, {"x": 3}),
    ]
    with pytest.raises(Refusal) as caught:
        run_tasks(tasks, nj=2, log_dir=tmp_path / "log", title="shard")
    message = caught.value.message
    assert "shard: 2 of 3 tasks failed: bad, crash" in message
    assert "bad: ValueError: boo bad" in message
    assert str(tmp_path / "log" / "bad.log") in message
    assert "| ValueError: boo bad" in message
    assert "printed 3" in (tmp_path / "log" / "good.log").read_text()
    crash = (tmp_path / "log" / "crash.log").read_text()
    assert "try 3" in crash
    assert "Segmentation fault" in crash
    assert "in crashes" in crash


def test_trouble_in_closing_the_workers_hides_no_result(work, tmp_path, monkeypatch, caplog):
    from distributed import LocalCluster

    close = LocalCluster.close

    def stumble(cluster, *args, **more):
        if cluster.status.name == "running":  # closing twice is right
            close(cluster, *args, **more)
            raise AssertionError("can only join a started process")

    monkeypatch.setattr(LocalCluster, "close", stumble)
    asked = {"nj": 1, "log_dir": tmp_path / "log", "title": "squares"}
    assert run_tasks([Task("t", work.square, {"x": 5})], **asked)[0][0] == 25
    assert "workers will end with this process" in caplog.text
    with pytest.raises(Refusal, match="boo bad"):
        run_tasks([Task("t", work.raises, {"x": str(tmp_path / "bad")})], **asked)


def test_a_refusal_is_final_and_a_running_scheduler_may_do_the_work(work, tmp_path, monkeypatch):
    from distributed import LocalCluster

    task = Task("only", work.refuses, {"x": str(tmp_path / "only")})
    other = Task("thrice", work.raises, {"x": str(tmp_path / "thrice")})
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        monkeypatch.setenv("DIFFAUDIO_CMD", cluster.scheduler_address)
        with pytest.raises(Refusal) as caught:
            run_tasks([task], nj=1, log_dir=tmp_path / "log", title="shard")
        with pytest.raises(Refusal, match="boo thrice"):
            run_tasks([other], nj=1, log_dir=tmp_path / "log", title="shard")
    assert (tmp_path / "thrice").read_text() == "tried " * 3
    assert "only: a.wav: 8000 Hz" in caught.value.message
    assert (caught.value.mend, caught.value.code) == ("resample it", 5)
    assert (tmp_path / "only").read_text() == "tried "


def test_each_worker_gets_one_gpu_of_those_that_are_visible(work, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6,7")
    tasks = [Task(f"t{x}", work.device, {}) for x in range(6)]
    results = run_tasks(tasks, nj=5, gpus=2, log_dir=tmp_path / "log", title="gpus")
    assert set(results) == {"4", "6"}


def test_no_tasks_and_no_jobs(tmp_path):
    assert run_tasks([], nj=3, log_dir=tmp_path / "log", title="none") == []
    with pytest.raises(Refusal, match="--nj 0"):
        run_tasks([Task("t", print, {})], nj=0, log_dir=tmp_path / "log", title="none")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with Path(f"/proc/{pid}/stat").open() as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_when_the_command_is_killed(work, tmp_path):
    marks = [tmp_path / "0", tmp_path / "1"]
    command = subprocess.Popen(
        [sys.executable, work.__file__, str(tmp_path)], stderr=subprocess.DEVNULL
    )
    try:
        written = until(lambda: all(m.is_file() and m.read_text() for m in marks), 60)
        assert written
        pids = [int(mark.read_text()) for mark in marks]
        assert all(map(alive, pids))
    finally:
        command.send_signal(signal.SIGKILL)
        command.wait()
    assert until(lambda: not any(map(alive, pids)), 15)
