"""The command restore: every task, what it keeps of the input, and what it refuses."""

import shutil

import numpy as np
import pytest
import soundfile
import soxr

from diffaudio.bin import main as cli


@pytest.fixture
def place(tiny_prior, tmp_path, monkeypatch, speech):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_prior, "exp")
    x = np.concatenate([speech(0.5), np.zeros((100, 1), np.float32)])
    soundfile.write("whole.wav", x, 8000, subtype="FLOAT")
    soundfile.write("room.wav", np.array([1.0, 0.0, 0.3], np.float32), 8000, subtype="FLOAT")
    return x


def run(*argv, exp="exp"):
    return cli.main(["restore", *argv, "--exp", exp, "--device", "cpu", "--threads", "1"])


def get(path="out.wav"):
    x, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 8000
    return x


@pytest.mark.parametrize("method", ["pigdm", "dps", "projection"])
def test_gaps_are_filled_and_the_rest_is_kept(place, method):
    gaps = ["--gaps", "[[0.1, 0.15], [0.3, 0.32]]"]
    assert run("whole.wav", "out.flac", "--task", "inpaint", "--method", method, *gaps) == 0
    gap = np.zeros(len(place), bool)
    gap[800:1200], gap[2400:2560] = True, True
    made = get("out.flac")
    np.testing.assert_allclose(made[~gap], place[~gap], atol=1e-4)  # 16 bit
    assert np.abs(made[gap] - place[gap]).max() > 1e-3


def test_the_band_is_extended(place):
    soundfile.write("narrow.wav", soxr.resample(place, 8000, 4000), 4000, subtype="FLOAT")
    assert run("narrow.wav", "out.wav", "--task", "extend", "--cutoff", "1500") == 0
    made = get()
    assert len(made) == len(place)
    made, whole = (np.fft.rfft(x[:, 0]) for x in (made, place))
    low = int(1500 / 8000 * len(place))
    np.testing.assert_allclose(made[:low], whole[:low], atol=0.01 * np.abs(whole).max())
    assert np.abs(made[low + 1 :]).max() > 0.01 * np.abs(whole).max()


def test_peaks_are_restored_up_to_rounding(place):
    cut = np.clip(place, -0.1, 0.1)
    soundfile.write("cut.wav", np.concatenate([cut, cut[:, ::-1]], 1), 8000)
    assert run("cut.wav", "out.wav", "--task", "declip") == 0
    made = get()
    assert made.shape == (len(cut), 2)
    inside = np.abs(cut[:, 0]) < 0.0995
    np.testing.assert_allclose(made[inside, 0], cut[inside, 0], atol=1e-4)
    assert (np.abs(made[~inside, 0]) > 0.0985).all()
    np.testing.assert_allclose(made[:, 0], made[:, 1], atol=1e-4)  # equal channels stay equal


def test_a_room_is_undone(place):
    wet = place + 0.3 * np.concatenate([np.zeros((2, 1), np.float32), place[:-2]])
    soundfile.write("wet.wav", wet, 8000, subtype="FLOAT")
    assert run("wet.wav", "out.wav", "--task", "dereverb", "--response", "room.wav") == 0
    np.testing.assert_allclose(get(), place, atol=1e-3)  # nothing is lost, so nothing is guessed


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--task", "inpaint"], "--task inpaint needs --gaps"),
        (["--task", "extend"], "--task extend needs --cutoff"),
        (["--task", "extend", "--cutoff", "4000"], "cutoff = 4000 Hz is not between 0 and"),
        (["--task", "dereverb", "--response", "none.wav"], "none.wav: cannot be read"),
        (["--task", "inpaint", "--gaps", "[[0.4, 0.6]]"], "--gaps: 0.4 to 0.6 s is not in 0.5"),
        (["--task", "declip", "--method", "repaint"], "Clip is not linear"),
        (["--task", "declip", "--decode.chunk_seconds", "0.51", "--decode.overlap_seconds", "0.1"],
         "restored whole, up to 0.51 s"),
        (["--task", "polish"], "polish"),
        ([], "task: missing"),
    ],
)  # fmt: skip
def test_a_bad_input_is_one_block_and_leaves_nothing(place, tmp_path, capsys, argv, reason):
    assert run("whole.wav", "out.wav", *argv) != 0
    text = capsys.readouterr().err
    assert reason in text
    assert "Traceback" not in text
    assert not (tmp_path / "out.wav").exists()


def test_an_input_is_never_replaced(place, tmp_path, capsys):
    before = (tmp_path / "whole.wav").read_bytes()
    assert run("whole.wav", "whole.wav", "--task", "declip") == 1
    assert "output and input are one file" in capsys.readouterr().err
    assert (tmp_path / "whole.wav").read_bytes() == before
    assert run("whole.wav", "out.wav", "--task", "declip", "--level", "0") == 1
    assert "level = 0 is not above 0" in capsys.readouterr().err


def test_a_model_that_is_given_audio_is_refused(place, tiny_exp, capsys):
    assert run("whole.wav", "out.wav", "--task", "declip", exp=str(tiny_exp)) == 1
    assert "cannot tell what is likely by itself" in capsys.readouterr().err


def test_what_the_model_is_told_is_given_by_name(place, capsys):
    gaps = ["--task", "inpaint", "--gaps", "[[0.1, 0.15]]"]
    assert run("whole.wav", "out.wav", *gaps, "--fields", "{label: seven}") == 1
    assert "not told label" in capsys.readouterr().err
