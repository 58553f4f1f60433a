import json
import pickle
import shutil

import pytest
import torch

from diffaudio import weights
from diffaudio.files import write_json
from diffaudio.log import Refusal
from diffaudio.train import checkpoint
from diffaudio.train.checkpoint import Checkpoints
from diffaudio.train.ema import Ema, half_life, power_function
from diffaudio.train.progress import Progress
from diffaudio.train.schedule import adamw
from diffaudio.train.spec import TrainSpec

KEYS = {"train.lr": 1e-3, "train.steps": 10, "data.train": "d1", "model.net": "Toy"}


class State:
    """Model, optimiser and averages after a few steps, and the checkpoints they go to."""

    def __init__(self, exp, *, seed=0, keep=2, keys=None, wide=4, steps=2, usual=()):
        torch.manual_seed(seed)
        self.model = torch.nn.Sequential(torch.nn.Linear(2, wide), torch.nn.Linear(wide, 1))
        self.optimizer = adamw(self.model, TrainSpec(steps=10))
        decays = {weights.EMA: half_life(3.0), "ema_0.1.safetensors": power_function(0.1)}
        self.averages = {name: Ema(self.model, decay) for name, decay in decays.items()}
        self.checkpoints = Checkpoints(
            exp, keep=keep, fingerprint=keys or KEYS, usual=usual.__contains__
        )
        self.steps(steps)

    def steps(self, count):
        for n in range(count):
            self.optimizer.zero_grad()
            self.model(torch.ones(3, 2)).square().sum().backward()
            self.optimizer.step()
            for average in self.averages.values():
                average.update(n + 1)

    def save(self, step, **more):
        self.checkpoints.save(
            Progress(step=step, **more), self.model, self.optimizer, self.averages
        )

    def restore(self):
        newest = self.checkpoints.newest()
        return self.checkpoints.restore(newest, self.model, self.optimizer, self.averages)


def test_all_comes_back_and_goes_on_the_same(tmp_path):
    one = State(tmp_path)
    best = {"checkpoint": "step_00000007", "PESQ": 1.5}
    one.save(7, updates=6, skipped=1, validated=4, best=best, log_bytes=99, seconds=1.25)
    other = State(tmp_path, seed=1)
    progress = other.restore()
    assert progress == Progress(7, 6, 1, 4, best, 99, 1.25)
    for state in (one, other):
        state.steps(3)
    for file, average in one.averages.items():
        for name, tensor in average.state_dict().items():
            assert torch.equal(tensor, other.averages[file].state_dict()[name])
    for mine, theirs in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
        assert one.optimizer.state[mine].keys() == other.optimizer.state[theirs].keys()
    assert json.loads((tmp_path / "best.json").read_text()) == best
    assert weights.read_state(weights.find(tmp_path, "last"))["hours"] == 1.25 / 3600


def test_nothing_to_restore_changes_nothing(tmp_path):
    one = State(tmp_path)
    before = one.model[0].weight.detach().clone()
    one.checkpoints.tidy()
    assert one.restore() == Progress()
    assert torch.equal(one.model[0].weight, before)


def test_only_the_newest_and_the_best_stay(tmp_path):
    one, best = State(tmp_path), {"checkpoint": "step_00000001", "x": 1.0}
    for step in range(1, 6):
        one.save(step, best=best)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step_00000001", "step_00000004", "step_00000005"]


def test_what_was_cut_off_is_ignored_then_removed(tmp_path):
    one = State(tmp_path)
    one.save(3)
    folder = tmp_path / "checkpoints"
    shutil.copytree(folder / "step_00000003", folder / ".unfinished_step_00000004")
    write_json(tmp_path / "best.json", {"checkpoint": "step_00000009"})  # its save was cut off
    assert one.checkpoints.newest() == folder / "step_00000003"
    one.checkpoints.tidy()
    assert [path.name for path in folder.iterdir()] == ["step_00000003"]
    assert not (tmp_path / "best.json").exists()


