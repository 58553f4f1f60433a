import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from diffaudio.files import read_json
from diffaudio.log import Refusal

LOCAL = Path(__file__).parents[3] / "egs" / "voicebank" / "local"


def test_without_the_package_the_mend_is_named(local, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(Refusal, match="needs the package espeakng-loader") as caught:
        local.synthetic.make(tmp_path, tmp_path)
    assert caught.value.mend == "pip install espeakng-loader"
    assert list(tmp_path.iterdir()) == []


SPEAK = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import synthetic
say = synthetic._Espeak().say
print(*(hashlib.sha256(say(voice, "one two three")).hexdigest() for voice in sys.argv[2:]))
"""


def test_speech_is_the_same_each_time_and_another_by_another_voice():
    pytest.importorskip("espeakng_loader")
    command = [sys.executable, "-c", SPEAK, str(LOCAL), "en-us+f2", "de+f4", "it+m7"]
    first, again = (subprocess.check_output(command, text=True) for _ in range(2))
    assert first == again
    assert len(set(first.split())) == 3


def test_speech_is_loud_enough_and_of_the_length_of_three_words(local):
    pytest.importorskip("espeakng_loader")
    x = local.synthetic._Espeak().say("en-us+f2", "one two three")
    assert 0.5 < len(x) / 16000 < 3.0
    assert 0.05 < np.abs(x).max() < 1.0


@pytest.mark.parametrize("kind", ["wind", "hum", "clatter", "siren", "rain"])
def test_noises_are_of_their_number(local, kind):
    first, again, other = (local.synthetic._noise(kind, number) for number in (0, 0, 1))
    assert first.name == f"generated-{kind}0"
    assert np.isfinite(first.samples).all()
    assert first.samples.std() > 0
    assert np.array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)


def test_a_small_corpus(local, tmp_path, monkeypatch):
    pytest.importorskip("espeakng_loader")
    small = {name: (voice, part, 20) for name, (voice, part, _) in local.synthetic.VOICES.items()}
    monkeypatch.setattr(local.synthetic, "VOICES", small)
    local.synthetic.make(tmp_path, tmp_path)
    rows = list(local.data.rows(tmp_path))
    speakers = {
        split: {r["speaker"] for r in rows if r["split"] == split} for split in ("valid", "test")
    }
    assert speakers == {"valid": {"carla"}, "test": {"edith"}}
    assert read_json(tmp_path / "corpus.json")["label"] == local.synthetic.LABEL
    assert "synthetic" in local.synthetic.LABEL
