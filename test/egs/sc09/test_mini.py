"""The mini corpus without packages and synthesisers: fakes speak, the tables are the real ones."""

import io

import numpy as np
import pytest
import soundfile

from diffaudio.files import read_json
from diffaudio.log import Refusal


def tone(pitch, rate=16000):
    return 0.3 * np.sin(2 * np.pi * pitch * np.arange(rate // 2) / rate)


def sound(pitch, **about):
    file = io.BytesIO()
    soundfile.write(file, tone(pitch, 8000), 8000, **about)
    return file.getvalue()


@pytest.fixture
def packages(local, monkeypatch):
    """Ten digits of each of the four people, 500 Hz and up, a hundred a digit."""
    wav = [sound(500 + 100 * i, format="WAV") for i in range(10)]
    bare = [sound(500 + 100 * i, format="RAW", subtype="ULAW") for i in range(10)]
    monkeypatch.setattr("diffaudio.corpus.decode.g722", lambda _: tone(500.0).astype("float32"))
    math = "./usr/share/tuxpaint/stamps/symbols/math"
    return {
        "asterisk-core-sounds-en-g722": {f"./s/en/digits/{i}.g722": b"" for i in range(10)},
        "saytime": {f"./usr/share/saytime/{i}.au": bare[i] for i in range(10)},
        "tuxpaint-stamps-default": {
            **{f"{math}/{i}.ogg": wav[i] for i in range(10)},
            **{f"{math}/{i}_en_GB.ogg": wav[i] for i in range(10)},
            **{f"{math}/{i}_ru.ogg": wav[i] for i in range(10)},
            "./usr/share/doc/tuxpaint-stamps-default/copyright": b"GPL",
        },
    }


def test_recordings_are_forty_english_digits_by_four_people(local, packages):
    found = list(local.recordings.digits(packages))
    assert len(found) == 40
    assert {digit.speaker.voice for digit in found} == {
        *("allison", "dawson", "tuxpaint", "tuxpaint-gb")
    }
    assert {(digit.speaker.split, digit.speaker.source) for digit in found} == {("test", "real")}
    for digit in found[10:]:
        power = np.abs(np.fft.rfft(digit.samples))
        heard = np.fft.rfftfreq(len(digit.samples), 1 / 16000)[power.argmax()]
        assert heard == pytest.approx(500 + 100 * local.data.WORDS.index(digit.word), abs=5)


def test_the_patterns_take_what_is_used_and_no_other_language(local, packages):
    import re

    for name, pattern in local.recordings.PACKAGES.items():
        taken = {path for path in packages[name] if re.search(pattern, path)}
        assert taken == {path for path in packages[name] if "ru" not in path and "doc" not in path}


def test_a_digit_that_is_missing_is_named(local, packages):
    del packages["saytime"]["./usr/share/saytime/7.au"]
    with pytest.raises(Refusal, match="saytime: has no recording of 7"):
        list(local.recordings.digits(packages))


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
            return tone(200.0)

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
