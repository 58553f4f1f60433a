"""The mini corpus without packages: tones speak."""

import gzip
import hashlib

import pytest

from diffaudio.files import read_json

TEXTS = """; a comment
hello: Hello.
short: no
digits/1: one
beep: [a beep]
leave: <beep descending>
silence/1: (1 second of silence)
noted: Say it. (a tone plays)
absent: Nobody said this.
again: Hello again, my dear friend.
copy: Hello again, my dear friend.
twice-a: please hold the line, 1
twice-b: Please hold the line, one.
menu: {menu}
odd: {odd}
"""
MENU = " ".join(f"Press {i} to do the thing that {i} does." for i in range(1, 5))
ODD = " ".join((120 if letter == "b" else 40) * letter + "." for letter in "abc")


@pytest.fixture
def packages(phrases, monkeypatch):
    sounds = {
        "hello": phrases((1.0, 0.5)),
        "short": phrases((0.3, 0.3)),
        "digits/1": phrases((0.8, 0.3)),
        "again": phrases((2.0, 0.5)),
        "twice-a": phrases((1.5, 0.3)),
        "twice-b": phrases((1.6, 0.3)),
        "menu": phrases(*(4 * [(3.5, 0.3)])),
        "odd": phrases((5.0, 0.3), (15.0, 0.3), (5.0, 0.3)),
        "untold": phrases((1.0, 0.3)),
    }
    for name in ("beep", "leave", "silence/1", "noted"):
        sounds[name] = phrases((1.1, 0.3))
    more = [f"more-{number:03}" for number in range(120)]
    for number, name in enumerate(more):
        sounds[name] = phrases((1.0 + number / 200, 0.3))
    lines = [
        f"{name}: This is the sentence called {chr(97 + i // 26)}{chr(97 + i % 26)}"
        for i, name in enumerate(more)
    ]
    texts = TEXTS.format(menu=MENU, odd=ODD) + "\n".join(lines)
    by_bytes = {name.encode(): samples for name, samples in sounds.items()}
    by_bytes[b"again"] = sounds["again"]
    files = {f"./s/sounds/en_X/{name}.g722": name.encode() for name in sounds}
    files["./s/sounds/en_X/copy.g722"] = b"again"
    return by_bytes, {
        "asterisk-core-sounds-en": {
            "./doc/core-sounds-en.txt.gz": gzip.compress(texts.encode()),
            "./usr/share/doc/asterisk-core-sounds-en/copyright": b"CC-BY-SA-3.0",
        },
        "asterisk-core-sounds-en-g722": files,
    }


@pytest.fixture
def make(local, packages, tmp_path, monkeypatch):
    sounds, held = packages
    monkeypatch.setattr(local.mini, "g722", sounds.__getitem__)
    files = {name: tmp_path / f"{name}_1_all.deb" for name in held}
    monkeypatch.setattr(local.mini, "fetch", lambda *_: files)
    monkeypatch.setattr(local.mini, "read", lambda path, _: held[path.name.split("_")[0]])

    def made(name):
        (tmp_path / name).mkdir()
        local.mini.make(tmp_path / name, tmp_path)
        return tmp_path / name

    return made


def test_what_is_spoken_is_there_and_the_rest_is_named(local, make):
    root = make("mini")
    rows = {row["id"]: row for row in local.data.rows(root)}
    assert rows["digits_1"]["text"] == "one"
    assert rows["menu_02"]["raw"] == "Press 2 to do the thing that 2 does."
    assert rows["menu_02"]["text"] == "Press two to do the thing that two does."
    left_out = (root / "left_out.txt").read_text().splitlines()
    told = {line.split(":")[0] for line in left_out}
    assert told == {
        *("short", "beep", "leave", "silence/1", "noted", "absent", "copy", "untold", "odd_02")
    }
    assert "odd_02: " + 120 * "b" + ".: 15.20 s" in left_out  # longer than an utterance may be
    assert "absent: no recording" in left_out
    assert not told & set(rows)


def test_no_text_is_in_two_splits(local, make):
    rows = list(local.data.rows(make("mini")))
    by_split = {
        split: {local.spoken.key(row["text"]) for row in rows if row["split"] == split}
        for split in ("train", "valid", "test")
    }
    assert not by_split["test"] & (by_split["train"] | by_split["valid"])
    assert not by_split["train"] & by_split["valid"]
    counts = {split: sum(row["split"] == split for row in rows) for split in by_split}
    assert 64 <= counts["test"] <= 65
    assert 24 <= counts["valid"] <= 25
    assert all(len(text.split()) >= 4 for text in by_split["test"] | by_split["valid"])
    same = {row["split"] for row in rows if row["id"].startswith("twice")}
    assert len(same) == 1


def test_the_corpus_comes_out_the_same_each_time(make):
    roots = [make(name) for name in ("a", "b")]
    first, second = (
        {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.rglob("*")
            if path.is_file()
        }
        for root in roots
    )
    assert first == second
    assert len(first) > 120


def test_labels_and_credits(make):
    root = make("mini")
    about = read_json(root / "corpus.json")
    assert "not LJSpeech" in about["label"]
    assert (about["comparable"], about["speaker"]) == (False, "allison")
    told = (root / "CREDITS.txt").read_text()
    assert "Allison Smith" in told
    assert "asterisk-core-sounds-en/copyright\n\nCC-BY-SA-3.0" in told
