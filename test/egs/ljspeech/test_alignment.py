"""Word starts beside a recogniser's: distances by hand, a whole set, what is kept."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from diffaudio.data.index import Index
from diffaudio.files import read_json


def test_words_that_were_heard_are_compared_each_in_its_recording(local):
    """The pause between two recordings is 0.8 s: one begins at 0, the next at 1.8 s."""
    aligned = local.alignment.Aligned
    held = [
        aligned(["go", "now"], np.array([[0.0, 0.5], [0.0, 0.6]]), 1.0),
        aligned(["go", "home"], np.array([[0.0, 0.4], [0.0, 0.2]]), 1.0),
    ]
    heard = [("Go", 0.1), ("then,", 0.3), ("now.", 0.52), ("Go", 1.7), ("home!", 2.3)]
    found = list(local.alignment.differences(held, heard))
    assert np.array(found) == pytest.approx(
        np.array([[-0.1, -0.1], [-0.02, 0.08], [0.1, 0.1], [-0.1, -0.3]])
    )
    assert list(local.alignment.differences(held, heard[1:2])) == []


def test_a_common_offset_is_told_from_the_rest(local):
    found = local.alignment._medians(np.array([-80.0, -90, -70, -80, 120]))
    assert found == {"median_ms": 80.0, "offset_ms": -80.0, "without_offset_ms": 10.0}


class Parrot:
    """Hears each word where it begins if all symbols of a text last equally long."""

    def __init__(self, index):
        self.index, self.heard = index, 0

    def transcribe(self, clip, **_):
        self.heard += 1
        words, begin = [], 0.0
        for row in range(len(self.index)):
            name, samples = self.index.id(row), int(self.index.samples[row])
            symbols, frames = 2 * len(name) + 3, samples // 80 + 1
            second = (len(name) + 2) * frames // symbols
            words += [(name, begin), (name, begin + second * 80 / 8000)]
            begin += samples / 8000 + 0.8
        assert len(clip) == pytest.approx(16000 * begin, abs=16)
        parts = [SimpleNamespace(word=word, start=start) for word, start in words]
        return [SimpleNamespace(words=parts)], None


@pytest.fixture
def parrot(tiny_texts, tiny_voice, tmp_path, monkeypatch, local):
    """Return who listens; exp/voice names a vocoder that there is not."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_voice, "exp/voice")
    path = tmp_path / "exp/voice/config.yaml"
    path.write_text(path.read_text().replace("vocoder: null", "vocoder: exp/none"))
    assert "exp/none" in path.read_text()
    found = Parrot(Index.open(tiny_texts / "dump/test"))
    monkeypatch.setattr(local.alignment, "recogniser", lambda: found)
    return found


KEPT = Path("exp/voice/score/alignment_test.json")


def run(local, root, *more):
    asked = ["--exp", "exp/voice", "--data", str(root / "data"), "--dump", str(root / "dump")]
    local.alignment.main([*asked, "--threads", "1", *more])
    return read_json(KEPT) if KEPT.is_file() else None


def test_a_set_is_measured_once_without_a_vocoder(local, parrot, tiny_texts, capsys):
    found = run(local, tiny_texts)
    assert found["uniform"]["median_ms"] == pytest.approx(0.0, abs=1e-6)
    assert found["voice"]["median_ms"] >= 0
    assert found["heard"] == found["words"] == 12
    said = capsys.readouterr().out
    assert "12 of 12 words" in said
    assert "every symbol alike      0 ms; 0 ms without an offset of 0 ms" in said
    assert run(local, tiny_texts) == found
    assert capsys.readouterr().out == said
    assert parrot.heard == 1
    assert run(local, tiny_texts, "--decode.checkpoint", "last") != found
    assert parrot.heard == 2


def test_without_a_recogniser_it_is_left_out(local, tiny_texts, parrot, monkeypatch, caplog):
    def none():
        raise local.alignment.Refusal("faster_whisper is not installed", mend="tools/install.sh")

    monkeypatch.setattr(local.alignment, "recogniser", none)
    monkeypatch.setattr(local.alignment.log, "propagate", True)
    assert run(local, tiny_texts) is None
    assert "not measured: faster_whisper is not installed" in caplog.text
