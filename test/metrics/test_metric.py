from __future__ import annotations

import numpy as np
import pytest

from diffaudio.log import Refusal, log
from diffaudio.metrics import METRICS, Metric, Unmeasurable, available


def counted(**changes):
    calls = []

    def function(*arguments):
        calls.append(arguments)
        return 1.0

    settings = {
        "name": "X",
        "unit": "",
        "better": "higher",
        "needs_reference": True,
        "rate": None,
        "function": function,
    }
    return Metric(**{**settings, **changes}), calls


def test_the_table_is_keyed_by_name():
    assert all(name == metric.name for name, metric in METRICS.items())


def test_reference_is_passed_only_where_needed():
    signal = np.ones(4)
    metric, calls = counted()
    metric.measure(signal, 2 * signal, 8000)
    assert len(calls[0]) == 3
    metric, calls = counted(needs_reference=False)
    metric.measure(signal, 2 * signal, 8000)
    assert len(calls[0]) == 2


def test_wrong_lengths_and_rates_are_errors():
    metric, _ = counted(rate=16000)
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        metric.measure(np.ones(3), np.ones(4), 16000)
    with pytest.raises(ValueError, match="needs 16000 Hz, got 8000 Hz"):
        metric.measure(np.ones(4), np.ones(4), 8000)


@pytest.mark.parametrize(
    ("estimate", "reason"),
    [(np.ones(0), "no samples"), (np.array([1.0, np.nan]), "not finite")],
)
def test_what_cannot_be_measured_says_why(estimate, reason):
    metric, _ = counted()
    with pytest.raises(Unmeasurable, match=reason):
        metric.measure(estimate, estimate, 8000)


def test_silence_has_no_value_without_a_reference_to_hold_against():
    silence = np.zeros(4)
    alone, calls = counted(needs_reference=False)
    with pytest.raises(Unmeasurable, match="the estimate is silent"):
        alone.measure(silence, np.ones(4), 8000)
    assert calls == []
    beside, _ = counted()
    assert beside.measure(silence, np.ones(4), 8000) == 1.0  # the function may judge it


def test_a_result_that_is_not_finite_is_no_value():
    metric, _ = counted(function=lambda *_: float("inf"))
    with pytest.raises(Unmeasurable, match="inf"):
        metric.measure(np.ones(4), np.ones(4), 8000)


def test_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(Refusal, match=r"'SISDR'.*did you mean 'SI-SDR'"):
        available(["SISDR"])


def test_missing_package_is_skipped_with_its_install_command(monkeypatch):
    absent, _ = counted(packages=("no_such_package_here",), install="pip install nosuch")
    monkeypatch.setitem(METRICS, "X", absent)
    said = []
    monkeypatch.setattr(log, "warning", lambda text, *values: said.append(text % values))
    assert [metric.name for metric in available(["X", "SI-SDR"])] == ["SI-SDR"]
    assert said == ["metric X skipped; to have it: pip install nosuch"]
