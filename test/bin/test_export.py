import shutil

import pytest
import soundfile

from diffaudio.bin import main as cli


def test_export_then_enhance_with_the_folder(tiny_exp, tmp_path, monkeypatch, speech):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_exp, "exp")
    assert cli.main(["export", "--exp", "exp", "--out", "my model"]) == 0
    soundfile.write("noisy.wav", speech(0.5), 8000)
    assert cli.main(["enhance", "noisy.wav", "clean.wav", "--exp", "my model"]) == 0
    assert soundfile.info("clean.wav").frames == 4000
    assert cli.main(["export", "--exp", "exp", "--out", "my model"]) == 1
    assert cli.main(["export", "--exp", "exp", "--out", "my model", "--force"]) == 0


@pytest.mark.parametrize("argv", [["--out", "m"], ["--exp", "none", "--out", "m"], ["--exp", "e"]])
def test_what_is_missing_is_said(tmp_path, monkeypatch, capsys, argv, tiny_exp):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_exp, "e")
    assert cli.main(["export", *argv]) == 1
    text = capsys.readouterr().err
    assert "mend:" in text
    assert "Traceback" not in text
    assert not (tmp_path / "m").exists()
