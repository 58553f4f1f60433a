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


def test_a_mistake_is_named(whole):
    with pytest.raises(Refusal, match=r"model\.net\.widht: no such option"):
        config.main(["--config", str(whole), "--model.net.init_args.widht", "8"])
