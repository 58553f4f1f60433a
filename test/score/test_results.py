from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics.intervals import mean_interval, paired
from diffaudio.score.measure import Scored
from diffaudio.score.results import BETTER, SAME, WORSE, gaps, in_order, result, side, verdict
from diffaudio.score.spec import ScoreSpec

SPEC = ScoreSpec(resamples=500)
ABOUT = {"system": "demo", "corpus": "mini"}


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
    table, baseline, after, before = tables()
    found = result(ABOUT, table, SPEC, baseline=baseline, versus="noisy")
    assert set(found) == {"system", "corpus", "n", "metrics"}
    entry = found["metrics"]["PESQ"]
    assert set(entry) == {"mean", "ci95", "better", "versus"}
    interval = mean_interval(after, resamples=500)
    assert (entry["mean"], entry["ci95"]) == (interval.mean, [interval.low, interval.high])
    compared = paired(after, before, resamples=500)
    assert entry["versus"] == {
        "noisy": {
            "mean_difference": compared.difference.mean,
            "ci95": [compared.difference.low, compared.difference.high],
            "p": compared.p,
        }
    }
    assert (entry["better"], found["n"]) == ("higher", 40)


def test_without_a_baseline_nothing_is_compared():
    table, *_ = tables()
    assert "versus" not in result(ABOUT, table, SPEC)["metrics"]["PESQ"]


def test_pairs_need_both_values_and_gaps_are_counted():
    table, baseline, after, before = tables()
    table[0] = Scored("u00", 1.0, {}, {"PESQ": "no utterances"})
    baseline[1] = Scored("u01", 1.0, {}, {"PESQ": "too short"})
    entry = result(ABOUT, table, SPEC, baseline=baseline, versus="noisy")["metrics"]["PESQ"]
    assert entry["missing"] == 1
    assert entry["mean"] == pytest.approx(after[1:].mean())
    assert entry["versus"]["noisy"]["mean_difference"] == pytest.approx((after - before)[2:].mean())
    assert gaps(table) == ["PESQ has no value for 1 of 40 utterances (no utterances): u00"]


def test_a_metric_without_values_is_left_out_but_named():
    table = [Scored(f"u{n}", 1.0, {}, {"PESQ": "silent"}) for n in range(5)]
    assert result(ABOUT, table, SPEC)["metrics"] == {}
    (line,) = gaps(table)
    assert line == "PESQ has no value for 5 of 5 utterances (silent): u0, u1, u2, ..."


def test_one_utterance_has_no_interval_and_no_side():
    table, baseline, *_ = tables()
    found = result(ABOUT, table[:1], SPEC, baseline=baseline[:1], versus="noisy")
    entry = found["metrics"]["PESQ"]
    assert entry["ci95"] is None
    assert side(entry, "noisy") == SAME


def test_metrics_come_in_the_order_of_the_table_and_strange_ones_last():
    found = in_order({"metrics": {"A": 0, "DNSMOS": 1, "PESQ": 2, "SI-SDR": 3}})
    assert list(found["metrics"]) == ["PESQ", "SI-SDR", "DNSMOS", "A"]


@pytest.mark.parametrize(
    ("better", "ends", "expected"),
    [
        ("higher", [0.1, 0.3], BETTER),
        ("higher", [-0.3, -0.1], WORSE),
        ("lower", [0.1, 0.3], WORSE),
        ("lower", [-0.3, -0.1], BETTER),
        ("higher", [-0.1, 0.3], SAME),
        ("higher", [0.0, 0.3], SAME),
    ],
)
def test_the_side_follows_the_interval_and_what_is_better(better, ends, expected):
    compared = {"mean_difference": sum(ends) / 2, "ci95": ends, "p": 0.01}
    assert side({"better": better, "versus": {"noisy": compared}}, "noisy") == expected


def test_the_verdict_is_one_sentence():
    def entry(low, high):
        compared = {"mean_difference": (low + high) / 2, "ci95": [low, high], "p": 0.01}
        return {"better": "higher", "versus": {"noisy": compared}}

    found = {
        "metrics": {
            "PESQ": entry(0.1, 0.2),
            "SI-SDR": entry(1, 2),
            "ESTOI": entry(-0.1, 0.1),
            "DNSMOS": entry(-2, -1),
        }
    }
    assert verdict(found, "noisy") == (
        "Compared with the noisy input: better in PESQ, SI-SDR; not significantly different in "
        "ESTOI; worse in DNSMOS."
    )
    assert verdict({"metrics": {}}, "noisy").startswith("Nothing to compare with")
