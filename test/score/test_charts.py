from __future__ import annotations

import json

from diffaudio.score.charts import training, utterances
from diffaudio.score.measure import Scored


def test_only_utterances_with_both_values_are_drawn():
    before = [Scored(f"u{n}", 1.0, {"PESQ": 1.0 + n}, {}) for n in range(3)]
    after = [Scored("u0", 1.0, {}, {"PESQ": "too short"})]
    after += [Scored(f"u{n}", 1.0, {"PESQ": 3.0}, {}) for n in (1, 2)]
    page = utterances({"metrics": {"PESQ": {}}}, before, after)
    assert page.count("<circle") == 2
    assert "better in 1 of 2" in page
    assert "u1: 2.00 → 3.00" in page
    after[0] = Scored("u0", 1.0, {}, {}, {"PESQ": "silent"})
    assert "better in 1 of 3" in utterances({"metrics": {"PESQ": {}}}, before, after)


def test_nothing_is_drawn_without_a_baseline_or_a_log(tmp_path):
    after = [Scored("u0", 1.0, {"PESQ": 2.0}, {})]
    assert utterances({"metrics": {"PESQ": {}}}, [], after) == ""
    assert training(tmp_path / "log.jsonl") == ""


def test_a_half_written_line_and_a_lost_loss_are_passed_over(tmp_path):
    path = tmp_path / "log.jsonl"
    rows = [{"step": n, "loss": 1 / n} for n in (1, 2, 3)] + [{"step": 4, "loss": float("nan")}]
    whole = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(whole)
    before = training(path)
    assert before.count("<circle") == 3
    path.write_text(whole + '{"step": 5, "lo')
    assert training(path) == before
    path.write_text('{"step": 1, "loss": 0.5}')  # whole, but nobody can know
    assert training(path) == ""


def test_training_has_a_curve_per_kind_of_row(tmp_path):
    rows = [{"step": n, "loss": 1 / n, "lr": 1e-3} for n in range(1, 5)]
    rows += [
        {"step": 4, "valid": {"PESQ": 1.5, "<b>": 2}},
        {"step": 5, "loss": None, "skipped": ["a"]},
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = training(path)
    assert page.count("<svg") == 4
    assert "validation: PESQ" in page
    assert "<b>validation: &lt;b&gt;</b>" in page
