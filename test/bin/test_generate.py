"""The command generate, from the model's folder to files."""

import soundfile

from diffaudio.bin import main as cli


def test_one_file_and_a_folder(tiny_prior, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    same = ["--exp", str(tiny_prior), "--seconds", "0.25", "--device", "cpu", "--threads", "1"]
    assert cli.main(["generate", "one.wav", *same]) == 0
    assert cli.main(["generate", "many", *same, "--count", "2", "--decode.sampler.calls", "1"]) == 0
    assert soundfile.info("one.wav").frames == 2000
    assert soundfile.info("many/001.wav").samplerate == 8000
    assert cli.main(["generate", "no.wav", *same, "--fields", "{label: one}"]) == 1
    assert "not told label" in capsys.readouterr().err
