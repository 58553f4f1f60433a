from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics.intervals import Estimate, Paired, holm, paired
from diffaudio.score import verdict as module
from diffaudio.score.measure import Scored
from diffaudio.score.spec import ScoreSpec
from diffaudio.score.verdict import BETTER, FEWEST, SAME, WORSE, compare, sentence

SPEC = ScoreSpec(resamples=300)


def table(**columns):
    """Return a table of metric columns; None is a failure."""
    rows = []
    for number, values in enumerate(zip(*columns.values(), strict=True)):
        row = Scored(f"u{number:02d}", 1.0, {}, {}, {})
        for name, value in zip(columns, values, strict=True):
            kind = row.failed if value is None else row.values
            kind[name.replace("_", "-")] = "silent" if value is None else float(value)
        rows.append(row)
    return rows


def made(gain=0.5, n=40, seed=0):
    rng = np.random.default_rng(seed)
    before = rng.normal(2, 0.5, n)
    return before + gain + rng.normal(0, 0.1, n), before


def test_a_comparison_holds_means_of_the_same_utterances():
    after, before = made()
    ours, theirs = table(PESQ=after), table(PESQ=before)
    ours[0] = Scored("u00", 1.0, {}, {"PESQ": "too short"})
    theirs[1] = Scored("u01", 1.0, {}, {"PESQ": "too short"})
    (found,) = compare(ours, theirs, ["PESQ"], SPEC, versus="noisy").values()
    test = paired(after[2:], before[2:], resamples=300)
    assert found["n"] == 38
    assert found["system"]["mean"] == pytest.approx(after[2:].mean())
    assert found["baseline"]["mean"] == pytest.approx(before[2:].mean())
    assert found["mean_difference"] == test.difference.mean
    assert found["ci95"] == [test.difference.low, test.difference.high]
    assert found["p"] == found["p_holm"] == test.p
    assert (found["verdict"], found["withheld"]) == (BETTER, None)


@pytest.mark.parametrize("lost", [1, 3, 40])
def test_where_the_system_failed_there_is_no_verdict(lost):
    after, before = made()
    after = [None] * lost + list(after[lost:])
    (found,) = compare(table(PESQ=after), table(PESQ=before), ["PESQ"], SPEC, versus="a").values()
    assert found["n"] == 40 - lost
    assert found["verdict"] is None
    assert found["withheld"] == f"{lost} of 40 failed"


def test_nor_where_the_other_side_failed():
    after, before = made()
    rival = table(PESQ=[None, *before[1:]])
    (found,) = compare(table(PESQ=after), rival, ["PESQ"], SPEC, versus="rival").values()
    assert (found["verdict"], found["withheld"]) == (None, "1 of 40 failed for rival")


def test_few_utterances_are_too_few_whatever_they_say():
    for n in (1, FEWEST - 1, FEWEST):
        after, before = made(gain=5.0, n=n)
        ours, theirs = table(PESQ=after), table(PESQ=before)
        (found,) = compare(ours, theirs, ["PESQ"], SPEC, versus="noisy").values()
        assert found["verdict"] == (BETTER if n >= FEWEST else None)
    assert FEWEST == 20


def test_without_pairs_there_are_no_numbers():
    ours = [Scored("a", 1.0, {}, {"PESQ": "too short"})]
    (found,) = compare(ours, ours, ["PESQ"], SPEC, versus="noisy").values()
    assert (found["n"], found["mean_difference"], found["p"], found["p_holm"]) == (0, *[None] * 3)
    assert found["withheld"] == "no utterance has a value on both sides"


def test_worse_where_a_metric_that_should_be_low_rises(monkeypatch):
    after, before = made()
    ours, theirs = table(PESQ=after), table(PESQ=before)
    assert compare(theirs, ours, ["PESQ"], SPEC, versus="a")["PESQ"]["verdict"] == WORSE
    lower = type("Lower", (), {"better": "lower"})
    monkeypatch.setitem(module.METRICS, "PESQ", lower)
    assert compare(ours, theirs, ["PESQ"], SPEC, versus="a")["PESQ"]["verdict"] == WORSE
    assert compare(theirs, ours, ["PESQ"], SPEC, versus="a")["PESQ"]["verdict"] == BETTER


