import json
import math
import os
import signal

import pytest
import torch

from diffaudio import weights
from diffaudio.data import plan
from diffaudio.log import Refusal
from diffaudio.train.job import Scores
from diffaudio.train.loop import train
from diffaudio.train.power import gamma
from diffaudio.train.schedule import adamw, learning_rate
from diffaudio.train.world import settled


def test_the_loop_is_the_textbook_loop(toy, accelerator, tmp_path):
    """Against the formulas of clip, AdamW, its rate and the average, written out in float64."""
    made = toy.job(tmp_path, clip=0.05, max_per_device=4, weight_decay=0.1)
    assert train(made, accelerator) == "done"
    model, losses, rates = toy.Toy(), [], []
    first, second = {}, {}
    average = {name: w.detach().double() for name, w in model.named_parameters()}
    stream = made.batches(0)
    for step in range(1, 13):
        batch = next(stream)
        torch.manual_seed(plan.key(batch.keys[0], "dropout"))
        loss = model(batch)[0].mean()
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        norm = sum(g.double().square().sum() for g in gradients).sqrt()
        # 3 steps up to 1e-2, then half a cosine down to a twentieth of it at the last step
        lr = 1e-2 * step / 3 if step <= 3 else 0
        if step > 3:
            lr = 1e-2 * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - 4) / 8)))
        half_life = min(4.0, 0.1 * step)
        kept = 2 ** (-1 / half_life)
        for (name, weight), gradient in zip(model.named_parameters(), gradients, strict=True):
            g = gradient.double() * min(1.0, 0.05 / (norm.item() + 1e-6))
            first[name] = 0.9 * first.get(name, 0) + 0.1 * g
            second[name] = 0.99 * second.get(name, 0) + 0.01 * g**2
            root = (second[name] / (1 - 0.99**step)).sqrt()
            w = weight.detach().double() * (1 - lr * (0.1 if weight.ndim > 1 else 0))
            w = w - lr * first[name] / (1 - 0.9**step) / (root + 1e-8)
            average[name] = kept * average[name] + (1 - kept) * w
            weight.data.copy_(w)
        losses.append(loss.item())
        rates.append(lr)
    assert [row["lr"] for row in toy.rows(tmp_path)] == pytest.approx(rates)
    assert [row["loss"] for row in toy.rows(tmp_path)] == pytest.approx(losses, rel=1e-4)
    last = weights.find(tmp_path, "last")
    for held, own in ((False, model.state_dict()), (True, average)):
        for name, tensor in weights.read_weights(last, ema=held).items():
            torch.testing.assert_close(tensor.double(), own[name].double(), rtol=1e-3, atol=1e-5)


def test_power_function_averages_are_those_of_the_weights_after_each_update(
    toy, accelerator, tmp_path
):
    """Against the profile over the weights of every step, one of which was skipped."""
    seen = []

    class Kept(toy.Size):
        def __call__(self, model, accelerator, stop):
            seen.append(model.up.weight.detach().clone())
            return super().__call__(model, accelerator, stop)

    options = {"ema": 0.0, "ema_profiles": (0.05, 0.2), "ema_every": 5, "valid_every": 1}
    train(toy.job(tmp_path, validate=Kept(), nan=[(5, 2)], **options), accelerator)
    assert torch.equal(seen[4], seen[5])
    del seen[5]  # after the skipped step
    folders = sorted(path.name for path in (tmp_path / "ema").iterdir())
    assert folders == ["step_00000005", "step_00000010", "step_00000012"]
    state = weights.read_state(tmp_path / "ema/step_00000010")
    assert (state["step"], state["updates"]) == (10, 9)
    last = weights.read_state(tmp_path / "checkpoints/step_00000012")["files"]
    assert {"ema_0.05.safetensors", "ema_0.2.safetensors"} < last.keys()
    assert weights.EMA not in last
    for name, sigma_rel in state["sigma_rel"].items():
        mass = (torch.arange(10.0) / 9).pow(gamma(sigma_rel) + 1).diff()
        right = sum(m * w for m, w in zip(mass, seen[:9], strict=True))
        held = weights.read_tensors(tmp_path / "ema/step_00000010" / name, state["files"][name])
        torch.testing.assert_close(held["up.weight"], right)


