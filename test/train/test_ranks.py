"""Two processes against one: the same global batch, items of unequal lengths, fp32."""

import json

import pytest

from diffaudio import weights

OPTIONS = {"steps": 20, "save_every": 10, "valid_every": 10, "max_per_device": 1, "global_batch": 4}


def run(launch, exp, options, **extra):
    process = launch(exp, options, extra)
    _, said = process.communicate(timeout=300)
    return process.returncode, said


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return tmp_path_factory.mktemp("ranks")


def test_two_ranks_have_the_losses_of_one(toy, launch, pair):
    for ranks in (1, 2):
        code, said = run(launch, pair / str(ranks), OPTIONS, ranks=ranks)
        assert code == 0, said
    assert "global 4 = 1 per device x 2 devices x 2 accumulations" in said
    one, two = (toy.rows(pair / ranks) for ranks in "12")
    assert len(one) == len(two) == 20
    for name in ("loss", "grad_norm", "audio"):
        assert [r[name] for r in two] == pytest.approx([r[name] for r in one], rel=1e-6)
    held = [weights.read_weights(weights.find(pair / r, "last"), ema=True) for r in "12"]
    for name, tensor in held[0].items():
        assert held[1][name].tolist() == pytest.approx(tensor.tolist(), rel=1e-4, abs=1e-6)


def test_a_run_of_one_goes_on_with_two(toy, launch, pair, tmp_path):
    code, said = run(launch, tmp_path, {**OPTIONS, "steps": 10, "decay": 1.0})
    assert code == 0, said
    code, said = run(launch, tmp_path, {**OPTIONS, "decay": 1.0}, ranks=2)
    assert code == 0, said
    code, said = run(launch, tmp_path / "whole", {**OPTIONS, "decay": 1.0})
    losses = [[r["loss"] for r in toy.rows(exp)] for exp in (tmp_path, tmp_path / "whole")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_all_ranks_skip_the_step_that_one_cannot_take(toy, launch, tmp_path):
    """Position 2 of the step lies with rank 0's second micro-batch, 3 with rank 1's."""
    for name, ranks in (("one", 1), ("two", 2)):
        code, said = run(launch, tmp_path / name, OPTIONS, ranks=ranks, nan=[[5, 3]])
        assert code == 0, said
    one, two = (toy.rows(tmp_path / name) for name in ("one", "two"))
    assert two[5]["loss"] is None and two[5]["skipped"] == one[5]["skipped"] != []
    good = [(a["loss"], b["loss"]) for a, b in zip(one, two, strict=True) if a["loss"]]
    assert len(good) == 19
    assert [a for a, _ in good] == pytest.approx([b for _, b in good], rel=1e-6)


def test_a_signal_to_one_rank_stops_both_at_the_same_step(launch, tmp_path):
    import os
    import time

    options = {**OPTIONS, "steps": 10**6, "valid_every": 0}
    process = launch(tmp_path, options, {"ranks": 2})
    while not (tmp_path / "log.jsonl").exists() or not (tmp_path / "log.jsonl").stat().st_size:
        assert process.poll() is None
        time.sleep(0.05)
    children = [int(pid) for pid in _children(process.pid)]
    assert len(children) == 2
    other = next(pid for pid in children if f"process {pid} " not in _status(tmp_path)["reason"])
    os.kill(other, 15)
    assert process.wait(60) == 75
    assert _status(tmp_path)["state"] == "interrupted"
    assert weights.find(tmp_path, "last").name == f"step_{_status(tmp_path)['step']:08d}"


def _status(exp):
    return json.loads((exp / "status.json").read_text())


def _children(pid):
    from pathlib import Path

    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
