"""A configuration from elsewhere chooses neither code nor files."""

import contextlib
import importlib.util
import shutil
import sys

import pytest

from diffaudio.decode.configuration import read_config
from diffaudio.log import Refusal


@pytest.fixture
def exp(tiny_exp, tmp_path):
    return shutil.copytree(tiny_exp, tmp_path / "exp")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class_path: diffaudio.nets.BandTransformer", "class_path: subprocess.Popen"),
        ("class_path: diffaudio.process.FlowSE", "class_path: builtins.exec"),
        ("diffaudio.codec.CompressedSTFT", "diffaudiox.codec.CompressedSTFT"),
        ("calls: 2", "calls: os.system"),
        ("target: clean", "target: pickle.loads"),
    ],
)
def test_a_configuration_cannot_choose_foreign_code(exp, old, new):
    path = exp / "config.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(Refusal, match=r"only classes of diffaudio\.\* and local\.\*"):
        read_config(path)


@pytest.mark.parametrize(("value", "taken"), [("words.tsv", True), ("__main__.exec", False)])
def test_a_files_name_is_no_code(exp, value, taken):
    path = exp / "config.yaml"
    path.write_text(path.read_text().replace("target: clean", f"target: {value}"))
    with contextlib.nullcontext() if taken else pytest.raises(Refusal, match="only classes of"):
        assert read_config(path).sections["audio"]["target"] == value


@pytest.mark.parametrize("value", ["/tmp/x/evil", "./evil", "../evil"])
def test_a_configuration_cannot_read_other_files(exp, value):
    path = exp / "config.yaml"
    lines = path.read_text().splitlines()
    at = lines.index("  net:")
    end = lines.index("  objective:")
    path.write_text("\n".join([*lines[:at], f"  net: {value}", *lines[end:], ""]))
    with pytest.raises(Refusal):
        read_config(path)


def foreign(exp):
    """Let a model's configuration name a network of `local`, as one from elsewhere may."""
    path = exp / "config.yaml"
    path.write_text(path.read_text().replace("diffaudio.nets.BandTransformer", "local.nets.Evil"))
    (exp / "local").mkdir()
    (exp / "local/nets.py").write_text(f"open({str(exp / 'ran')!r}, 'w')\n")


@pytest.mark.parametrize("below", [".", "inner"])
def test_code_in_a_models_folder_is_not_run(exp, monkeypatch, below):
    foreign(exp)
    (exp / "inner").mkdir()
    shutil.copytree(exp / "local", exp / "inner/local")
    monkeypatch.delitem(sys.modules, "local", raising=False)
    monkeypatch.chdir(exp / below)
    with pytest.raises(Refusal, match="lies in the folder of the model") as caught:
        read_config(exp / "config.yaml")
    assert "recipe's folder" in caught.value.mend
    assert not (exp / "ran").exists()


def test_a_file_beside_a_model_passes_for_no_package(exp, monkeypatch):
    (exp / "some_missing_package.py").write_text(f"open({str(exp / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(exp)
    read_config(exp / "config.yaml")
    assert importlib.util.find_spec("some_missing_package") is None


def test_no_configuration_no_model(tmp_path):
    with pytest.raises(Refusal, match="is no trained model"):
        read_config(tmp_path / "config.yaml")