def test_dropout_has_a_stream_of_its_own(toy, accelerator, tmp_path):
    """Seeded with an item's key it would repeat the noise of that item."""
    seeds, keys = set(), set()

    class Seen(toy.Toy):
        def forward(self, batch):
            seeds.add(torch.initial_seed())
            keys.update(batch.keys)
            return super().forward(batch)

    train(toy.job(tmp_path, model=Seen()), accelerator)
    assert len(seeds) == 24  # 12 steps of 2 micro-batches
    assert len(keys) == 48
    assert not seeds & keys


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
            torch.manual_seed(plan.key(batch.keys[0], "dropout"))
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
            return Scores({"size": -abs(self.asked - 2.0)}, {"size": 1})

    options = {"valid_every": 2, "save_every": 3, "keep": 2}
    train(toy.job(tmp_path, validate=Peak(), **options), accelerator)
    assert json.loads((tmp_path / "best.json").read_text()) == {
        "checkpoint": "step_00000004",
        "protocol": "p1",
        "size": 0.0,
    }
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step_00000004", "step_00000009", "step_00000012"]


def test_a_validation_with_broken_outputs_is_not_the_best(toy, accelerator, tmp_path, caplog):
    """The means look best where the worst utterances are missing from them."""

    class Broken(toy.Size):
        def __call__(self, model, accelerator, stop):
            self.asked += 1
            hurt = self.asked in (1, 3)
            size, count = (99.0, 5) if hurt else (-float(self.asked), 7)
            return Scores({"size": size}, {"size": count}, ["u3", "u7"] if hurt else [])

    with caplog.at_level("INFO", "diffaudio"):
        train(toy.job(tmp_path, validate=Broken(), valid_every=3), accelerator)
    best = json.loads((tmp_path / "best.json").read_text())
    assert (best["checkpoint"], best["size"]) == ("step_00000006", -2.0)
    valid = toy.rows(tmp_path, "valid")
    assert [row.get("broken") for row in valid] == [["u3", "u7"], None, ["u3", "u7"], None]
    assert [row["n"]["size"] for row in valid] == [5, 7, 5, 7]
    assert "step 9 cannot be the best: no usable output or loss for u3, u7" in caplog.text
    assert "size -2 (n = 7)" in caplog.text


@pytest.mark.parametrize("protocol", ["p1", "p2"])
def test_a_best_that_was_scored_otherwise_does_not_count(
    toy, accelerator, tmp_path, caplog, protocol
):
    class Fixed(toy.Size):
        def __call__(self, model, accelerator, stop):
            return Scores({"size": 9.0 if self.protocol == "p1" else 1.0}, {"size": 1})

    options = {"valid_every": 6, "decay": 1.0}
    train(toy.job(tmp_path, validate=Fixed(), steps=6, **options), accelerator)
    best = tmp_path / "best.json"
    assert json.loads(best.read_text())["checkpoint"] == "step_00000006"
    validate = Fixed(protocol=protocol)
    with caplog.at_level("INFO", "diffaudio"):
        train(toy.job(tmp_path, validate=validate, steps=9, **options), accelerator)
    said = "the best so far, step_00000006, does not count from here on"
    assert (said in caplog.text) is (protocol == "p2")
    now = "step_00000006" if protocol == "p1" else "step_00000009"
    assert json.loads(best.read_text())["checkpoint"] == now
    assert (tmp_path / "checkpoints" / now).is_dir()


def test_validation_sees_the_average_and_leaves_the_weights(toy, accelerator, tmp_path):
    seen = {}

    class Look(toy.Size):
        def __call__(self, model, accelerator, stop):
            assert not model.training
            seen.update({name: p.clone() for name, p in model.named_parameters()})
            return Scores({"size": 0.0}, {"size": 1})

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
