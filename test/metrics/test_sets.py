"""The table of metrics of sets: that each entry measures what its name says."""

from __future__ import annotations

import numpy as np
import pytest

from diffaudio.log import Refusal
from diffaudio.metrics import METRICS, SETS, column, in_order, of_sets
from diffaudio.metrics.distribution import am_score, frechet_distance, kernel_distance
from diffaudio.metrics.sets import Embedding, Measured


def embedding(n, seed):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, 3))
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return Embedding(random.normal(size=(n, 2)), log_probs.argmax(axis=1), log_probs)


@pytest.fixture
def case():
    said, prior = embedding(30, 0), np.array([0.5, 0.3, 0.2])
    return Measured(said, np.zeros(30, np.int64), embedding(40, 1), prior)


def value(statistic):
    return statistic.weighted(np.ones((1, statistic.n)))[0]


def test_names_are_keys_and_no_metric_of_utterances_is_called_so():
    assert all(name == metric.name for name, metric in SETS.items())
    assert not {*SETS} & {*METRICS}


def test_every_metric_gets_the_right_parts(case):
    found = {name: value(metric.function(case)) for name, metric in SETS.items()}
    said, reference = case.said, case.reference
    assert found["accuracy"] == pytest.approx((said.answers == 0).mean())
    assert found["KAD"] == value(kernel_distance(said.features, reference.features))
    assert found["FD"] == value(frechet_distance(said.features, reference.features))
    assert found["AM"] == value(am_score(said.log_probs, case.prior))
    assert 1 < found["IS"] < 3
    assert found["mIS"] > found["IS"]


def test_accuracy_counts_no_answer_as_wrong(case):
    answers = np.where(np.arange(30) < 12, 0, -1)
    heard = Measured(Embedding(case.said.features, answers), case.asked, None, case.prior)
    assert value(SETS["accuracy"].function(heard)) == pytest.approx(0.4)


def test_rows_are_taken_from_all_parts():
    whole = embedding(10, 0)
    part = whole.take(np.arange(10) % 2 == 0)
    assert len(part) == 5
    assert part.features == pytest.approx(whole.features[::2])
    assert part.log_probs == pytest.approx(whole.log_probs[::2])
    assert Embedding(whole.features, whole.answers).take(np.array([1])).log_probs is None


def test_columns_are_found_by_the_name_of_their_metric():
    assert column("KAD (Whisper)") is SETS["KAD"]
    assert column("PESQ") is METRICS["PESQ"]
    assert column("X (Whisper)") is None
    assert [metric.name for metric in of_sets(["FD (a)", "IS"])] == ["FD", "IS"]
    with pytest.raises(Refusal, match="metric of sets 'KID': not known"):
        of_sets(["KID"])


def test_columns_come_in_the_order_of_the_tables():
    names = ["X", "AM (a)", "KAD (b)", "KAD (a)", "SI-SDR", "accuracy (a)"]
    wanted = ["SI-SDR", "accuracy (a)", "KAD (b)", "KAD (a)", "AM (a)", "X"]
    assert in_order(names) == wanted
