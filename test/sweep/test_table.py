from rows import row

from diffaudio.sweep.table import evidence, knee, markdown


def test_the_cheapest_that_reaches_the_best_is_recommended():
    rows = [row(5, 1.0, 0.1), row(10, 1.8, 0.3), row(20, 2.0, 0.2), row(50, 1.95, 0.2)]
    assert knee(rows, "M").cell.calls == 10
    assert knee([row(10, 1.7, 0.2), *rows[2:]], "M").cell.calls == 20


def test_lower_may_be_better_and_a_guided_call_costs_two():
    rows = [row(5, 3.0, 0.5, better="lower"), row(10, 2.0, 0.2, better="lower")]
    assert knee(rows, "M").cell.calls == 10
    rows = [
        row(5, 2.1, 0.2, better="lower", evaluations=10),
        row(8, 2.0, 0.2, better="lower", evaluations=8),
    ]
    assert knee(rows, "M").cell.calls == 8


def test_of_equal_cost_the_better_one_is_taken_and_nothing_measured_never_is():
    rows = [row(5, 1.9, 0.3), row(5, 2.0, 0.1, sampler="heun"), row(1, None, 0.0)]
    assert knee(rows, "M").cell.sampler == "heun"


def test_a_setting_with_outputs_that_failed_is_neither_best_nor_recommended():
    broken, sound = row(1, 3.0, 0.9), row(8, 2.0, 0.1)
    broken.found["metrics"]["M"] |= {"n": 3, "failed": 125, "missing": 0}
    assert knee([broken, sound], "M") is sound
    text = markdown([broken, sound], "M")
    assert "3 [2.1, 3.9], 125 of 128 failed" in text.splitlines()[3]
    assert knee([broken], "M") is broken  # where there is no other


def test_the_table_is_ranked_and_says_what_is_recommended():
    rows = [row(5, 1.0, 0.1), row(20, 2.0, 0.2), row(5, 3.0, 0.1, model="exp/b"), row(1, None, 0)]
    lines = markdown(rows, "M").splitlines()
    assert lines[0].startswith("| model | sampler | calls | guidance | evaluations |")
    assert [line.split("|")[1].strip() for line in lines[2:6]] == ["exp/b"] + ["exp/a"] * 3
    assert [line.rstrip(" |").endswith("recommended") for line in lines[2:6]] == [
        True,
        True,
        False,
        False,
    ]
    assert "2 [1.8, 2.2]" in lines[3]
    assert "none" in lines[5]


def test_real_clips_stand_beside_and_how_all_was_made_below():
    real = {"system": "real test", "metrics": {"other": {"mean": 0.7, "ci95": None}}}
    text = markdown([row(5, 1.0, 0.1), row(5, 1.0, 0.1, model="exp/b")], "M", [real])
    assert "| real test |  |  |  |  |  |  | 0.7 |  |" in text
    assert "64 outputs a cell" in text
    assert "- scored at commit c0ffee: exp/a, exp/b" in text
    warm = row(5, 1.0, 0.1)
    warm.found["temperature"] = 0.3  # one of its cells: how a model was sampled is in the rows
    assert "temperature" not in markdown([warm], "M")


def test_the_evidence_is_the_choice_beside_the_best():
    rows = [row(10, 1.8, 0.3), row(20, 2.0, 0.2)]
    assert evidence(rows, "M")[-2:] == [
        "recommended: ddim, 10 calls, plain: 1.8 [1.5, 2.1] in 10 evaluations, 1 s for a second of "
        "audio",
        "best: ddim, 20 calls, plain: 2 [1.8, 2.2] in 20 evaluations, 2 s for a second of audio",
    ]
    assert "best" not in evidence(rows[1:], "M")[-1]
