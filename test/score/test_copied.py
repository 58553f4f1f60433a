from __future__ import annotations

import numpy as np
import pytest
from tones import AUDIO, Tones, corpus, generate

from diffaudio.data import manifest
from diffaudio.score.copied import copied
from diffaudio.score.listening import Clips, Ear
from diffaudio.score.pairs import Sound
from diffaudio.score.table import neighbours


@pytest.fixture
def found(tmp_path):
    """Return what is found of thirty clips, the first three of which are copies."""
    data = corpus(tmp_path)
    wavs = generate(data, tmp_path / "wavs", repeat=1, copies=3)
    root = manifest.root(data)
    real, train = (
        [Sound(row, root) for row in manifest.read(data / f"{split}.jsonl")]
        for split in ("test", "train")
    )
    made = [Sound(sound.row, root, wavs / f"{sound.row['id']}.wav") for sound in real]
    sets = (Clips("demo", made), Clips("real test", real, "1"), Clips("real train", train, "2"))
    return copied(Tones(), *sets, Ear(AUDIO, tmp_path / "store", 1))


@pytest.mark.parametrize("measure", ["log-mel", "ear"])
def test_copies_are_the_closest_pairs_by_each_measure(found, measure):
    pairs = found.closest(measure, 3)
    names = {(pair.made.row["id"], pair.train.row["id"]) for pair in pairs}
    assert names == {(f"test{n:03d}", f"train{n:03d}") for n in range(3)}
    assert pairs[0].distance == pytest.approx(0, abs=0.03)
    assert found.closest(measure, 4)[3].distance > pairs[2].distance
    assert found.of(1)[measure]["id"] == "train001"
    assert found.closest(measure, 0) == []


def test_the_summary_holds_generated_clips_against_real_ones(found):
    for one in found.summary.values():
        assert [*one["distances"]] == ["generated", "real test", "real train"]
        assert one["distances"]["real train"]["1 %"] > 0  # no clip is its own neighbour
        assert one["nearer"]["real test"] >= 0.1  # three of thirty
    lines = neighbours({"neighbours": found.summary})
    assert len(lines) == 2
    share = found.summary["log-mel"]["nearer"]["real test"]
    assert f"{share:.1%} than of real test" in lines[0]
    assert np.isfinite(found.summary["ear"]["distances"]["generated"]["50 %"])
