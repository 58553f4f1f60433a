"""The command itself; what it writes is tested in test/decode/test_stage.py."""

import shutil

import numpy as np
import pytest
import soundfile

from diffaudio.bin import main as cli
from diffaudio.decode import stage


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        cli.main(["decode", "--help"])
    text = capsys.readouterr().out
    for option in ("--data", "--dump", "--exp", "--set", "--tag", "--nj", "--ngpu", "--force"):
        assert option in text
    assert "--decode.sampler.calls" in text


def test_workers_and_this_process_give_the_same_audio(tiny_dump, tiny_exp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_exp, "exp")
    monkeypatch.setattr(stage, "_SLICE_SECONDS", 1.0)
    folders = [f"--{name}={tiny_dump / name}" for name in ("data", "dump")]
    decode = ["decode", "--config", "exp/config.yaml", *folders, "--exp", "exp"]
    assert cli.main([*decode, "--tag", "workers", "--nj", "2"]) == 0

    def here(tasks, **_):
        return [task.function(**task.arguments) for task in tasks]

    monkeypatch.setattr(stage, "run_tasks", here)
    assert cli.main([*decode, "--tag", "here"]) == 0
    one, two = (
        sorted((tmp_path / "exp/decode" / tag / "test").glob("*.wav"))
        for tag in ("here", "workers")
    )
    assert [path.name for path in one] == [path.name for path in two]
    for first, second in zip(one, two, strict=True):
        gap = soundfile.read(first)[0] - soundfile.read(second)[0]
        assert np.abs(gap).max() <= 2**-15


def test_a_refusal_is_one_block_and_not_zero(tiny_dump, tiny_exp, tmp_path, capsys):
    folders = [f"--{name}={tiny_dump / name}" for name in ("data", "dump")]
    argv = ["--config", str(tiny_exp / "config.yaml"), *folders, "--exp", str(tmp_path / "none")]
    assert cli.main(["decode", *argv]) == 1
    text = capsys.readouterr().err
    assert "is no trained model" in text
    assert "mend:" in text
    assert "Traceback" not in text
