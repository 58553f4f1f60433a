"""Averages made after training are those that were followed while training."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from diffaudio import weights
from diffaudio.log import Refusal
from diffaudio.train import posthoc
from diffaudio.train.ema import Ema, power_function
from diffaudio.train.loop import train
from diffaudio.train.power import Profile, fit
from diffaudio.train.progress import Progress

STEPS, SNAPSHOTS = 2048, 32
STORED, WANTED = (0.05, 0.1), (0.05, 0.075, 0.1, 0.125, 0.15)


class Net(nn.Module):
    """A regression with a buffer and a counter, which no average may change."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        self.register_buffer("scale", torch.tensor(1 / 3))
        self.register_buffer("count", torch.tensor(0))


def learn(model):
    """Take noisy Adam steps whose rate falls: weights that move, then settle."""
    adam = torch.optim.Adam(model.parameters(), 1e-2)
    for step in range(STEPS):
        x = torch.randn(8, 4)
        loss = (model.layers(x)[:, 0] - torch.sin(x.sum(1)) - 0.3 * torch.randn(8)).square().mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.param_groups[0]["lr"] = 1e-2 * (1 - step / STEPS)
        adam.step()
        yield


@torch.no_grad()
def wander(model):
    """Walk at random from 0: nothing settles, and the average is all that is compared."""
    for weight in model.parameters():
        weight.zero_()
    for _ in range(STEPS):
        for weight in model.parameters():
            weight += torch.randn_like(weight)
        yield


@pytest.mark.parametrize("moves", [learn, wander])
def test_any_length_is_what_it_would_have_been_if_followed(tmp_path, moves):
    model = Net()
    spec = SimpleNamespace(ema=0.0, ema_profiles=STORED)
    averages = posthoc.averages(model, spec)
    direct = {sigma_rel: Ema(model, power_function(sigma_rel)) for sigma_rel in WANTED}
    for update, _ in enumerate(moves(model), 1):
        model.count += 1
        for ema in [*averages.values(), *direct.values()]:
            ema.update(update)
        if update % (STEPS // SNAPSHOTS) == 0:
            posthoc.snapshot(tmp_path, Progress(update, update), averages, STORED)
    for sigma_rel, ema in direct.items():
        folder = posthoc.synthesise(tmp_path, sigma_rel)
        held, right = weights.read_weights(folder, ema=True), ema.state_dict()
        assert held.keys() == right.keys()
        assert torch.equal(held["scale"], right["scale"])
        assert held["count"] == STEPS
        assert torch.equal(held["count"], right["count"])
        names = [name for name in right if name.startswith("layers")]
        one, other = (torch.cat([w[name].flatten() for name in names]) for w in (held, right))
        error = ((one - other).norm() / other.norm()).item()
        assert error < 1e-4


def job(toy, exp, **options):
    return toy.job(exp, **{"ema_profiles": STORED, "ema_every": 2, "keep": 1, **options})


def test_a_run_s_snapshots_stay_and_give_a_checkpoint_by_name(toy, accelerator, tmp_path, caplog):
    train(job(toy, tmp_path), accelerator)
    taken = sorted(path.name for path in (tmp_path / "ema").iterdir())
    assert taken == [f"step_{step:08d}" for step in range(2, 13, 2)]
    with caplog.at_level("INFO", "diffaudio"):
        made = posthoc.synthesise(tmp_path, 0.12, 8)
    assert made == weights.find(tmp_path, "ema_0.12_step_00000008")
    assert "a mix of 8 averages" in caplog.text
    state = weights.read_state(made)
    stored = [Profile(s, end) for end in (2, 4, 6, 8) for s in STORED]
    shares, left = fit(Profile(0.12, 8), stored)
    assert (state["step"], state["sigma_rel"], state["missed"]) == (8, 0.12, left)
    held = weights.read_weights(made, ema=True)
    read = [
        toy.tensors(tmp_path / f"ema/step_{p.end:08d}")[f"ema_{p.sigma_rel}.safetensors"]
        for p in stored
    ]
    for name, tensor in held.items():
        right = sum(share * one[name].double() for share, one in zip(shares, read, strict=True))
        torch.testing.assert_close(tensor.double(), right, rtol=1e-6, atol=1e-7)
    train(job(toy, tmp_path, steps=14), accelerator)
    assert weights.find(tmp_path, "last").name == "step_00000014"
    assert made.is_dir()


def test_snapshots_past_the_checkpoint_are_taken_again(toy, accelerator, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(job(toy, whole, save_every=5, keep=2), accelerator)
    shutil.copytree(whole, cut)
    shutil.rmtree(cut / "checkpoints/step_00000012")
    for path in (cut / "ema/step_00000012").iterdir():
        path.write_bytes(b"of another course of the run")
    train(job(toy, cut, save_every=5, keep=2), accelerator)
    one, other = ({p.name: toy.tensors(p) for p in (e / "ema").iterdir()} for e in (cut, whole))
    assert one.keys() == other.keys()
    assert len(one) == 6
    assert all(toy.same(one[name], other[name]) for name in one)


def test_a_far_profile_is_said_to_be_far(toy, accelerator, tmp_path, caplog):
    train(job(toy, tmp_path, ema_every=6), accelerator)
    posthoc.synthesise(tmp_path, 0.02)
    assert "it is not that average" in caplog.text


def test_what_cannot_be_made_is_refused(toy, accelerator, tmp_path):
    with pytest.raises(Refusal, match=r"holds no snapshot\n.*train\.ema_profiles"):
        posthoc.synthesise(tmp_path, 0.1)
    train(job(toy, tmp_path), accelerator)
    with pytest.raises(Refusal, match=r"no snapshot of step 7\n.*one of: 2, 4, 6, 8, 10, 12"):
        posthoc.synthesise(tmp_path, 0.1, 7)
    with pytest.raises(Refusal, match="sigma_rel: 0.4"):
        posthoc.synthesise(tmp_path, 0.4)
    path = tmp_path / "ema/step_00000004/ema_0.1.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Refusal, match=r"ema_0\.1\.safetensors: damaged"):
        posthoc.synthesise(tmp_path, 0.1)
    assert not list(tmp_path.glob("checkpoints/ema_*"))


def test_a_snapshot_that_was_cut_off_is_none(toy, accelerator, tmp_path):
    """Weights without state.json, as a kill leaves them."""
    train(job(toy, tmp_path), accelerator)
    (tmp_path / "ema/step_00000012/state.json").unlink()
    made = posthoc.synthesise(tmp_path, 0.1)
    assert json.loads((made / "state.json").read_text())["step"] == 10
