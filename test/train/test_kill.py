"""A run that is killed goes on as if it had not been: same weights, same curve, to the last bit."""

import json
import random
import signal
import time

import pytest

from diffaudio import weights

OPTIONS = {"steps": 300, "save_every": 15, "valid_every": 40, "lr": 1e-3}
SLOW = {"save_seconds": 0.03}  # so that a kill during a save can be aimed


def finish(launch, exp, options, extra=None):
    run = launch(exp, options, extra)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 0, said


def wait_for(condition, run, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert run.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.002)


def lines(exp):
    log = exp / "log.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def saving(exp):
    return any((exp / "checkpoints").glob(".unfinished_step_*"))


def assert_same(toy, one, other):
    assert toy.curve(one) == toy.curve(other)
    assert toy.rows(one, "valid") == toy.rows(other, "valid")
    assert (one / "best.json").read_bytes() == (other / "best.json").read_bytes()
    folders = [weights.find(exp, "last") for exp in (one, other)]
    assert folders[0].name == folders[1].name
    assert toy.same(*map(toy.tensors, folders))
    names = [sorted(p.name for p in (exp / "checkpoints").iterdir()) for exp in (one, other)]
    assert names[0] == names[1]


def test_killed_between_and_inside_saves(toy, launch, tmp_path):
    finish(launch, tmp_path / "whole", OPTIONS)
    cut = tmp_path / "cut"
    run = launch(cut, OPTIONS, SLOW)
    wait_for(lambda: lines(cut) >= 70, run)
    run.kill()
    run.wait()
    run = launch(cut, OPTIONS, SLOW)
    wait_for(lambda: lines(cut) >= 130 and saving(cut), run)
    run.kill()
    run.wait()
    assert saving(cut)
    finish(launch, cut, OPTIONS)
    assert_same(toy, tmp_path / "whole", cut)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_killed_at_random_times(toy, launch, tmp_path, ranks):
    """The launcher of two ranks is killed, and its ranks with it."""
    options, extra = {**OPTIONS, "steps": 600}, {"ranks": ranks, **SLOW}
    finish(launch, tmp_path / "whole", options, {"ranks": ranks})
    cut, dice, kills, inside = tmp_path / "cut", random.Random(ranks), 0, 0
    while kills < 5 or not inside:
        run, before = launch(cut, options, extra), lines(cut)
        wait_for(lambda before=before: lines(cut) != before, run)
        time.sleep(dice.uniform(0.0, 1.0))
        if kills == 4:
            wait_for(lambda: saving(cut), run)
        run.kill()
        run.wait()
        kills, inside = kills + 1, inside + saving(cut)
        time.sleep(0.2)  # for the ranks to follow
    finish(launch, cut, options, {"ranks": ranks})
    assert_same(toy, tmp_path / "whole", cut)


def test_a_second_run_in_the_same_folder_is_told_who_is_there(launch, tmp_path):
    """The lock is the command's, see test/bin; here: two loops never write one status."""
    run = launch(tmp_path, {**OPTIONS, "steps": 10**6})
    wait_for(lambda: lines(tmp_path) > 0, run)
    now = json.loads((tmp_path / "status.json").read_text())
    assert now["state"] == "running" and str(run.pid) in now["reason"]
    run.send_signal(signal.SIGTERM)
    assert run.wait(60) == 75
    now = json.loads((tmp_path / "status.json").read_text())
    assert (now["state"], now["reason"]) == ("interrupted", "SIGTERM")
    assert weights.read_state(weights.find(tmp_path, "last"))["step"] == now["step"]
