import re

import pytest

from diffaudio.bin import config
from diffaudio.log import Refusal


@pytest.fixture
def whole(tiny_exp, tmp_path, monkeypatch):
    """Return a configuration with every section that must be there."""
    monkeypatch.chdir(tmp_path)
    text = (tiny_exp / "config.yaml").read_text() + "train:\n  steps: 5\n"
    (tmp_path / "x.yaml").write_text(text)
    return tmp_path / "x.yaml"


def test_a_right_configuration_is_ok(whole, capsys):
    assert config.main(["--config", str(whole)]) == 0
    assert capsys.readouterr().out == "ok: audio, shard, model, train, decode, score\n"


def test_parts_are_built_not_only_read(whole):
    with pytest.raises(Refusal, match="section train: lr"):
        config.main(["--config", str(whole), "--train.lr", "-1"])


def test_what_is_printed_has_been_built_and_reads_back(whole, capsys):
    assert config.main(["--config", str(whole), "--train.lr", "0.25", "--print_config"]) == 0
    text = capsys.readouterr().out
    assert "lr: 0.25" in text
    whole.write_text(f"# said first\n{text}")
    assert config.main(["--config", str(whole), "--print_config"]) == 0
    assert capsys.readouterr().out == text
    with pytest.raises(Refusal, match="section train: lr"):
        config.main(["--config", str(whole), "--train.lr", "-1", "--print_config"])
    assert capsys.readouterr().out == ""


def test_a_metric_that_there_is_not_is_refused(whole):
    with pytest.raises(Refusal, match=r"metric 'PESK': not known \(did you mean 'PESQ'\?\)"):
        config.main(["--config", str(whole), "--score.metrics", "[PESK, SI-SDR]"])


@pytest.mark.parametrize(
    ("options", "message", "mend"),
    [
        (["--train.valid_metric", "sisdr"], "no metric 'sisdr'", "did you mean SI-SDR?"),
        (["--train.valid_metric", "PESQ"], "it needs 16000 Hz, audio.rate is 8000", "audio.rate 1"),
        (["--audio.given", "null"], "audio.given: None, but model.given says", "set both or neith"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(whole, options, message, mend):
    with pytest.raises(Refusal, match=re.escape(message)) as caught:
        config.main(["--config", str(whole), *options])
    assert mend in caught.value.mend


def test_a_metric_that_is_not_used_is_not_looked_at(whole):
    options = ["--train.valid_metric", "PESQ", "--train.valid_every", "0"]
    assert config.main(["--config", str(whole), *options]) == 0


def test_help_lists_keys_of_every_section(capsys):
    with pytest.raises(SystemExit):
        config.main(["--help"])
    said = capsys.readouterr().out
    for name in ("audio.rate", "shard.items", "model.net", "train.seed", "score.metrics"):
        assert f"--{name}" in said


def test_a_mistake_is_named(whole):
    with pytest.raises(Refusal, match=r"model\.net\.widht: no such option"):
        config.main(["--config", str(whole), "--model.net.init_args.widht", "8"])
