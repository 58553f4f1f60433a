import json
import math
import os
import signal

import pytest
import torch

from diffaudio import weights
from diffaudio.log import Refusal
from diffaudio.train.ema import Ema
from diffaudio.train.loop import train
from diffaudio.train.schedule import adamw, learning_rate
from diffaudio.train.world import settled


def test_the_loop_is_the_textbook_loop(toy, accelerator, tmp_path):
    """Against twelve lines without accelerate, accumulation or checkpoints."""
    made = toy.job(tmp_path, clip=0.05, max_per_device=4, weight_decay=0.1)
    assert train(made, accelerator) == "done"
    model, losses = toy.Toy(), []
    optimizer, ema = adamw(model, made.spec), Ema(model, made.spec.ema)
    stream = made.batches(0)
    for step in range(12):
        batch = next(stream)
        torch.manual_seed(batch.keys[0])
        loss = model(batch)[0].mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
        optimizer.param_groups[0]["lr"] = learning_rate(step, made.spec)
        optimizer.param_groups[1]["lr"] = learning_rate(step, made.spec)
        optimizer.step()
        ema.update(step + 1)
        losses.append(loss.item())
    assert [row["loss"] for row in toy.rows(tmp_path)] == pytest.approx(losses, rel=1e-6)
    last = weights.find(tmp_path, "last")
    for held, own in ((False, model.state_dict()), (True, ema.state_dict())):
        for name, tensor in weights.read_weights(last, ema=held).items():
            torch.testing.assert_close(tensor, own[name], rtol=1e-5, atol=1e-6)


def test_accumulation_does_not_change_the_step(toy, accelerator, tmp_path):
    for size in (1, 2, 4):
        made = toy.job(tmp_path / str(size), max_per_device=size, model=toy.Toy(dropout=0.0))
        train(made, accelerator)
    ones, twos, fours = ([row["loss"] for row in toy.rows(tmp_path / s)] for s in "124")
    assert twos == pytest.approx(ones, rel=1e-6)
    assert fours == pytest.approx(ones, rel=1e-6)


def test_resume_is_exact(toy, accelerator, tmp_path):
    options = {"valid_every": 2, "steps": 12}
    train(toy.job(tmp_path / "whole", validate=toy.Size(), **options), accelerator)

    def stops_at_7(start):
        for batch in toy.job(tmp_path / "cut").batches(start):
            if batch.step == 7:
                raise KeyboardInterrupt
            yield batch

    made = toy.job(tmp_path / "cut", validate=toy.Size(), **options)
    object.__setattr__(made, "batches", stops_at_7)
    with pytest.raises(KeyboardInterrupt):
        train(made, accelerator)
    assert json.loads((tmp_path / "cut/status.json").read_text())["state"] == "failed"
    with (tmp_path / "cut/log.jsonl").open("a") as file:
        file.write('{"step": 9, "los')  # as a kill leaves it
    (tmp_path / "cut/checkpoints/.unfinished_step_00000009").mkdir()
    assert train(toy.job(tmp_path / "cut", validate=toy.Size(), **options), accelerator) == "done"
    assert toy.curve(tmp_path / "cut") == toy.curve(tmp_path / "whole")
    assert toy.rows(tmp_path / "cut", "valid") == toy.rows(tmp_path / "whole", "valid")
    names = [
        sorted(p.name for p in (tmp_path / e / "checkpoints").iterdir()) for e in ("cut", "whole")
    ]
    assert names[0] == names[1]
    for name in names[0]:
        one, other = (
            toy.tensors(tmp_path / exp / "checkpoints" / name) for exp in ("cut", "whole")
        )
        assert len(one) == 3
        assert toy.same(one, other)
    assert (tmp_path / "cut/best.json").read_bytes() == (tmp_path / "whole/best.json").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_saves_and_the_rest_is_as_if_it_had_not_come(toy, accelerator, tmp_path, number):
    train(toy.job(tmp_path / "whole"), accelerator)
    made = toy.job(tmp_path / "cut")

    def signalled(start):
        for place, batch in enumerate(toy.job(tmp_path / "cut").batches(start)):
            if place == 9:  # the second micro-batch of the fifth step
                os.kill(os.getpid(), number)
            yield batch

    object.__setattr__(made, "batches", signalled)
    before = signal.getsignal(number)
    assert train(made, accelerator) == "interrupted"
    assert signal.getsignal(number) is before
    status = json.loads((tmp_path / "cut/status.json").read_text())
    assert status == {"state": "interrupted", "step": 5, "reason": signal.Signals(number).name}
    assert train(toy.job(tmp_path / "cut"), accelerator) == "done"
    assert json.loads((tmp_path / "cut/status.json").read_text())["state"] == "done"
    assert toy.curve(tmp_path / "cut") == toy.curve(tmp_path / "whole")


