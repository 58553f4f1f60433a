import shutil

from diffaudio.decode.configuration import read_config
from diffaudio.decode.export import export
from diffaudio.files import write_json


def exported(exp, out, *options, data=None):
    """Return the card of an exported folder."""
    export(exp, out, read_config(exp / "config.yaml", options), data=data)
    return (out / "MODEL_CARD.md").read_text()


def test_the_card_says_what_it_is(exp, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "CREDITS.txt").write_text("by A. Author")
    data = tmp_path / "data" / "mini"
    about = {"root": str(corpus), "label": "mini: not the real one"}
    write_json(data / "corpus.json", {**about, "splits": {"train": {"hours": 1.5}}})
    (exp / "RESULTS.md").write_text(
        "<!-- by hand -->\n# Results\n\n## mini\n\n```\n# not a heading\n```\n"
    )
    card = exported(exp, tmp_path / "model", data=data)
    for text in (
        "# demo\n",
        "makes `clean` from `noisy`",
        "8000 Hz, so a bandwidth of 4000 Hz",
        "CompressedSTFT, FlowSE, Velocity, BandTransformer",
        "21,568",
        "5 steps, 0.5 h",
        "DDIM, UniformGrid, 2 network calls",
        "diffaudio.load(",
        "`mini` (mini: not the real one): 1.5 h in train",
        "[CREDITS.txt](CREDITS.txt)",
        "## Results",
        "### mini",
        "\n# not a heading",
    ):
        assert text in card
    assert (tmp_path / "model" / "CREDITS.txt").read_text() == "by A. Author"
    assert str(tmp_path) not in card
    assert "by hand" not in card


def test_a_folder_that_was_exported_takes_card_and_credits_along(exp, tmp_path, caplog):
    corpus, data = tmp_path / "corpus", tmp_path / "data" / "mini"
    corpus.mkdir()
    (corpus / "CREDITS.txt").write_text("by A. Author")
    write_json(data / "corpus.json", {"root": str(corpus), "splits": {"train": {"hours": 1.5}}})
    results = "# Results\n\n```\n## not a heading\n```\n\nPESQ 2.5\n\n## Data\n\n24 items\n"
    (exp / "RESULTS.md").write_text(results)
    exported(exp, tmp_path / "one", "--decode.threads=2", data=data)
    shutil.rmtree(exp)
    exported(tmp_path / "one", tmp_path / "again", "--decode.sampler.calls=7", data=data)
    card = exported(tmp_path / "again", tmp_path / "two", "--decode.sampler.calls=8")
    assert (tmp_path / "two" / "CREDITS.txt").read_text() == "by A. Author"
    for text in (
        "# again\n",
        "8 network calls",
        "1.5 h in train",
        "PESQ 2.5",
        "\n## Data",
        "\n### Data",
        "\n\n```\n## not a heading\n```\n\n",
        "\n## Results\n\nThis folder decodes with other settings",
    ):
        assert card.count(text) == 1
    assert "\n\n\n" not in card
    assert "other settings" not in (tmp_path / "one" / "MODEL_CARD.md").read_text()
    assert "no --data" not in caplog.text


def test_the_card_says_what_a_sweep_recommends(exp, tmp_path):
    recommended = exp / "recommended.yaml"
    recommended.write_text("# Written by hand.\n# best: one\ndecode: {sampler: {calls: 9}}\n")
    card = exported(exp, tmp_path / "one")
    assert "This folder has another; `--config THIS_FOLDER/recommended.yaml` takes it" in card
    assert (tmp_path / "one" / "recommended.yaml").read_text() == recommended.read_text()
    assert "```yaml\n# best: one\ndecode: {sampler: {calls: 9}}\n```" in card
    exported(exp, tmp_path / "two", "--config", str(recommended))
    assert "\nThis folder has it.\n" in (tmp_path / "two" / "MODEL_CARD.md").read_text()


def test_the_card_of_a_generator_says_how_to_generate(tiny_prior, tmp_path):
    card = exported(tiny_prior, tmp_path / "model")
    assert "diffaudio generate out.wav --seconds 1 --exp THIS_FOLDER" in card
    assert "model.generate(1.0)" in card
    assert "enhance" not in card