def test_half_a_checkpoint_counts_for_nothing_and_is_removed(tmp_path):
    """As a copy that was cut off leaves it: state.json comes last."""
    one, folder = State(tmp_path, keep=1), tmp_path / "checkpoints"
    one.save(2)
    for step in ("step_00000003", "step_00009999"):
        (folder / step).mkdir()
        (folder / step / weights.MODEL).write_bytes(b"half")
    one.save(2)
    assert one.checkpoints.newest() == folder / "step_00000002"
    one.checkpoints.tidy()
    assert [path.name for path in folder.iterdir()] == ["step_00000002"]
    one.save(3)
    assert [path.name for path in folder.iterdir()] == ["step_00000003"]


def test_a_validation_that_came_after_the_checkpoint_is_kept_in_it(tmp_path):
    """A run that was stopped in its last validation does that again, and nothing else."""
    one, best = State(tmp_path), {"checkpoint": "step_00000003", "x": 0.1 + 0.2}
    one.save(3, updates=3)
    one.save(3, updates=3, validated=3, best=best, log_bytes=9)
    assert one.restore() == Progress(3, 3, 0, 3, best, 9)
    assert json.loads((tmp_path / "best.json").read_text()) == best


@pytest.mark.parametrize("link", [False, True])
def test_what_is_trained_anew_stays_until_there_is_something_new(tmp_path, link):
    one, folder = State(tmp_path / "exp"), tmp_path / "exp/checkpoints"
    if link:  # to a larger disk
        (tmp_path / "large").mkdir()
        (tmp_path / "exp").mkdir()
        folder.symlink_to(tmp_path / "large")
    aside = folder.resolve().with_name(f".replaced_{folder.resolve().name}")
    one.checkpoints.put_aside()  # nothing yet
    one.save(7)
    for _ in range(2):  # asked twice, before any checkpoint was saved
        one.checkpoints.put_aside()
        assert one.checkpoints.newest() is None
        one.checkpoints.tidy()
    (aside / "step_00000007").rename(folder / "step_00000007")
    assert one.restore().step == 7
    one.checkpoints.put_aside()
    one.save(2)
    assert [path.name for path in aside.iterdir()] == ["step_00000007"]
    one.checkpoints.forget_replaced()
    assert not aside.exists()
    assert [path.name for path in folder.resolve().iterdir()] == ["step_00000002"]
    assert folder.is_symlink() == link


def test_what_was_made_of_a_run_afterwards_is_put_aside_with_it(tmp_path):
    made = tmp_path / "checkpoints/ema_0.1_step_00000007"
    made.mkdir(parents=True)
    State(tmp_path).checkpoints.put_aside()
    assert not made.exists()


def test_every_cut_and_every_flipped_bit_is_refused_by_name(tmp_path):
    one = State(tmp_path, wide=1, steps=1)
    one.save(2)
    one.save(3)
    folder = tmp_path / "checkpoints" / "step_00000003"
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        step = max(len(whole) // 40, 1)
        damaged = [whole[:size] for size in range(0, len(whole), step)]
        damaged += [
            whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]
            for at in range(0, len(whole), step)
        ]
        for content in damaged:
            path.write_bytes(content)
            if path.name == weights.STATE and _means(content, whole):
                continue
            with pytest.raises(Refusal) as refused:
                one.restore()
            assert str(path) in refused.value.message
        path.write_bytes(whole)
    assert one.restore().step == 3


def _means(content, whole):
    """Say whether damaged JSON still means the same: a space that became a line break."""
    try:
        return json.loads(content) == json.loads(whole)
    except ValueError:
        return False


def test_the_mend_of_a_damaged_one_is_the_one_before(tmp_path):
    one = State(tmp_path)
    one.save(2)
    one.save(3)
    newest = tmp_path / "checkpoints" / "step_00000003"
    for damage in ("", "{}"):  # an empty state.json, or one of something else
        state = (newest / weights.STATE).read_text()
        (newest / weights.STATE).write_text(damage)
        with pytest.raises(Refusal) as refused:
            one.restore()
        assert refused.value.mend == f"remove the folder {newest} to go on from step_00000002"
        (newest / weights.STATE).write_text(state)
    (newest / weights.EMA).unlink()
    with pytest.raises(Refusal) as refused:
        one.restore()
    assert refused.value.mend == f"remove the folder {newest} to go on from step_00000002"
    shutil.rmtree(newest)
    assert one.restore().step == 2


