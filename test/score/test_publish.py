from __future__ import annotations

from dataclasses import replace

import pytest

from diffaudio.files import read_json, write_json
from diffaudio.log import Refusal
from diffaudio.score import ScoreSpec, link, publish, shown, summarise


def named(request_, system):
    tag = system.replace("/", "_")
    return replace(request_, out=request_.exp / "score" / tag / "test", system=system)


def rows(page):
    """Return the first column of the table of scores."""
    lines = page.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("| system | calls"))
    cells = [line.split(" | ")[0].strip("| ") for line in lines[first + 2 :]]
    return cells[: next(n for n, line in enumerate(lines[first + 2 :]) if line[:1] != "|")]


def test_all_scores_of_an_experiment_are_in_its_results(run, request_, spec):
    run()
    run(named(request_, "demo calls8"))
    page = summarise(request_.exp).read_text()
    assert rows(page) == ["noisy (input)", "demo &lt;1>", "demo calls8"]
    assert page.count("## voicebank: mini, test") == 1
    assert "left out" not in page


def test_an_unfinished_score_is_left_out_and_named(run, request_, spec):
    run()
    run(named(request_, "second"))
    record = request_.out / ".stage.json"
    write_json(record, {**read_json(record), "finished": None})
    page = summarise(request_.exp).read_text()
    assert rows(page) == ["noisy (input)", "second"]
    assert "- left out: score/default/test, unfinished" in page


def test_a_score_of_another_version_is_left_out(run, request_, spec):
    run()
    record = request_.out / ".stage.json"
    write_json(record, {**read_json(record), "version": 1})
    assert "score/default/test, scored by another version" in summarise(request_.exp).read_text()


def test_a_score_of_a_checkpoint_that_is_decoded_no_more_is_left_out(run, request_, spec):
    run()
    run(named(request_, "second"))
    made = read_json(request_.wavs / "decode.json")
    decode = request_.exp / "decode" / "default" / "test" / "decode.json"
    write_json(decode, made)
    assert "left out" not in summarise(request_.exp).read_text()
    write_json(decode, {**made, "checkpoint_sha256": "ffff0000ffff"})
    page = summarise(request_.exp).read_text()
    assert rows(page) == ["noisy (input)", "second"]
    assert "stale: of checkpoint 1a2b3c4d, decoded again since (ffff0000)" in page


def test_rows_of_different_checkpoints_are_said_to_be(run, request_, spec):
    run()
    write_json(
        request_.wavs / "decode.json",
        {**read_json(request_.wavs / "decode.json"), "checkpoint_sha256": "beef"},
    )
    run(named(request_, "second"))
    assert "the rows are of 2 different checkpoints" in summarise(request_.exp).read_text()


def test_the_experiments_report_is_the_latest(run, request_, spec):
    run()
    for _ in range(2):  # an older link is replaced
        path = link(request_.exp, request_.out)
    assert path == request_.exp / "report.html"
    assert path.read_text() == (request_.out / "report.html").read_text()
    assert not path.readlink().is_absolute()


def test_publishing_copies_results_protocol_and_writes_the_page(run, request_, spec, tmp_path):
    asked = named(request_, "demo")
    run(asked)
    recipe = tmp_path / "recipe"
    page = publish(asked.out, recipe).read_text()
    found = read_json(asked.out / "summary.json")
    sha = found["protocol_sha256"]
    names = sorted(path.name for path in (recipe / "results").glob("*.json"))
    assert names == [f"mini_test_demo_{sha[:8]}.json", f"mini_test_noisy_input_{sha[:8]}.json"]
    assert found == read_json(recipe / "results" / names[0])
    assert (recipe / "results" / "protocols" / f"{sha[:16]}.json").is_file()
    assert f"Protocol {sha[:12]}" in page
    assert "not comparable with published ones" in page
    assert publish(asked.out, recipe).read_text() == page  # nothing moves the second time


@pytest.mark.parametrize(
    "names", [("one", "One"), ("модель", "модели"), ("a/b", "a b"), ("noisy_input", "Noisy_input")]
)
def test_no_system_replaces_another_or_what_is_given(run, request_, spec, tmp_path, names):
    recipe = tmp_path / "recipe"
    for name in names:
        asked = named(request_, name)
        run(asked)
        page = publish(asked.out, recipe).read_text()
    stored = [read_json(path) for path in (recipe / "results").glob("*.json")]
    assert sorted((one["role"], one["system"]) for one in stored) == sorted(
        [("input", "noisy"), *(("system", name) for name in names)]
    )
    assert set(rows(page)) == {"noisy (input)", *names}


def test_another_systems_file_is_never_replaced(run, request_, spec, tmp_path):
    asked = named(request_, "demo")
    run(asked)
    recipe = tmp_path / "recipe"
    publish(asked.out, recipe)
    (path,) = (recipe / "results").glob("*_demo_*.json")
    write_json(path, {**read_json(path), "system": "somebody else's"})
    before = path.read_bytes()
    with pytest.raises(Refusal, match=r"holds the result of .somebody else.s., not of 'demo'"):
        publish(asked.out, recipe)
    assert path.read_bytes() == before


def test_fewer_metrics_later_do_not_replace_the_inputs_row(run, request_, spec, tmp_path):
    pytest.importorskip("pystoi")
    recipe = tmp_path / "recipe"
    for name, metrics in (("both", ["SI-SDR", "ESTOI"]), ("few", ["SI-SDR"])):
        asked = named(request_, name)
        run(asked, settings=ScoreSpec(metrics=metrics, worst=0, resamples=200))
        page = publish(asked.out, recipe).read_text()
    assert page.count("| noisy (input) |") == 2
    inputs = [read_json(path) for path in (recipe / "results").glob("*_input_*.json")]
    assert sorted(len(one["metrics"]) for one in inputs) == [1, 2]


def test_a_published_file_of_an_older_format_is_refused(run, request_, spec, tmp_path):
    run()
    write_json(tmp_path / "recipe" / "results" / "old.json", {"system": "x"})
    with pytest.raises(Refusal, match=r"old\.json: format 1"):
        publish(request_.out, tmp_path / "recipe")


def test_the_terminal_shows_system_and_baseline(run, request_, spec):
    run()
    text = shown(request_.out)
    assert "demo <1> on mini: 4 utterances, 2 network calls, real-time factor 0.05" in text
    assert "no verdict (4 utterances are too few for a verdict, it takes 20) in SI-SDR" in text
