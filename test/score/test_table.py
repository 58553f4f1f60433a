from __future__ import annotations

import pytest

from diffaudio.score.table import MINI, cell, difference, markdown, number, terminal


def made(system: str, mean: float, **more):
    compared = {"mean_difference": mean - 1.5, "ci95": [mean - 1.6, mean - 1.4], "p": 0.0001}
    entry = {"mean": mean, "ci95": [mean - 0.1, mean + 0.1], "better": "higher"}
    if system != "noisy":
        entry["versus"] = {"noisy": compared}
    return {
        "recipe": "voicebank",
        "corpus": "mini",
        "system": system,
        "n": 128,
        "calls": 0,
        "rtf": None,
        "commit": "abc",
        "hardware": None,
        "protocol_sha256": "f" * 64,
        "train": {"steps": None, "hours": None, "params": None},
        "metrics": {"PESQ": entry},
        **more,
    }


PROTOCOL = {"metrics": {"PESQ": {}}, "baseline": "noisy", "test_set": {"split": "test"}}
NOISY = made("noisy", 1.5)
DEMO = made(
    "demo",
    1.9,
    calls=2.0,
    rtf=0.0814,
    hardware="2 cores",
    train={"steps": 800, "hours": 0.15, "params": 1_900_000},
)


def test_numbers_have_the_decimals_of_their_metric():
    assert number(1.2345, "PESQ") == "1.23"
    assert number(0.98765, "ESTOI", sign=True) == "+0.988"
    assert number(-1.0, "unheard of") == "-1.00"


def test_cells():
    entry = DEMO["metrics"]["PESQ"]
    assert cell(entry, "PESQ") == "1.90 [1.80, 2.00]"
    assert difference(entry, "PESQ", "noisy") == "+0.40 [+0.30, +0.50]"
    assert cell({"mean": 1.9, "ci95": None}, "PESQ") == "1.90"


def test_the_terminal_table_says_what_it_means():
    lines = terminal(DEMO, NOISY, ["PESQ has no value for 1"]).splitlines()
    assert lines[1] == "demo on mini: 128 utterances, 2 network calls, real-time factor 0.0814"
    (row,) = (line for line in lines if line.startswith("PESQ  "))
    assert row.split("  ")[-4:] == [
        "1.50 [1.40, 1.60]",
        "1.90 [1.80, 2.00]",
        "+0.40 [+0.30, +0.50]",
        "* better",
    ]
    assert "Compared with the noisy input: better in PESQ." in lines
    assert lines[-1] == "PESQ has no value for 1"


def test_columns_are_aligned():
    lines = terminal(DEMO, NOISY, []).splitlines()
    head = next(line for line in lines if line.startswith("metric"))
    row = next(line for line in lines if line.startswith("PESQ"))
    assert head.index("noisy") == row.index("1.50 [")
    assert head.index("demo") == row.index("1.90 [")
    assert head.index("difference") == row.index("+0.40 [")


def test_a_mini_corpus_is_said_to_be_one():
    labelled = {**DEMO, "label": "mini (made)"}
    assert MINI in terminal(labelled, NOISY, [])
    assert MINI not in terminal(DEMO, NOISY, [])
    page = markdown([labelled], {"f" * 64: PROTOCOL}, {})
    assert "## voicebank: mini, test (mini (made))" in page
    assert f"**{MINI}**" in page


def test_markdown_has_one_row_per_system_and_stars_what_is_sure():
    page = markdown([NOISY, DEMO], {"f" * 64: PROTOCOL}, {"python": "3.11"})
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert rows[0] == "| system | calls | RTF | n | trained | PESQ |"
    assert rows[2] == "| noisy | 0 |  | 128 |  | 1.50 [1.40, 1.60] |"
    assert rows[3] == (
        "| demo | 2 | 0.0814 | 128 | 800 steps, 0.15 h, 1.9 M params | 1.90 [1.80, 2.00]<br>"
        "+0.40 [+0.30, +0.50] * |"
    )
    assert "- python: 3.11" in page
    assert "- measured at commit abc on 2 cores: demo" in page
    assert "Protocol ffffffffffff" in page


def test_no_star_where_the_interval_holds_zero():
    unsure = made("demo", 1.55)
    assert "*" not in difference(unsure["metrics"]["PESQ"], "PESQ", "noisy")
    page = markdown([unsure], {"f" * 64: PROTOCOL}, {})
    assert "[-0.05, +0.15] |" in page


def test_results_of_different_protocols_stand_in_different_tables():
    other = {**DEMO, "protocol_sha256": "0" * 64}
    page = markdown([DEMO, other], {"f" * 64: PROTOCOL, "0" * 64: PROTOCOL}, {})
    assert page.count("## voicebank: mini, test") == 2


@pytest.mark.parametrize("name", ["a|b", "<script>", "two\nlines"])
def test_names_cannot_break_the_table(name):
    page = markdown([{**DEMO, "system": name}], {"f" * 64: PROTOCOL}, {})
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert rows[2].replace("\\|", "").count("|") == rows[0].count("|")
    assert "<script>" not in page
