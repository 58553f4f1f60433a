"""A run that is killed goes on as if it had not been: same weights, same curve, to the last bit."""

import random
import time

import pytest

from diffaudio import weights
from diffaudio.train.loop import train

OPTIONS = {"steps": 120, "save_every": 15, "valid_every": 40, "lr": 1e-3}
OPTIONS |= {"ema_profiles": [0.05, 0.1], "ema_every": 17}  # a kill at 35 or 70 lies past one
SLOW = {"save_seconds": 0.03}  # so that a kill during a save can be aimed


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
    snapshots = [{p.relative_to(e): p.read_bytes() for p in files(e / "ema")} for e in (one, other)]
    assert snapshots[0] == snapshots[1]
    assert len(snapshots[0]) == 3 * len(list((one / "ema").iterdir())) >= 24


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_killed_between_and_inside_saves(toy, accelerator, launch, tmp_path):
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    run = launch(cut, OPTIONS, SLOW)
    wait_for(lambda: lines(cut) >= 35, run)
    run.kill()
    run.wait()
    run = launch(cut, OPTIONS, SLOW)
    wait_for(lambda: lines(cut) >= 70 and saving(cut), run)
    run.kill()
    run.wait()
    assert saving(cut)
    for exp in (cut, whole):
        train(toy.job(exp, validate=toy.Size(), **OPTIONS), accelerator)
    assert_same(toy, whole, cut)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_killed_at_random_times(toy, launch, tmp_path, ranks):
    """Of two ranks the launcher is killed, and its ranks follow."""
    options, extra = {**OPTIONS, "steps": 1500}, {"ranks": ranks, **SLOW}
    assert launch(tmp_path / "whole", options, {"ranks": ranks}).wait(600) == 0
    cut, dice, inside = tmp_path / "cut", random.Random(ranks), 0
    for kill in range(5):
        run, before = launch(cut, options, extra), lines(cut)
        wait_for(lambda before=before: lines(cut) != before, run)
        time.sleep(dice.uniform(0.0, 1.0))
        if kill == 4:
            wait_for(lambda: saving(cut), run)
        run.kill()
        run.wait()
        time.sleep(0.5)  # for the ranks to follow
        inside += saving(cut)
    assert inside
    assert launch(cut, options, {"ranks": ranks}).wait(600) == 0
    assert_same(toy, tmp_path / "whole", cut)