def test_a_signal_during_validation_repeats_it(toy, accelerator, tmp_path):
    options = {"valid_every": 4}
    train(toy.job(tmp_path / "whole", validate=toy.Size(), **options), accelerator)
    cut = toy.job(tmp_path / "cut", validate=toy.Size(stop_at=2), **options)
    assert train(cut, accelerator) == "interrupted"
    assert json.loads((tmp_path / "cut/status.json").read_text())["step"] == 8
    assert [row["step"] for row in toy.rows(tmp_path / "cut", "valid")] == [4]
    assert train(toy.job(tmp_path / "cut", validate=toy.Size(), **options), accelerator) == "done"
    assert toy.rows(tmp_path / "cut", "valid") == toy.rows(tmp_path / "whole", "valid")
    assert toy.curve(tmp_path / "cut") == toy.curve(tmp_path / "whole")


def test_a_step_without_a_finite_loss_is_as_if_it_had_not_been(toy, accelerator, tmp_path, caplog):
    made = toy.job(tmp_path, nan=[(5, 2)], max_per_device=4, clip=0.0)
    with caplog.at_level("WARNING", "diffaudio"):
        train(made, accelerator)
    model = toy.Toy()
    optimizer, stream = adamw(model, made.spec), toy.job(tmp_path, max_per_device=4).batches(0)
    with settled(1, torch.device("cpu")):
        for step in range(12):
            batch = next(stream)
            if step == 5:
                spoilt = batch.ids[2]
                continue
            torch.manual_seed(batch.keys[0])
            optimizer.zero_grad()
            (model(batch)[0].sum() / 4).backward()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, made.spec)
            optimizer.step()
    for name, tensor in weights.read_weights(weights.find(tmp_path, "last"), ema=False).items():
        assert torch.equal(tensor, model.state_dict()[name])
    row = toy.rows(tmp_path)[5]
    assert (row["step"], row["loss"], row["grad_norm"], row["skipped"]) == (6, None, None, [spoilt])
    assert f"step 6 skipped: loss nan, gradient norm nan; items: {spoilt}" in caplog.text


def test_a_gradient_that_is_not_finite_is_skipped_and_names_the_step(toy, accelerator, tmp_path):
    class Steep(toy.Toy):
        def forward(self, batch):
            losses, parts = super().forward(batch)
            if batch.step == 3:  # finite, with an infinite slope
                losses = losses + (self.up.bias.sum() * 0).abs().sqrt()
            return losses, parts

    train(toy.job(tmp_path, model=Steep(), steps=5), accelerator)
    row = toy.rows(tmp_path)[3]
    assert row["loss"] is None
    assert len(row["skipped"]) == 4


def test_ten_bad_steps_in_a_row_end_the_run(toy, accelerator, tmp_path):
    nan = [(step, 0) for step in range(1, 30)]
    with pytest.raises(Refusal, match="no finite loss or gradient in 10 steps, .* step 11 "):
        train(toy.job(tmp_path, nan=nan, steps=30), accelerator)
    assert json.loads((tmp_path / "status.json").read_text())["step"] == 11


def test_best_is_kept_beside_the_newest(toy, accelerator, tmp_path):
    class Peak(toy.Size):
        def __call__(self, model, accelerator, stop):
            self.asked += 1
            return {"size": -abs(self.asked - 2.0)}

    options = {"valid_every": 2, "save_every": 3, "keep": 2}
    train(toy.job(tmp_path, validate=Peak(), **options), accelerator)
    assert json.loads((tmp_path / "best.json").read_text()) == {
        "checkpoint": "step_00000004",
        "size": 0.0,
    }
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step_00000004", "step_00000009", "step_00000012"]


def test_validation_sees_the_average_and_leaves_the_weights(toy, accelerator, tmp_path):
    seen = {}

    class Look(toy.Size):
        def __call__(self, model, accelerator, stop):
            assert not model.training
            seen.update({name: p.clone() for name, p in model.named_parameters()})
            return {"size": 0.0}

    train(toy.job(tmp_path / "a", validate=Look(), valid_every=6, save_every=6), accelerator)
    train(toy.job(tmp_path / "b", save_every=6), accelerator)
    folder = weights.find(tmp_path / "a", "last")
    averaged, own = (weights.read_weights(folder, ema=ema) for ema in (True, False))
    assert all(torch.equal(seen[name], averaged[name]) for name in seen)
    assert not torch.equal(averaged["up.weight"], own["up.weight"])
    assert toy.curve(tmp_path / "a") == toy.curve(tmp_path / "b")


def test_another_length_goes_on_and_a_shorter_one_is_refused(toy, accelerator, tmp_path):
    train(toy.job(tmp_path, steps=6, decay=1.0), accelerator)
    train(toy.job(tmp_path, steps=9, decay=1.0), accelerator)
    assert [row["step"] for row in toy.rows(tmp_path)] == list(range(1, 10))
    with pytest.raises(Refusal, match=r"is at step 9, past train\.steps 6"):
        train(toy.job(tmp_path, steps=6, decay=1.0), accelerator)


def test_throughput_is_counted(toy, accelerator, tmp_path):
    train(toy.job(tmp_path, steps=2), accelerator)
    stream = toy.job(tmp_path).batches(0)
    seconds = sum(float(next(stream).samples.sum()) / toy.RATE for _ in range(2))
    row = toy.rows(tmp_path)[0]
    assert row["audio"] == pytest.approx(seconds)
    assert 0 <= row["waited"] <= row["seconds"]
    assert row["parts"]["mse"] == pytest.approx(row["loss"])
    assert math.isclose(row["lr"], 1e-2 / 3)
