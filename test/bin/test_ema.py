import shutil

import numpy as np
import pytest
import soundfile
import torch

from diffaudio.bin import main as cli
from diffaudio.decode.configuration import read_config
from diffaudio.model import Model
from diffaudio.train import posthoc
from diffaudio.train.ema import Ema, power_function
from diffaudio.train.progress import Progress


@pytest.fixture
def exp(tiny_exp, tmp_path, monkeypatch):
    """A copy of the experiment, with snapshots of weights that moved a little."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_exp, "exp")
    torch.manual_seed(0)
    model = read_config(tiny_exp / "config.yaml").build(Model)
    averages = {f"ema_{s}.safetensors": Ema(model, power_function(s)) for s in (0.05, 0.1)}
    for update in range(1, 11):
        for weight in model.parameters():
            weight.data += 0.02 * torch.randn_like(weight)
        for average in averages.values():
            average.update(update)
        posthoc.snapshot(tmp_path / "exp", Progress(update, update), averages, (0.05, 0.1))
    return tmp_path / "exp"


def test_the_printed_name_is_a_checkpoint_to_decode_with(exp, capsys, speech):
    names = []
    for sigma_rel in ("0.07", "0.2"):
        assert cli.main(["ema", "--exp", "exp", "--sigma_rel", sigma_rel]) == 0
        names.append(capsys.readouterr().out.strip())
    assert names == ["ema_0.07_step_00000010", "ema_0.2_step_00000010"]
    soundfile.write("noisy.wav", speech(0.3), 8000)
    for name in names:
        argv = ["--exp", "exp", "--device", "cpu", "--threads", "1", "--decode.checkpoint", name]
        assert cli.main(["enhance", "noisy.wav", f"{name}.wav", *argv]) == 0
    one, other = (soundfile.read(f"{name}.wav")[0] for name in names)
    assert np.abs(one - other).max() > 1e-4


def test_an_earlier_end(exp, capsys):
    assert cli.main(["ema", "--exp", "exp", "--sigma_rel", "0.1", "--step", "6"]) == 0
    assert capsys.readouterr().out == "ema_0.1_step_00000006\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--sigma_rel", "0.5"], "sigma_rel: 0.5 is not above 0 and at most 0.2887"),
        (["--sigma_rel", "0.1", "--step", "11"], "holds no snapshot of step 11"),
        ([], "sigma_rel"),
    ],
)
def test_what_is_wrong_is_said(exp, capsys, argv, words):
    assert cli.main(["ema", "--exp", "exp", *argv]) == 1
    text = capsys.readouterr().err
    assert words in text
    assert "Traceback" not in text
