import re

import numpy as np
import pytest
from tones import AUDIO, RATE, tone

from diffaudio.data import audio
from diffaudio.metrics.neighbours import Nearest
from diffaudio.score.copied import Copied
from diffaudio.score.gallery import gallery
from diffaudio.score.pairs import Sound
from diffaudio.score.report import Evidence

DISTANCES = [5.0, 1.25, 3.0, 2.0]
LABELS = ["low", "high", "high", "low"]


def sounds(folder, kind):
    """Write four clips; return them."""
    for number, label in enumerate(LABELS):
        audio.save(folder / f"{kind}{number}.wav", tone(label, number), RATE)
    return [
        Sound({"id": f"{kind}{n}", "word": label}, folder, folder / f"{kind}{n}.wav")
        for n, label in enumerate(LABELS)
    ]


@pytest.fixture
def page(tmp_path, made):
    """Return a function: the page of four clips; clip n is nearest to training clip 3 - n."""
    clips, train = (sounds(tmp_path, kind) for kind in ("made", "train"))
    summary = {
        "distances": {"generated": {"5 %": 1.25, "50 %": 2.5}, "real": {"5 %": 2.0, "50 %": 4.0}},
        "nearer": {"real": 0.25},
    }
    near = Copied(
        {"log<mel>": Nearest(np.array([3, 2, 1, 0]), np.array(DISTANCES))},
        clips,
        train,
        {"log<mel>": summary},
    )
    evidence = Evidence(
        found={**made("demo", 0.0), "metrics": {}},
        table=[],
        before=[],
        sounds=clips,
        gaps=[],
        protocol={
            **dict.fromkeys(("reference", "rate", "resampler", "lengths", "intervals"), ""),
            "test_set": {"split": "test"},
            "metrics": {},
        },
        environment={},
        config="",
        log=tmp_path / "log.jsonl",
    )

    def go(count):
        return gallery(evidence, [], near, AUDIO, label="word", count=count)

    return go


def heard(text):
    """Return the names of the articles, in order."""
    return re.findall(r'<article [^>]*id="u-([^"]*)"', text)


@pytest.mark.parametrize("count", [2, 9])
def test_pairs_are_heard_from_the_closest_on_each_with_its_training_clip(page, count):
    text = page(count)
    copies = text[text.index("<h3>The ", text.index('id="Copies"')) :]
    order = sorted(range(4), key=DISTANCES.__getitem__)[:count]
    assert heard(copies) == [f"made{n}, log&lt;mel&gt;" for n in order]
    assert re.findall(r"distance ([\d.]+)", copies) == [f"{DISTANCES[n]:.3g}" for n in order]
    assert re.findall(r"from (train\d)", copies) == [f"train{3 - n}" for n in order]
    assert f"The {len(order)} closest pairs in log&lt;mel&gt;" in copies


def test_the_first_clip_of_each_class_is_heard_by_the_name_of_the_class(page):
    text = page(0)
    assert heard(text) == ["high: made1", "low: made0"]
    assert "closest pairs" not in text


def test_the_share_of_near_clips_stands_beside_the_set_it_is_held_against(page):
    text = page(0)
    copies = text[text.index('id="Copies"') :]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", copies)
    assert [re.findall(r"<td>(.*?)</td>", row) for row in rows] == [
        ["generated", "1.25", "2.5", ""],
        ["real", "2", "4", "25.0%"],
    ]
