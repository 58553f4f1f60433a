import shutil

import numpy as np
import pytest
import torch

from diffaudio import weights
from diffaudio.data import plan
from diffaudio.files import read_json, write_json
from diffaudio.log import Refusal


@pytest.fixture
def exp(tiny_exp, tmp_path):
    return shutil.copytree(tiny_exp, tmp_path / "exp")


@pytest.fixture(scope="module")
def model(tiny_exp, loaded):
    return loaded(tiny_exp)


def test_the_best_averaged_weights_are_the_default(tiny_exp, model):
    folder = weights.find(tiny_exp, "best")
    held = weights.read_weights(folder, ema=True)
    assert all(torch.equal(held[name], value) for name, value in model.model.state_dict().items())
    assert model.about["checkpoint"] == "step_00000005"
    assert model.about["checkpoint_sha256"] == weights.digest(folder / weights.EMA)
    assert model.about["params"] == sum(p.numel() for p in model.model.parameters())
    assert (model.about["train_steps"], model.about["train_hours"]) == (5, 0.5)
    assert not any(p.requires_grad for p in model.model.parameters())


def test_overrides_choose_other_weights_and_calls(tiny_exp, loaded):
    options = ["--decode.ema", "false", "--decode.checkpoint", "last", "--decode.sampler.calls=3"]
    other = loaded(tiny_exp, options)
    assert other.about["checkpoint"] == "step_00000010"
    other.piece(np.zeros((100, 1), np.float32), 0)
    assert (other.meter.runs, other.meter.calls) == (1, 3)
    assert other.meter.seconds > 0


@pytest.mark.parametrize("lengths", [[1200], [1200, 1203, 700, 3000], [3000, 700, 1200]])
def test_an_utterance_does_not_depend_on_its_batch(model, speech, lengths):
    keys = {n: plan.key(0, f"id{n}") for n in lengths}
    alone = {n: model.piece(speech(n / 8000, seed=n), keys[n]) for n in lengths}
    given = torch.zeros(len(lengths), 1, max(lengths))
    for row, n in zip(given, lengths, strict=True):
        row[0, :n] = torch.from_numpy(speech(n / 8000, seed=n)[:, 0])
    made = model.generate(given, torch.tensor(lengths), [keys[n] for n in lengths])
    for row, n in zip(made, lengths, strict=True):
        np.testing.assert_allclose(row[0, :n], alone[n][:, 0], atol=1e-5)
        assert np.abs(alone[n]).max() > 0.01


def test_the_key_decides_the_noise(model, speech):
    x = speech(0.3)
    assert np.abs(model.piece(x, 1) - model.piece(x, 2)).max() > 1e-3
    np.testing.assert_array_equal(model.piece(x, 1), model.piece(x, 1))


def test_channels_are_enhanced_by_themselves(model, speech):
    x = speech(0.3, channels=3)
    x[:, 2] = x[:, 0]
    made = model.piece(x, 7)
    assert made.shape == x.shape
    np.testing.assert_allclose(made[:, :1], model.piece(x[:, :1], 7), atol=1e-5)
    np.testing.assert_allclose(made[:, 0], made[:, 2], atol=1e-5)


@pytest.mark.parametrize("samples", [1, 2, 31, 33])
def test_the_shortest_sounds_come_back_as_long(model, samples):
    made = model.piece(np.full((samples, 1), 0.1, np.float32), 0)
    assert made.shape == (samples, 1)
    assert np.isfinite(made).all()


def test_silence_gives_numbers(model):
    assert np.isfinite(model.piece(np.zeros((4000, 1), np.float32), 0)).all()


def test_a_long_sound_is_as_long_and_differs_from_the_whole_only_at_the_joins(model, speech):
    x = speech(5.0)
    made = np.concatenate(list(model.stream(np.array_split(x, 17), lambda k: plan.key(0, k))))
    assert made.shape == x.shape
    first = model.piece(x[:16000], plan.key(0, 0))
    np.testing.assert_allclose(made[:14000], first[:14000], atol=1e-5)


def test_bf16_is_near_and_not_the_same(tiny_exp, model, speech, loaded):
    made = loaded(tiny_exp, ["--decode.precision", "bf16"]).piece(speech(0.5), 0)
    exact = model.piece(speech(0.5), 0)
    assert 0 < np.abs(made - exact).max() < 0.1 * np.abs(exact).max()


def test_weights_of_another_model_are_refused_by_name(exp, loaded):
    path = exp / "config.yaml"
    path.write_text(path.read_text().replace("width: 16", "width: 32"))
    said = r"another model: \d+ of another shape \(denoiser.net.*16.*here.*32"
    with pytest.raises(Refusal, match=said):
        loaded(exp)


def test_missing_and_damaged_checkpoints_are_refused(exp, loaded):
    with pytest.raises(Refusal, match="no checkpoint 'step_00000007'"):
        loaded(exp, checkpoint="step_00000007")
    path = weights.find(exp, "best") / weights.EMA
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Refusal, match="damaged"):
        loaded(exp)


def test_a_checkpoint_in_a_folder_of_its_own_is_read_as_it_is(exp, loaded):
    folder = weights.find(exp, "last")
    shutil.copy(exp / "config.yaml", folder / "config.yaml")
    state = read_json(folder / weights.STATE)
    write_json(folder / weights.STATE, {**state, "checkpoint": "step_00000010"})
    one = loaded(folder)
    assert one.about["checkpoint_sha256"] == state["files"][weights.MODEL]
    assert one.about["checkpoint"] == "step_00000010"


def test_a_gpu_that_there_is_not_is_refused(tiny_exp, loaded, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(Refusal, match="cuda:1: this machine has 1 GPUs") as caught:
        loaded(tiny_exp, device="cuda:1")
    assert "--ngpu 0" in caught.value.mend
