import numpy as np
import pytest

from diffaudio.files import read_json


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
