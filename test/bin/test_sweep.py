import json
import shutil

import pytest
import yaml

from diffaudio.bin import sweep
from diffaudio.decode import stage
from diffaudio.files import write_json
from diffaudio.log import Refusal
from diffaudio.score import measure

SWEEP = """
sweep:
  models: [{models}]
  samplers:
    ddim: {{solver: {{class_path: DDIM}}, grid: {{class_path: UniformGrid}}}}
    heun: {{solver: {{class_path: Heun}}, grid: {{class_path: UniformGrid}}}}
  calls: [1, 2]
  metric: {metric}
"""


@pytest.fixture
def run(tiny_exp, tiny_dump, tmp_path, monkeypatch):
    """Return a function that sweeps over two copies of a model, and their folder."""
    for module in (stage, measure):  # what workers do is tested elsewhere
        here = lambda tasks, **_: [task.function(**task.arguments) for task in tasks]  # noqa: E731
        monkeypatch.setattr(module, "run_tasks", here)
    monkeypatch.chdir(tmp_path)
    models = [tmp_path / "exp" / name for name in ("a", "b")]
    for model in models:
        shutil.copytree(tiny_exp, model)
        with (model / "config.yaml").open("a") as file:
            file.write("score: {metrics: [SI-SDR], resamples: 100, worst: 0}\n")

    data = shutil.copytree(tiny_dump / "data", tmp_path / "data")
    write_json(data / "corpus.json", {"root": str(tiny_dump), "label": None, "splits": {}})

    def swept(*more, metric="SI-SDR"):
        names = ", ".join(f"exp/{model.name}" for model in models)
        (tmp_path / "sweep.yaml").write_text(SWEEP.format(models=names, metric=metric))
        options = ["--config", "sweep.yaml", "--out", "out", "--set", "test"]
        return sweep.main([*options, "--data", "data", "--dump", str(tiny_dump / "dump"), *more])

    return swept, tmp_path


def test_every_cell_is_decoded_and_scored_once_then_compared(run, capsys):
    swept, folder = run
    assert swept() == 0
    rows = json.loads((folder / "out" / "sweep.json").read_text())["rows"]
    cells = [(one["cell"]["model"], one["cell"]["sampler"], one["cell"]["calls"]) for one in rows]
    assert cells == [
        (f"exp/{model}", sampler, calls)
        for model in "ab"
        for sampler, calls in (("ddim", 1), ("ddim", 2), ("heun", 1), ("heun", 2))
    ]
    assert [one["evaluations"] for one in rows[:4]] == [1, 2, 1, 2]
    assert rows[0]["metrics"]["SI-SDR"]["mean"] == rows[4]["metrics"]["SI-SDR"]["mean"]
    assert rows[0]["metrics"]["SI-SDR"]["mean"] != rows[1]["metrics"]["SI-SDR"]["mean"]
    chosen = yaml.safe_load((folder / "exp" / "a" / "recommended.yaml").read_text())
    assert chosen["decode"]["sampler"]["calls"] in {1, 2}
    assert capsys.readouterr().out.count("recommended |") == 2
    wavs = sorted(folder.glob("exp/*/decode/*/test/*.wav"))
    times = [path.stat().st_mtime_ns for path in wavs]
    swept()
    assert [path.stat().st_mtime_ns for path in wavs] == times


def test_a_metric_that_was_not_scored_is_named(run):
    swept, folder = run
    with pytest.raises(Refusal, match=r"sweep.metric: KAD is none.*\n?.*SI-SDR"):
        swept(metric="KAD")
    assert len([*folder.glob("exp/*/decode/*")]) == 1  # said before all other cells are decoded


def test_models_of_two_protocols_are_not_compared(run):
    swept, folder = run
    config = folder / "exp/b/config.yaml"
    config.write_text(config.read_text().replace("metrics: [SI-SDR]", "metrics: [SI-SDR, LSD]"))
    with pytest.raises(Refusal, match="exp/b: is scored by another protocol than exp/a"):
        swept()
    assert not (folder / "exp/a/recommended.yaml").exists()


@pytest.mark.slow
def test_a_published_comparison_of_other_models_is_not_replaced(run):
    swept, folder = run
    swept("--publish", "true")
    before = (folder / "results/sweeps/out/sweep.json").read_bytes()
    with pytest.raises(Refusal, match="is the comparison of exp/a, exp/b"):
        swept("--publish", "true", "--sweep.models", "[exp/b]")
    assert (folder / "results/sweeps/out/sweep.json").read_bytes() == before
    assert swept("--publish", "true") == 0


def test_it_is_published_and_the_recipe_s_results_lead_to_it(run):
    swept, folder = run
    swept("--publish", "true")
    there = folder / "results" / "sweeps" / "out"
    assert {path.name for path in there.iterdir()} == {"sweep.json", "sweep.md", "sweep.svg"}
    assert "[out](results/sweeps/out/sweep.md)" in (folder / "RESULTS.md").read_text()
    beside = json.loads((there / "sweep.json").read_text())["beside"]
    assert beside[0]["role"] == "input"
    assert f"| {beside[0]['system']} |" in (there / "sweep.md").read_text()


def test_the_recommendation_says_why(run):
    swept, folder = run
    swept()
    text = (folder / "exp" / "a" / "recommended.yaml").read_text()
    assert text.startswith("# Written by `diffaudio sweep`.\n# Of 4 settings on")
    assert "# recommended: " in text