def test_what_describes_is_not_judged():
    after, before = made(gain=5.0)
    (found,) = compare(
        table(Duration=after), table(Duration=before), ["Duration"], SPEC, versus="a"
    ).values()
    assert found["verdict"] is None
    assert found["withheld"] == "neither more nor less of it is better"


@pytest.mark.parametrize(
    ("low", "high", "p", "word"),
    [(0.1, 0.3, 0.04, BETTER), (0.0, 0.3, 0.01, SAME), (-0.1, 0.3, 0.01, SAME)]
    + [(0.1, 0.3, 0.05, SAME), (-0.3, -0.1, 0.04, WORSE)],
)
def test_interval_and_p_must_agree(monkeypatch, low, high, p, word):
    found = Paired(Estimate((low + high) / 2, low, high), p)
    monkeypatch.setattr(module, "paired", lambda *_, **__: found)
    ours = table(PESQ=np.ones(30))
    assert compare(ours, ours, ["PESQ"], SPEC, versus="a")["PESQ"]["verdict"] == word


def test_a_metric_alone_may_differ_where_among_four_it_does_not():
    """The correction counts: p between 0.0125 and 0.05, an interval without 0."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1, 30)
    gain = (noise - noise.mean()) / noise.std() + 2.3 / np.sqrt(30)
    same = (noise - noise.mean()) * rng.choice([-1, 1], 30)
    columns = {"PESQ": gain, "ESTOI": same, "SI_SDR": same[::-1], "DNSMOS": np.roll(same, 7)}
    ours, theirs = table(**columns), table(**dict.fromkeys(columns, np.zeros(30)))
    names = [name.replace("_", "-") for name in columns]
    spec = ScoreSpec(resamples=4000)
    alone = compare(ours, theirs, names[:1], spec, versus="a")["PESQ"]
    among = compare(ours, theirs, names, spec, versus="a")["PESQ"]
    assert alone["ci95"] == among["ci95"]
    assert alone["ci95"][0] > 0
    assert 0.0125 < alone["p"] == among["p"] < 0.05
    assert (alone["verdict"], among["verdict"]) == (BETTER, SAME)
    assert among["p_holm"] == pytest.approx(min(1, 4 * among["p"]))


@pytest.mark.parametrize("draw", ["normal", "laplace"])
@pytest.mark.parametrize("n", [2, 4, 12, 20])
def test_false_alarms_are_rare_even_before_small_sets_are_turned_away(n, draw, monkeypatch):
    """Two systems that do not differ, in three metrics; an alarm in any of them counts."""
    monkeypatch.setattr(module, "FEWEST", 1)
    rng = np.random.default_rng(n)
    names, runs, alarms = ["PESQ", "ESTOI", "DNSMOS"], 150, 0
    nothing = table(**dict.fromkeys(names, np.zeros(n)))
    for _ in range(runs):
        ours = table(**dict(zip(names, getattr(rng, draw)(size=(3, n)), strict=True)))
        found = compare(ours, nothing, names, ScoreSpec(resamples=200), versus="a")
        alarms += any(one["verdict"] in (BETTER, WORSE) for one in found.values())
    assert alarms / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)  # two standard errors


def test_a_true_difference_is_found():
    found = [
        compare(*(table(PESQ=x) for x in made(0.1, 40, seed)), ["PESQ"], SPEC, versus="a")
        for seed in range(20)
    ]
    assert sum(one["PESQ"]["verdict"] == BETTER for one in found) >= 19


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_sentence_reads_the_stored_verdicts_alone():
    def entry(word, withheld=None):
        return {"versus": {"noisy": {"verdict": word, "withheld": withheld}}}

    metrics = {
        "PESQ": entry(BETTER),
        "SI-SDR": entry(BETTER),
        "ESTOI": entry(SAME),
        "DNSMOS": entry(WORSE),
        "DistillMOS": entry(None, "3 of 40 failed"),
    }
    text = (
        "better in PESQ, SI-SDR; not significantly different in ESTOI; worse in DNSMOS; "
        "no verdict (3 of 40 failed) in DistillMOS."
    )
    found = {"given": "noisy", "metrics": metrics}
    assert sentence(found, "noisy") == f"Compared with the noisy input: {text}"
    assert sentence({**found, "given": None}, "noisy") == f"Compared with noisy: {text}"
