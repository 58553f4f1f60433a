"""The command enhance; the table of bad inputs with what each prints."""

import io
import shutil
import sys

import numpy as np
import pytest
import soundfile

from diffaudio.bin import main as cli


@pytest.fixture
def place(tiny_exp, tmp_path, monkeypatch, speech):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_exp, "exp")
    soundfile.write("noisy.wav", speech(0.5), 8000)
    return tmp_path


def run(*argv):
    return cli.main(["enhance", *argv, "--exp", "exp", "--device", "cpu", "--threads", "1"])


def test_a_file(place, capsys):
    assert run("noisy.wav", "clean.wav") == 0
    assert soundfile.info("clean.wav").frames == 4000
    assert "noisy.wav: 0.5 s, 1 channel, 8000 Hz" in capsys.readouterr().err


def test_options_reach_the_sampler(place):
    assert run("noisy.wav", "two.wav") == 0
    assert run("noisy.wav", "one.wav", "--decode.sampler.calls", "1") == 0
    two, one = (soundfile.read(name)[0] for name in ("two.wav", "one.wav"))
    assert np.abs(two - one).max() > 1e-3


def test_a_negative_number_of_threads_is_refused(place, capsys):
    argv = ["enhance", "noisy.wav", "two.wav", "--exp", "exp", "--device", "cpu"]
    assert cli.main([*argv, "--threads", "-1"]) == 1
    assert "--threads -1: is negative" in capsys.readouterr().err


def test_the_models_rate_on_request(place, speech):
    soundfile.write("high.wav", speech(0.5, 44100), 44100)
    assert run("high.wav", "clean.wav", "--keep_rate", "false") == 0
    assert soundfile.info("clean.wav").samplerate == 8000


def test_a_name_with_a_leading_dash_after_two_dashes(place):
    shutil.copy("noisy.wav", "-x.wav")
    argv = ["--exp", "exp", "--device", "cpu", "--", "-x.wav", "-y.wav"]
    assert cli.main(["enhance", *argv]) == 0
    assert soundfile.info("./-y.wav").frames == 4000


def test_a_pipe(place, monkeypatch):
    class Stream:
        def __init__(self, content=b""):
            self.buffer = io.BytesIO(content)

    out = Stream()
    monkeypatch.setattr(sys, "stdin", Stream((place / "noisy.wav").read_bytes()))
    monkeypatch.setattr(sys, "stdout", out)
    assert run("-", "-") == 0
    out.buffer.seek(0)
    assert soundfile.info(out.buffer).frames == 4000


def test_a_folder_with_one_bad_file(place, capsys):
    (place / "in").mkdir()
    shutil.copy("noisy.wav", "in/two\nlines $(touch boom) 😀.wav")
    (place / "in/empty.wav").write_bytes(b"")
    assert run("in", "out") == 1
    assert [path.name for path in (place / "out").iterdir()] == ["two\nlines $(touch boom) 😀.wav"]
    text = capsys.readouterr().err
    assert "1 of 2 files could not be enhanced" in text
    assert "empty.wav: empty file (0 bytes)" in text
    assert not (place / "boom").exists()


def test_help_without_a_model(capsys):
    with pytest.raises(SystemExit):
        cli.main(["enhance", "--help"])
    text = capsys.readouterr().out
    for word in ("IN", "OUT", "--exp", "--keep_rate", "--device", "--decode.sampler.calls"):
        assert word in text
    assert "--model" not in text


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["none.wav", "o.wav"], "none.wav: cannot be read (No such file or directory)"),
        (["noisy.wav", "exp"], "exp: is a folder, but noisy.wav is one file"),
        (["noisy.wav", "noisy.wav"], "noisy.wav: output and input are one file"),
        (["noisy.wav", "o.txt"], "o.txt: .txt is not a format that can be written"),
        (["noisy.wav", "none.wav/o.wav"], "none.wav"),
        (["noisy.wav", "o.wav", "--decode.sampler.cals", "1"], "did you mean"),
        (["noisy.wav", "o.wav", "--decode.checkpoint", "step_7"], "no checkpoint 'step_7'"),
        (["noisy.wav"], "output: missing"),
    ],
)
def test_a_bad_input_is_one_block_and_leaves_nothing(place, capsys, argv, reason):
    (place / "none.wav").touch() if "none.wav/o.wav" in argv else None
    assert run(*argv) == 1
    text = capsys.readouterr().err
    assert reason in text
    assert "Traceback" not in text
    assert not list(place.glob("o.*"))


def test_a_model_must_be_named(place, capsys):
    assert cli.main(["enhance", "noisy.wav", "o.wav"]) == 1
    assert "--exp is missing" in capsys.readouterr().err
    assert cli.main(["enhance", "noisy.wav", "o.wav", "--exp", "none"]) == 1
    assert "none is no trained model" in capsys.readouterr().err
