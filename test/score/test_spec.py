from __future__ import annotations

from dataclasses import replace
from importlib import metadata

import pytest
from tones import Tones

from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS, SETS
from diffaudio.score.spec import (
    ScoreSpec,
    SetsSpec,
    comparable,
    hashed,
    protocol,
    sets_protocol,
)

RATE = 8000
TEST_SET = {"corpus": "mini", "split": "test", "utterances": 4, "manifest_sha256": "00"}


def test_protocol_names_versions_and_what_is_compared(spec):
    pytest.importorskip("pystoi")
    found = protocol([METRICS["ESTOI"], METRICS["SI-SDR"]], spec, ScoreSpec(), TEST_SET)
    assert found["metrics"]["ESTOI"]["packages"] == {"pystoi": metadata.version("pystoi")}
    assert found["metrics"]["SI-SDR"]["rate"] == spec.rate
    assert (found["reference"], found["baseline"]) == ("clean", "noisy")
    assert found["test_set"] == TEST_SET


def test_scores_of_before_there_were_texts_stay_what_they_are(spec):
    """A digest that moves here lets every kept and published score be of another protocol."""
    found = protocol([METRICS["SI-SDR"]], spec, ScoreSpec(), TEST_SET)
    intervals = (
        "95 %, bias-corrected accelerated bootstrap over utterances, 10000 resamples, seed 0; "
        "differences are paired; p by random sign flips of the differences, corrected for the "
        "number of metrics (Holm)"
    )
    sdr = {"unit": "dB", "better": "higher", "rate": RATE, "version": 1, "packages": {}}
    assert found == {
        "version": 2,
        "reference": "clean",
        "baseline": "noisy",
        "rate": RATE,
        "channels": 1,
        "resampler": f"soxr {metadata.version('soxr')}, HQ",
        "metrics": {"SI-SDR": sdr},
        "lengths": "estimate and reference agree to the sample; no alignment, no level change",
        "test_set": TEST_SET,
        "intervals": intervals,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": [METRICS["ESTOI"]]},
        {"metrics": [replace(METRICS["SI-SDR"], version=9)]},
        {"audio": AudioSpec(rate=8000, target="clean", given="noisy", channels=2)},
        {"test_set": {**TEST_SET, "manifest_sha256": "01"}},
        {"spec": ScoreSpec(resamples=500)},
    ],
)
def test_the_digest_moves_with_anything_that_matters(spec, change):
    pytest.importorskip("pystoi")
    usual = {"metrics": [METRICS["SI-SDR"]], "audio": spec, "spec": ScoreSpec()}
    usual["test_set"] = TEST_SET
    first, second = protocol(**usual), protocol(**{**usual, **change})
    assert hashed(first) == hashed(protocol(**usual))
    assert hashed(first) != hashed(second)


def test_the_digest_moves_with_the_version_of_scoring(spec, monkeypatch):
    arguments = ([METRICS["SI-SDR"]], spec, ScoreSpec(), TEST_SET)
    first = hashed(comparable(protocol(*arguments)))
    monkeypatch.setattr("diffaudio.score.spec.VERSION", 99)
    assert hashed(comparable(protocol(*arguments))) != first


def test_the_bootstrap_does_not_change_what_an_utterance_scores(spec):
    def made(**options):
        return comparable(protocol([METRICS["SI-SDR"]], spec, ScoreSpec(**options), TEST_SET))

    assert hashed(made(resamples=500, seed=3)) == hashed(made())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"metrics": []}, "empty"),
        ({"metrics": ["PESQ", "PESQ"]}, "twice"),
        ({"resamples": 10}, "resamples: 10"),
        ({"worst": -1}, "worst: -1"),
        ({"metrics": ["KAD"]}, "metric 'KAD': not known"),
        ({"metrics": ["WER"]}, "WER: of what should be said"),
        ({"metrics": ["MCD"]}, "MCD: of what should be said"),
        ({"metrics": ["SI-SDR"], "text": "text"}, "SI-SDR: sample by sample"),
        ({"metrics": ["KAD"], "sets": SetsSpec([Tones()]), "text": "text"}, "one or the other"),
        ({"sets": SetsSpec([Tones()])}, "metric of sets 'PESQ': not known"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, word):
    with pytest.raises(Refusal, match=word):
        ScoreSpec(**options)


@pytest.mark.parametrize("embedders", [[], [Tones(), Tones(version=2)]])
def test_listeners_are_named_once(embedders):
    with pytest.raises(Refusal, match=r"score\.sets\.embedders: (empty|ear, ear)"):
        SetsSpec(embedders)


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": {"IS (ear)": SETS["IS"]}},
        {"metrics": {"KAD (ear)": replace(SETS["KAD"], version=9)}},
        {"sets": SetsSpec([Tones(version=2)])},
        {"sets": SetsSpec([Tones()], apart="source")},
        {"real": {"test_set": TEST_SET, "train_set": {**TEST_SET, "audio_sha256": "02"}}},
    ],
)
def test_the_digest_of_sets_moves_with_anything_that_matters(spec, change):
    usual = {"metrics": {"KAD (ear)": SETS["KAD"]}, "sets": SetsSpec([Tones()]), "audio": spec}
    usual |= {"spec": ScoreSpec(), "real": {"test_set": TEST_SET, "train_set": TEST_SET}}
    assert hashed(sets_protocol(**usual)) == hashed(sets_protocol(**usual))
    assert hashed(sets_protocol(**usual)) != hashed(sets_protocol(**{**usual, **change}))
