from __future__ import annotations

import numpy as np
import pytest
from tones import Deaf, Tones

from diffaudio.log import Refusal
from diffaudio.metrics.distribution import kernel_distance
from diffaudio.metrics.intervals import interval
from diffaudio.metrics.sets import Embedding, Measured
from diffaudio.score.columns import columns, entries
from diffaudio.score.spec import ScoreSpec

SPEC = ScoreSpec(resamples=100)
PRIOR = np.array([0.5, 0.5])


def said(n, seed):
    random = np.random.default_rng(seed)
    return Embedding(random.normal(size=(n, 2)), random.integers(2, size=n))


def test_a_name_stands_for_all_who_give_it_or_for_one():
    both = [Tones(), Deaf()]
    found = columns(["KAD", "IS", "FD (deaf)"], both)
    assert [column.name for column in found] == ["KAD (ear)", "KAD (deaf)", "IS (ear)", "FD (deaf)"]
    assert [(column.who, column.metric.name) for column in found[:2]] == [
        ("ear", "KAD"),
        ("deaf", "KAD"),
    ]


@pytest.mark.parametrize("name", ["IS (deaf)", "KAD (nose)"])
def test_what_nobody_gives_is_refused(name):
    with pytest.raises(Refusal, match="no embedder gives"):
        columns([name], [Tones(), Deaf()])


def test_parts_are_measured_alone():
    case = Measured(said(30, 0), np.zeros(30, np.int64), said(20, 1), PRIOR)
    own, against = np.arange(30) < 12, np.arange(20) >= 15
    chosen = columns(["accuracy", "KAD"], [Deaf()])
    found = entries(chosen, {"deaf": case}, SPEC, own={"a": own}, against={"b": against})
    right = (case.said.answers == 0)[:12].mean()
    assert found["accuracy (deaf)"]["apart"]["a"]["mean"] == pytest.approx(right)
    assert found["accuracy (deaf)"]["apart"]["a"]["n"] == 12
    part = found["KAD (deaf)"]["apart"]["b"]
    wanted = interval(
        kernel_distance(case.said.features, case.reference.features[15:]), resamples=100
    )
    assert (part["mean"], part["ci95"]) == (wanted.mean, [wanted.low, wanted.high])
    assert part["n"] == 5


def test_the_reference_has_no_distance_from_itself():
    case = Measured(said(30, 0), np.zeros(30, np.int64), None, PRIOR)
    chosen = columns(["accuracy", "KAD"], [Deaf()])
    found = entries(chosen, {"deaf": case}, SPEC, own={}, against={"b": np.ones(30, bool)})
    assert [*found] == ["accuracy (deaf)"]
    assert "apart" not in found["accuracy (deaf)"]
