from __future__ import annotations

from dataclasses import replace

from diffaudio.files import read_json
from diffaudio.score import link, publish, shown, summarise


def test_all_scores_of_an_experiment_are_in_its_results(run, request_, spec):
    run()
    other = replace(request_, out=request_.exp / "score" / "calls8" / "test", system="demo calls8")
    run(other)
    page = summarise(request_.exp).read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert [row.split(" | ")[0] for row in rows[2:]] == [
        "| noisy",
        "| demo &lt;1>",
        "| demo calls8",
    ]
    assert page.count("## voicebank: mini, test") == 1


def test_the_experiments_report_is_the_latest(run, request_, spec):
    run()
    for _ in range(2):  # an older link is replaced
        path = link(request_.exp, request_.out)
    assert path == request_.exp / "report.html"
    assert path.read_text() == (request_.out / "report.html").read_text()
    assert not path.readlink().is_absolute()


def test_publishing_copies_results_protocol_and_writes_the_page(run, request_, spec, tmp_path):
    run()
    recipe = tmp_path / "recipe"
    page = publish(request_.out, recipe).read_text()
    names = sorted(path.name for path in (recipe / "results").glob("*.json"))
    assert names == ["mini_demo-1.json", "mini_noisy.json"]
    found = read_json(recipe / "results" / "mini_demo-1.json")
    assert found == read_json(request_.out / "summary.json")
    sha = found["protocol_sha256"]
    assert (recipe / "results" / "protocols" / f"{sha[:16]}.json").is_file()
    assert f"Protocol {sha[:12]}" in page
    assert "not comparable with published ones" in page
    assert publish(request_.out, recipe).read_text() == page  # nothing moves the second time


def test_the_terminal_shows_system_and_baseline(run, request_, spec):
    run()
    text = shown(request_.out)
    assert "demo <1> on mini: 4 utterances, 2 network calls, real-time factor 0.05" in text
    assert "Compared with the noisy input: better in SI-SDR." in text
