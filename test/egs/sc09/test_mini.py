"""The mini corpus without packages and synthesisers: fakes speak, the tables are the real ones."""

import numpy as np
import pytest

from diffaudio.files import read_json


@pytest.fixture
def made(local, packages, tmp_path, monkeypatch):
    """The mini corpus with one take of each word, and three of espeak-ng's voices in each split."""
    files = {name: tmp_path / f"{name}_1_all.deb" for name in (*packages, *local.flite.PACKAGES)}
    monkeypatch.setattr(local.mini, "fetch", lambda *_: files)
    monkeypatch.setattr(
        local.mini, "read", lambda path, _: packages.get(path.name.split("_")[0], {})
    )

    class Voice:
        def __init__(self, *_):
            self.asked = []

        def say(self, voice, word, rate, **about):
            self.asked.append((voice, word, *about.values()))
            return 0.3 * np.sin(2 * np.pi * 200.0 * np.arange(8000) / 16000)

    speaks, espeak = Voice(), Voice()
    monkeypatch.setattr(local.flite, "Flite", lambda *_: speaks)
    monkeypatch.setattr(local.mini, "Espeak", lambda: espeak)
    fewer = {name: (split, 1, pitch) for name, (split, _, pitch) in local.mini.FLITE.items()}
    monkeypatch.setattr(local.mini, "FLITE", fewer)
    few = {split: " ".join(names.split()[:3]) for split, names in local.mini.ESPEAK.items()}
    monkeypatch.setattr(local.mini, "ESPEAK", few)
    monkeypatch.setattr(local.mini, "ESPEAK_TAKES", dict.fromkeys(few, 1))
    folder = tmp_path / "mini"
    folder.mkdir()
    local.mini.make(folder, tmp_path)
    return folder, speaks.asked + espeak.asked


def test_voices_are_in_one_split_each_and_people_in_the_test(local, made):
    rows = list(local.data.rows(made[0]))
    voices = {
        split: {row["voice"] for row in rows if row["split"] == split}
        for split in ("train", "valid", "test")
    }
    assert not voices["test"] & (voices["train"] | voices["valid"])
    assert not voices["train"] & voices["valid"]
    assert {row["split"] for row in rows if row["source"] == "real"} == {"test"}
    assert len({row["speaker"] for row in rows}) == sum(map(len, voices.values()))
    assert all(len([r for r in rows if r["voice"] == v]) == 10 for v in voices["valid"])


def test_a_variant_of_espeak_is_in_one_split_whatever_its_accent(local):
    variants = [name for names in local.mini.ESPEAK.values() for name in names.split()]
    assert len(set(variants)) == len(variants) > 50
    family = {
        split: {name.lower().rstrip("0123456789") for name in names.split()}
        for split, names in local.mini.ESPEAK.items()
    }
    apart = family["test"] & (family["train"] | family["valid"])
    assert apart <= {"f", "m"}  # f4 and f2 are two voices, mike and mike2 one


def test_every_take_is_spoken_in_its_own_way(made):
    asked = made[1]
    assert len(set(asked)) == len(asked)


def test_labels_and_credits(local, made):
    about = read_json(made[0] / "corpus.json")
    assert "not Speech Commands" in about["label"]
    assert about["packages"]["saytime"] == "saytime_1_all.deb"
    told = (made[0] / "CREDITS.txt").read_text()
    assert "tuxpaint-stamps-default/copyright\n\nGPL" in told
    assert "espeak-ng" in told
    assert not list(made[0].glob(".flite.*"))  # the program is gone
