from __future__ import annotations

import pytest

from diffaudio.score.table import (
    cell,
    difference,
    facts,
    failed,
    number,
    p_value,
    speeds,
    terminal,
)


def test_numbers_have_the_decimals_of_their_metric():
    assert number(1.2345, "PESQ") == "1.23"
    assert number(0.98765, "ESTOI", sign=True) == "+0.988"
    assert number(-1.0, "unheard of") == "-1.00"


def test_cells(demo, silent):
    entry = demo["metrics"]["PESQ"]
    assert cell(entry, "PESQ") == "1.90 [1.80, 2.00]"
    assert difference(entry["versus"]["noisy"], "PESQ") == "+0.40 [+0.30, +0.50]"
    assert cell({"mean": 1.9, "ci95": None}, "PESQ") == "1.90"
    nothing = silent(128)["metrics"]["PESQ"]
    assert cell(nothing, "PESQ") == difference(nothing["versus"]["noisy"], "PESQ") == "none"
    assert failed(entry) == ""
    assert failed(silent(3)["metrics"]["PESQ"]) == "3 of 128 failed"


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "p < 0.001"), (0.001, "p = 0.001"), (0.04321, "p = 0.043"), (None, "")]
)
def test_the_corrected_p_value_is_shown(p, text):
    assert p_value({"p": 0.5, "p_holm": p}) == text


def test_the_terminal_table_says_what_it_means(demo):
    lines = terminal(demo, ["PESQ has no value for 1"]).splitlines()
    assert lines[1] == (
        "demo on mini: 128 utterances, 2 speakers, 2 network calls, real-time factor 0.0814"
    )
    (row,) = (line for line in lines if line.startswith("PESQ  "))
    assert row.split("  ")[-5:] == [
        "1.50 [1.40, 1.60]",
        "1.90 [1.80, 2.00]",
        "+0.40 [+0.30, +0.50]",
        "p < 0.001",
        "* better",
    ]
    assert "Compared with the noisy input: better in PESQ." in lines
    assert any(line.startswith("Intervals and p-values are over utterances") for line in lines)
    assert lines[-1] == "PESQ has no value for 1"


def test_the_star_is_the_stored_verdict_and_nothing_else(made):
    """Numbers that look sure, stored as the same: no star; and the other way round."""
    sure = terminal(made("demo", 1.9, verdict="same"), [])
    assert "* better" not in sure
    assert "not significantly different in PESQ" in sure
    unsure = terminal(made("demo", 1.55, p=0.9, verdict="worse"), [])
    assert "* worse" in unsure


@pytest.mark.parametrize("count", [3, 128])
def test_a_failing_metric_has_a_row_and_no_verdict(silent, count):
    text = terminal(silent(count), [])
    (row,) = (line for line in text.splitlines() if line.startswith("PESQ  "))
    assert row.endswith(f"no verdict: {count} of 128 failed")
    assert "* better" not in text
    assert f"no verdict ({count} of 128 failed) in PESQ" in text


def test_without_a_comparison_failures_are_beside_the_mean(silent):
    found = silent(3)
    del found["metrics"]["PESQ"]["versus"]
    assert "1.90 [1.80, 2.00]  3 of 128 failed" in terminal({**found, "given": None}, [])


def test_another_system_has_a_table_of_its_own(demo, made):
    entry = demo["metrics"]["PESQ"]["versus"]
    entry["rival"] = made("x", 1.4, verdict="worse")["metrics"]["PESQ"]["versus"]["noisy"]
    text = terminal(demo, [])
    assert text.count("\nPESQ  ") == 2
    assert text.index("Compared with the noisy input: better") < text.index(
        "Compared with rival: worse in PESQ."
    )


def test_columns_are_aligned(demo):
    lines = terminal(demo, []).splitlines()
    head = next(line for line in lines if line.startswith("metric"))
    row = next(line for line in lines if line.startswith("PESQ"))
    assert head.index("noisy") == row.index("1.50 [")
    assert head.index("demo") == row.index("1.90 [")
    assert head.index("difference") == row.index("+0.40 [")


def test_what_compares_with_nothing_published_says_why(demo):
    made = {**demo, "label": "mini (made)", "not_comparable": ["made up", "cut"]}
    assert "not comparable with published ones: made up; cut." in terminal(made, [])
    assert "not comparable" not in terminal(demo, [])


def test_one_speaker_is_one(demo):
    assert "1 speaker," in facts({**demo, "speakers": 1})
    assert "speaker" not in facts({**demo, "speakers": None})


def test_the_parts_of_a_voice_have_factors_and_shares(demo):
    parts = {"vocoder": {"rtf": 0.3, "share": 0.6}, "text": {"rtf": 0.004, "share": 0.008}}
    parts["sampler"] = {"rtf": 0.196, "share": 0.392}
    voice = {**demo, "rtf": 0.5, "vocoder": "exp/vocoder", "parts": parts}
    wanted = ["text 0.004 (1 %)", "sampler 0.2 (39 %)", "vocoder 0.3 (60 %)"]
    assert speeds(voice) == wanted
    assert f"real-time factor 0.5 ({', '.join(wanted)})" in facts(voice)
    assert speeds({**voice, "vocoder": "Griffin-Lim"})[-1] == "Griffin-Lim 0.3 (60 %)"
    assert speeds(demo) == []
