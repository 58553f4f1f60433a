from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics.intervals import mean_interval
from diffaudio.score.measure import Scored
from diffaudio.score.results import compared_with, gaps, in_order, result
from diffaudio.score.spec import ScoreSpec

SPEC = ScoreSpec(resamples=500)
ABOUT = {"system": "demo", "corpus": "mini", "given": "noisy"}


def tables(gain: float = 0.5):
    rng = np.random.default_rng(0)
    before = rng.normal(2, 0.5, 40)
    after = before + gain + rng.normal(0, 0.1, 40)
    made = (
        [Scored(f"u{n:02d}", 1.0, {"PESQ": float(v)}, {}) for n, v in enumerate(values)]
        for values in (after, before)
    )
    return *made, after, before


def test_result_has_the_published_form():
    table, baseline, after, _ = tables()
    found = result(ABOUT, table, ["PESQ"], SPEC, others={"noisy": baseline})
    assert set(found) == {*ABOUT, "format", "n", "metrics"}
    entry = found["metrics"]["PESQ"]
    assert set(entry) == {"mean", "ci95", "better", "n", "failed", "missing", "versus"}
    interval = mean_interval(after, resamples=500)
    assert (entry["mean"], entry["ci95"]) == (interval.mean, [interval.low, interval.high])
    assert (entry["better"], found["n"], entry["n"]) == ("higher", 40, 40)
    assert set(entry["versus"]["noisy"]) == {
        *("n", "system", "baseline", "mean_difference", "ci95", "p", "p_holm"),
        *("verdict", "withheld"),
    }
    assert entry["versus"]["noisy"]["verdict"] == "better"


def test_without_a_baseline_nothing_is_compared():
    table, *_ = tables()
    assert "versus" not in result(ABOUT, table, ["PESQ"], SPEC)["metrics"]["PESQ"]


def test_failures_and_gaps_are_counted_apart():
    table, baseline, after, _ = tables()
    table[0] = Scored("u00", 1.0, {}, {"PESQ": "no utterances"})
    table[1] = Scored("u01", 1.0, {}, {}, {"PESQ": "silent"})
    entry = result(ABOUT, table, ["PESQ"], SPEC, others={"noisy": baseline})["metrics"]["PESQ"]
    assert (entry["n"], entry["missing"], entry["failed"]) == (38, 1, 1)
    assert entry["mean"] == pytest.approx(after[2:].mean())
    assert entry["versus"]["noisy"]["verdict"] is None
    assert gaps(table) == [
        "PESQ failed for 1 of 40 utterances (silent): u01",
        "PESQ has no value for 1 of 40 utterances (no utterances): u00",
    ]


def test_a_metric_without_values_keeps_its_entry_and_is_named():
    table = [Scored(f"u{n}", 1.0, {}, {}, {"PESQ": "silent"}) for n in range(5)]
    entry = result(ABOUT, table, ["PESQ"], SPEC)["metrics"]["PESQ"]
    assert (entry["mean"], entry["ci95"], entry["n"], entry["failed"]) == (None, None, 0, 5)
    (line,) = gaps(table)
    assert line == "PESQ failed for 5 of 5 utterances (silent): u0, u1, u2, ..."


def test_one_utterance_has_no_interval_and_no_verdict():
    table, baseline, *_ = tables()
    found = result(ABOUT, table[:1], ["PESQ"], SPEC, others={"noisy": baseline[:1]})
    entry = found["metrics"]["PESQ"]
    assert entry["ci95"] is None
    assert entry["versus"]["noisy"]["verdict"] is None


def test_the_input_is_named_before_other_systems():
    table, baseline, *_ = tables()
    others = {"a rival": baseline, "noisy": baseline}
    assert compared_with(result(ABOUT, table, ["PESQ"], SPEC, others=others)) == [
        "noisy",
        "a rival",
    ]


def test_metrics_come_in_the_order_of_the_table_and_strange_ones_last():
    found = in_order({"metrics": {"A": 0, "DNSMOS": 1, "PESQ": 2, "SI-SDR": 3}})
    assert list(found["metrics"]) == ["PESQ", "SI-SDR", "DNSMOS", "A"]
