"""`diffaudio extract`: what is new is read; where a text cannot be, that is said."""

import pytest

from diffaudio.bin import extract
from diffaudio.data import manifest
from diffaudio.decode.configuration import MODEL as MODEL_SECTIONS
from diffaudio.decode.configuration import read_config, with_front_end
from diffaudio.files import write_json
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.text import Characters, FrontEnd, Readings, language_data, train_pieces

MODEL = """
audio: {rate: 8000, target: speech}
model:
  given: beside
  codec: {class_path: LogMel, init_args: {mel: {rate: 8000, n_fft: 256, hop: 80, bands: 8}}}
  path: {class_path: RectifiedFlow}
  target: {class_path: Velocity}
  objective: {times: {class_path: Uniform}}
  net: {class_path: UNet2d, init_args: {widths: [8, 16], strides: [[2, 2]], depth: 1}}
"""
PRIOR = """
  prior:
    class_path: TextPrior
    init_args: {width: 16, depth: 1, front_end: {units: {class_path: Characters}}}
"""


@pytest.fixture
def recipe(tmp_path):
    write(tmp_path, {"train": ["One bird.", "Two birds."], "test": ["One bird."]})
    (tmp_path / "c.yaml").write_text(MODEL + PRIOR)
    return tmp_path


def write(folder, texts):
    data = folder / "data"
    for split, rows in texts.items():
        named = [
            {"id": f"{split}{n}", "audio": {"speech": "x.wav"}, "text": text}
            | {"samples": 8000, "rate": 8000}
            for n, text in enumerate(rows)
        ]
        manifest.write(data / f"{split}.jsonl", named)
    splits = {
        split: {"rows": len(rows), "hours": 0.0, "sha256": ""} for split, rows in texts.items()
    }
    write_json(data / "corpus.json", {"root": str(folder), "splits": splits})


def run(folder):
    config, data, out = folder / "c.yaml", folder / "data", folder / "text"
    return extract.main(["--config", str(config), "--data", str(data), "--out", str(out)])


def test_another_front_end_reads_again_and_another_encoder_does_not(recipe, caplog):
    assert run(recipe) == 0
    config = recipe / "c.yaml"
    config.write_text(MODEL + PRIOR.replace("width: 16", "width: 8"))
    with caplog.at_level("INFO", "diffaudio"):
        assert run(recipe) == 0
    assert "up to date" in caplog.text
    config.write_text(MODEL + PRIOR.replace("{units:", "{edges: true, units:"))
    assert run(recipe) == 0
    edged = FrontEnd(Characters(), edges=True)
    assert Readings(recipe / "text", edged).read("One bird.") == edged.read("One bird.")


def test_pieces_are_learned_from_the_training_set(recipe):
    texts = ["one bird sings", "two birds sing", "birds sang", "a bird sang two songs"]
    write(recipe, {"train": texts, "test": ["one bird sang"]})
    config = recipe / "c.yaml"
    units = "{class_path: Pieces, init_args: {size: 20}}"
    config.write_text(MODEL + PRIOR.replace("{class_path: Characters}", units))
    assert run(recipe) == 0
    train_pieces(texts, recipe / "alone.model", size=20)
    learned = (recipe / "text" / "front_end.model").read_bytes()
    assert learned == (recipe / "alone.model").read_bytes()
    there = with_front_end(read_config(config, sections=MODEL_SECTIONS), recipe / "text")
    front_end = there.build(Model).prior.front_end
    readings = Readings(recipe / "text", front_end)
    assert readings.read("one bird sang") == front_end.read("one bird sang")
    assert len(front_end.units.names) == len(FrontEnd.load(recipe / "text").units.names) <= 20


@pytest.mark.skipif(bool(language_data.missing()), reason="no data for phonemes")
def test_a_lexicon_is_named_in_the_configuration_and_read_again_when_it_changed(recipe):
    lexicon, config = recipe / "words.tsv", recipe / "c.yaml"
    lexicon.write_text("bird\tB ER1 D\n")
    units = f"{{class_path: Phonemes, init_args: {{lexicon: {lexicon}}}}}"
    config.write_text(MODEL + PRIOR.replace("{class_path: Characters}", units))

    def read():
        assert run(recipe) == 0
        kept = with_front_end(read_config(config, sections=MODEL_SECTIONS), recipe / "text")
        return Readings(recipe / "text", kept.build(Model).prior.front_end).read("One bird.")

    assert "B" in read().symbols
    lexicon.write_text("bird\tK AE1 T\n")
    assert "B" not in read().symbols


def test_every_text_is_read_once(recipe, caplog):
    front_end = FrontEnd(Characters())
    with caplog.at_level("INFO", "diffaudio"):
        assert run(recipe) == 0
    readings = Readings(recipe / "text", front_end)
    assert readings.read("Two birds.") == front_end.read("Two birds.")
    assert "2 texts read, 1 known" in caplog.text
    write(recipe, {"train": ["One bird.", "Two birds.", "Three."], "test": ["One bird."]})
    caplog.clear()
    with caplog.at_level("INFO", "diffaudio"):
        assert run(recipe) == 0
    assert "1 texts read, 3 known" in caplog.text
    caplog.clear()
    with caplog.at_level("INFO", "diffaudio"):
        assert run(recipe) == 0
    assert "up to date" in caplog.text


def test_texts_that_cannot_be_read_are_named_with_file_line_and_utterance(recipe):
    write(recipe, {"train": ["One bird.", "Δύο."], "test": [""]})
    with pytest.raises(Refusal) as refusal:
        run(recipe)
    message = refusal.value.message
    assert "train.jsonl:2 (train1): Characters have no 'δ'" in message
    assert "test.jsonl:1 (test0): there is nothing to say" in message
    with pytest.raises(Refusal, match="not read yet|read by another"):
        Readings(recipe / "nothing", FrontEnd(Characters()))


def test_a_text_that_does_not_fit_its_recording_is_named(recipe):
    """A second of 8 kHz with a hop of 80 are 101 frames: so many symbols can have one each."""
    write(recipe, {"train": ["a" * 101], "test": ["a" * 102]})
    with pytest.raises(Refusal) as refusal:
        run(recipe)
    assert "test.jsonl:1 (test0): 102 symbols in 1.00 s, which are 101" in refusal.value.message
    assert "train0" not in refusal.value.message


def test_a_model_that_reads_nothing_needs_nothing(recipe):
    (recipe / "c.yaml").write_text(MODEL.replace("given: beside", "given: none"))
    assert run(recipe) == 0
    assert not (recipe / "text").exists()
