from __future__ import annotations

import pytest

from diffaudio.score.page import markdown


def table(page: str, head: str) -> list[str]:
    """Return the rows of the table that begins with `head`."""
    lines = page.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(head))
    last = next(n for n in range(first, len(lines)) if not lines[n].startswith("|"))
    return lines[first:last]


def test_one_row_per_system_and_stars_what_is_sure(noisy, demo, protocols):
    page = markdown([noisy, demo], protocols, {"python": "3.11"})
    rows = table(page, "| system | calls")
    assert rows[0] == "| system | calls | RTF | n | trained | PESQ |"
    assert rows[2] == "| noisy (input) | 0 |  | 128 |  | 1.50 [1.40, 1.60] |"
    assert rows[3] == (
        "| demo | 2 | 0.0814 | 128 | 800 steps, 0.15 h, 1.9 M params | 1.90 [1.80, 2.00]<br>"
        "+0.40 [+0.30, +0.50], p < 0.001 * |"
    )
    assert "- demo: Compared with the noisy input: better in PESQ." in page
    assert "python 3.11" in page
    assert "Protocol ffffffffffff" in page


def test_the_commit_is_that_of_scoring_and_decoding_has_its_own(demo, protocols):
    page = markdown([demo], protocols, {})
    assert "- scored at commit abc, decoded at commit 0de on 2 cores: demo" in page
    assert "- scored at commit abc: other" in markdown(
        [{**demo, "system": "other", "hardware": None}], protocols, {}
    )


def test_how_a_system_was_made_has_a_table(noisy, demo, protocols):
    rows = table(markdown([noisy, demo], protocols, {}), "| system | checkpoint")
    assert len(rows) == 3  # what is given was not made
    made = dict(zip(rows[0].split(" | "), rows[2].split(" | "), strict=True))
    assert made["checkpoint"] == "step_00000500 (1a2b3c4d)"
    assert (made["solver"], made["grid"], made["seed"]) == ("DDIM(eta=0.0)", "UniformGrid()", "7")
    assert (made["device"], made["training seed"]) == ("cpu", "3")


def test_the_page_says_of_whom_it_speaks(demo, protocols):
    sentence = "over utterances of {} and one training run, not over other speakers, noises or runs"
    assert sentence.format("these 2 speakers") in markdown([demo], protocols, {})
    one = markdown([{**demo, "speakers": 1}], protocols, {})
    assert sentence.format("this 1 speaker") in one
    assert "speakers are not recorded" in markdown([{**demo, "speakers": None}], protocols, {})


@pytest.mark.parametrize("count", [3, 128])
def test_a_failing_metric_has_no_star(silent, protocols, count):
    page = markdown([silent(count)], protocols, {})
    row = table(page, "| system | calls")[2]
    assert f"{count} of 128 failed" in row
    assert "*" not in row
    assert f"- mute: PESQ: {count} of 128 failed" in page
    assert f"no verdict ({count} of 128 failed) in PESQ" in page


def test_no_star_where_the_verdict_is_the_same(made, protocols):
    page = markdown([made("demo", 1.55, verdict="same", p=0.3)], protocols, {})
    assert "[-0.05, +0.15], p = 0.300 |" in page


def test_another_system_is_named_in_the_cell(demo, made, protocols):
    entry = demo["metrics"]["PESQ"]["versus"]
    entry["a|rival"] = made("x", 1.4, verdict="worse")["metrics"]["PESQ"]["versus"]["noisy"]
    row = table(markdown([demo], protocols, {}), "| system | calls")[2]
    assert "p < 0.001 *<br>than a\\|rival: -0.10 [-0.20, +0.00], p < 0.001 *" in row


def test_results_of_different_protocols_stand_in_different_sections(demo, protocols):
    other = {**demo, "protocol_sha256": "0" * 64}
    page = markdown([demo, other], {**protocols, "0" * 64: protocols["f" * 64]}, {})
    assert page.count("## voicebank: mini, test") == 2


def test_what_compares_with_nothing_published_says_why(demo, protocols):
    labelled = {**demo, "label": "mini (made)", "not_comparable": ["made up"]}
    page = markdown([labelled], protocols, {})
    assert "## voicebank: mini, test (mini (made))" in page
    assert "**These numbers are not comparable with published ones: made up.**" in page
    assert "not comparable" not in markdown([demo], protocols, {})


@pytest.mark.parametrize("name", ["a|b", "<script>", "two\nlines"])
def test_names_cannot_break_the_table(demo, protocols, name):
    page = markdown([{**demo, "system": name}], protocols, {}, [f"left out: {name}"])
    rows = table(page, "| system | calls")
    assert len(rows) == 3
    assert rows[2].replace("\\|", "").count("|") == rows[0].count("|")
    assert "<script>" not in page


def test_a_voice_has_its_temperature_the_speeds_of_its_parts_and_its_vocoder(demo, protocols):
    parts = {"text": {"rtf": 0.01, "share": 0.1}, "sampler": {"rtf": 0.09, "share": 0.9}}
    voice = {**demo, "system": "voice", "rtf": 0.1, "parts": parts}
    voice |= {"temperature": 0.0, "vocoder": "Griffin-Lim"}
    page = markdown([demo, voice], protocols, {})
    assert "| 0.1<br>text 0.01 (10 %)<br>sampler 0.09 (90 %) |" in page
    head, _, *rows = table(page, "| system | checkpoint")
    assert head.endswith("| temperature | vocoder |")
    assert [row.split(" | ")[-2:] for row in rows] == [["", " |"], ["0.0", "Griffin-Lim |"]]
    alone = markdown([demo], protocols, {})
    assert "vocoder" not in alone
    assert "temperature" not in alone
