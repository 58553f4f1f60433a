import pytest
import torch
from torch import nn

from diffaudio import weights
from diffaudio.denoiser import Denoiser, Surroundings
from diffaudio.files import write_json
from diffaudio.log import Refusal
from diffaudio.nets import UNet1d
from diffaudio.process import EDM, VE
from diffaudio.train.warm import warm_start
from diffaudio.weights import fit


def experiment(exp, *, step, value, ema=True):
    folder = exp / "checkpoints" / f"step_{step:08d}"
    held = {weights.MODEL: value} | ({weights.EMA: value + 0.5} if ema else {})
    files = {
        name: weights.write_weights(folder / name, {"weight": torch.full((1, 2), v)})
        for name, v in held.items()
    }
    write_json(folder / weights.STATE, {"step": step, "files": files})
    return folder


@pytest.fixture
def model():
    return nn.Linear(2, 1, bias=False)


def test_the_best_is_taken_and_its_average(tmp_path, model, caplog):
    experiment(tmp_path, step=1, value=1.0)
    experiment(tmp_path, step=2, value=2.0)
    with caplog.at_level("INFO", "diffaudio"):
        warm_start(str(tmp_path), model)
    assert model.weight.tolist() == [[2.5, 2.5]]
    assert "averaged weights" in caplog.text
    assert "step 2" in caplog.text
    write_json(tmp_path / "best.json", {"checkpoint": "step_00000001"})
    warm_start(str(tmp_path), model)
    assert model.weight.tolist() == [[1.5, 1.5]]


def test_one_checkpoint_can_be_named(tmp_path, model):
    folder = experiment(tmp_path, step=1, value=1.0, ema=False)
    experiment(tmp_path, step=2, value=2.0)
    warm_start(str(folder), model)
    assert model.weight.tolist() == [[1.0, 1.0]]


def test_a_model_that_is_told_of_jumps_starts_from_one_that_is_not(tmp_path):
    """It answers the same at first, however far it is told to lead."""
    torch.manual_seed(0)
    plain, told = (
        nn.ModuleDict({"denoiser": Denoiser(VE(), EDM(), UNet1d(1, 1, 1), jumps=jumps)})
        for jumps in (False, True)
    )
    for parameter in plain.parameters():
        nn.init.normal_(parameter, std=0.1)
    held = {weights.MODEL: weights.write_weights(tmp_path / weights.MODEL, plain.state_dict())}
    write_json(tmp_path / weights.STATE, {"step": 1, "files": held})
    warm_start(str(tmp_path), told)
    z, at, beside = torch.randn(2, 1, 1, 64), VE().at(torch.tensor(1.0)), Surroundings(None, None)
    with torch.no_grad():
        one = plain["denoiser"].x0(z, at, beside)
        for jump in (0.0, 0.5, 1.0):
            aimed = told["denoiser"].aimed(beside, torch.full((2,), jump))
            torch.testing.assert_close(told["denoiser"].x0(z, at, aimed), one)


def test_another_model_is_refused_with_the_first_of_each_fault(tmp_path):
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1))
    tensors = {"0.weight": torch.zeros(3, 2), "0.bias": torch.zeros(1), "x": torch.zeros(1)}
    with pytest.raises(Refusal) as refused:
        fit(model, tensors, tmp_path)
    for text in ("2 missing (1.weight)", "1 unexpected (x)", "0.weight [3, 2], here [1, 2]"):
        assert text in refused.value.message
    assert model[0].bias.abs().sum() > 0  # untouched


def test_nothing_there_is_refused(tmp_path, model):
    with pytest.raises(Refusal, match="no checkpoint"):
        warm_start(str(tmp_path / "nowhere"), model)