def test_a_pickle_is_not_read(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("boom").mkdir, ())

    one = State(tmp_path)
    one.save(2)
    path = tmp_path / "checkpoints/step_00000002/optimizer.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    state = json.loads((path.parent / weights.STATE).read_text())
    state["files"][path.name] = weights.digest(path)
    del state["digest"]
    write_json(path.parent / weights.STATE, {**state, "digest": checkpoint._digest(state)})
    with pytest.raises(Refusal, match=r"optimizer\.safetensors: damaged"):
        one.restore()
    assert not (tmp_path / "boom").exists()


def test_other_settings_are_refused_with_both_values(tmp_path):
    State(tmp_path).save(2)
    other = State(tmp_path, keys={**KEYS, "train.lr": 2e-3, "data.train": "d2"})
    for attempt in (other.checkpoints.check, other.restore):
        with pytest.raises(Refusal) as refused:
            attempt()
        assert 'data.train: "d1" -> "d2"; train.lr: 0.001 -> 0.002' in refused.value.message


def test_a_key_newer_than_the_checkpoint_may_have_its_default(tmp_path):
    State(tmp_path).save(2)
    keys = {**KEYS, "train.noise": 0.1}
    assert State(tmp_path, keys=keys, usual=["train.noise"]).restore().step == 2
    with pytest.raises(Refusal, match=r"train\.noise: absent -> 0\.1"):
        State(tmp_path, keys=keys, usual=["train.lr"]).restore()


def test_a_budget_may_change_and_is_logged(tmp_path, caplog):
    State(tmp_path).save(2)
    with caplog.at_level("INFO", "diffaudio"):
        assert State(tmp_path, keys={**KEYS, "train.steps": 20}).restore().step == 2
    assert "train.steps: 10 -> 20" in caplog.text


def test_a_checkpoint_of_another_model_names_what_differs(tmp_path):
    State(tmp_path).save(2)
    other = State(tmp_path, wide=5)
    with pytest.raises(Refusal, match=r"3 of another shape \(0.weight \[4, 2\], here \[5, 2\]\)"):
        other.restore()


def test_a_full_disk_leaves_nothing_and_keeps_the_last(tmp_path, monkeypatch):
    one = State(tmp_path)
    one.save(2)
    written = []

    def full(path, held):
        written.append(path)
        if len(written) == 2:
            raise Refusal(f"{path}: could not be written (No space left on device)")
        return write(path, held)

    write = weights.write_weights
    monkeypatch.setattr(weights, "write_weights", full)
    with pytest.raises(Refusal, match="No space left"):
        one.save(3)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step_00000002"]


def test_a_checkpoint_that_cannot_be_removed_stays_and_stops_nothing(tmp_path, monkeypatch, caplog):
    """As on a network's disk, where another process still reads it."""
    one = State(tmp_path, keep=1)
    real = shutil.rmtree

    def busy(path):
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(shutil, "rmtree", busy)
    for step in (1, 2):
        one.save(step)
    assert "could not be removed (Directory not empty)" in caplog.text
    left = [path.name for path in (tmp_path / "checkpoints").iterdir()]
    assert sorted(left) == [".unfinished_step_00000001", "step_00000002"]
    one.checkpoints.tidy()
    one.save(1)  # under the name of what could not be removed
    assert one.checkpoints.newest().name == "step_00000002"
    monkeypatch.setattr(shutil, "rmtree", real)
    one.checkpoints.tidy()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step_00000002"]


def test_a_rank_waits_for_the_main_rank_s_checkpoint_and_refuses_another(tmp_path, monkeypatch):
    one = State(tmp_path)
    one.save(3)
    assert one.checkpoints.named(None) is None
    assert one.checkpoints.named("step_00000003") == one.checkpoints.newest()
    monkeypatch.setattr(checkpoint, "_PATIENCE", 0.0)
    with pytest.raises(Refusal, match="step_00000006: the main rank goes on from it"):
        one.checkpoints.named("step_00000006")


def test_a_run_past_its_end_is_refused(tmp_path):
    State(tmp_path).save(7)
    past = Checkpoints(tmp_path, keep=2, fingerprint=KEYS, steps=6)
    with pytest.raises(Refusal, match="is at step 7, past train.steps 6"):
        past.check()
    Checkpoints(tmp_path, keep=2, fingerprint=KEYS, steps=7).check()
