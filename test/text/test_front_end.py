import json

import pytest

from diffaudio.config import parse
from diffaudio.log import Refusal
from diffaudio.text import Characters, FrontEnd, Phonemes, Pieces, front_end, language_data
from diffaudio.text.front_end import held_files
from diffaudio.text.pieces import train_pieces

needs_data = pytest.mark.skipif(bool(language_data.missing()), reason="no data for phonemes")


@pytest.fixture
def pieces(tmp_path):
    path = tmp_path / "corpus.model"
    train_pieces(["five old dollars", "nine gold dollars", "it cost five"], path, size=24)
    return path


def test_a_text_is_normalised_and_numbered():
    reading = FrontEnd(Characters()).read("It cost $5.")
    assert reading.said == "It cost five dollars."
    assert "".join(reading.symbols) == "it cost five dollars."
    assert reading.ids == tuple(Characters().encode("it cost five dollars."))


def test_edges_are_word_boundaries_whatever_the_units(tmp_path, pieces):
    read = FrontEnd(Characters(), edges=True).read("a cat")
    assert (read.said, "".join(read.symbols)) == ("a cat", " a cat ")
    plain, edged = (FrontEnd(Pieces(pieces), edges=edges).read("five") for edges in (False, True))
    assert edged.symbols == ("▁", *plain.symbols, "▁")
    made = FrontEnd(Characters(), edges=True)
    made.save(tmp_path)
    assert FrontEnd.load(tmp_path) == made
    kept = json.loads((tmp_path / front_end.FILE).read_text())
    assert made.matches(kept)
    assert not FrontEnd(Characters()).matches(kept)
    with pytest.raises(Refusal, match="there is nothing to say"):
        made.read(" ")


def test_a_text_that_is_in_words_is_left_alone():
    assert FrontEnd(Characters(), normalise="none").read(" Mr.  Hall ").said == "Mr. Hall"
    with pytest.raises(Refusal, match=r"p1, line 3: Characters have no '\$' .*, '5'"):
        FrontEnd(Characters(), normalise="none").read("It cost $5.", place="p1, line 3")


def test_what_normalises_to_nothing_is_refused():
    with pytest.raises(Refusal, match="p1: there is nothing to say"):
        FrontEnd(Characters()).read(" ~ ", place="p1")


@pytest.mark.parametrize(
    "kind", ["characters", "pieces", pytest.param("lexicon", marks=needs_data)]
)
def test_it_is_the_same_after_a_journey(tmp_path, pieces, kind):
    lexicon = tmp_path / "words.tsv"
    lexicon.write_text("dollars\tD AA1\n")
    units = {
        "characters": lambda: Characters(alphabet="abcdefghijklmnopqrstuvwxyz .", blank=True),
        "pieces": lambda: Pieces(pieces),
        "lexicon": lambda: Phonemes(lexicon=lexicon, blank=True),
    }[kind]()
    made = FrontEnd(units)
    made.save(tmp_path / "exp")
    before = made.read("five dollars")
    pieces.unlink()
    lexicon.unlink()
    (tmp_path / "exp").rename(tmp_path / "elsewhere")
    loaded = FrontEnd.load(tmp_path / "elsewhere")
    assert loaded.read("five dollars") == before
    assert loaded.digest == made.digest
    assert type(loaded.units) is type(units)


def test_only_plain_files_are_written(tmp_path, pieces):
    FrontEnd(Pieces(pieces)).save(tmp_path / "exp")
    assert sorted(path.name for path in (tmp_path / "exp").iterdir()) == [
        "front_end.json",
        "front_end.model",
    ]
    kept = json.loads((tmp_path / "exp/front_end.json").read_text())
    assert kept["version"] == front_end.VERSION
    assert kept["names"] == list(Pieces(pieces).names)
    assert str(tmp_path) not in json.dumps(kept)


def test_the_digest_follows_all_that_a_reading_depends_on(tmp_path, monkeypatch, pieces):
    digests = [
        FrontEnd(Characters()).digest,
        FrontEnd(Characters(), normalise="none").digest,
        FrontEnd(Characters(blank=True)).digest,
        FrontEnd(Pieces(pieces)).digest,
    ]
    train_pieces(["five old dollars", "it cost six"], pieces, size=20)
    digests.append(FrontEnd(Pieces(pieces)).digest)
    monkeypatch.setattr(front_end, "VERSION", front_end.VERSION + 1)
    digests.append(FrontEnd(Characters()).digest)
    assert len({*digests}) == len(digests)
    monkeypatch.undo()
    assert FrontEnd(Characters()).digest == digests[0]


@needs_data
def test_another_dictionary_is_another_digest_and_is_told(tmp_path, monkeypatch, caplog):
    made = FrontEnd(Phonemes())
    made.save(tmp_path)
    digest = made.digest
    monkeypatch.setattr(language_data, "digest", lambda: "other")
    assert FrontEnd.load(tmp_path).digest != digest
    assert "dictionary or tagger are others here" in caplog.text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 99}, "version 99"),
        ({"names": ["a"]}, "other names here"),
        ({"units": "os.system"}, "neither diffaudio.s nor the recipe.s own"),
        ({"units": "diffaudio.log.Refusal"}, "are no units"),
        ({"arguments": {"alphabet": "abc", "other": 1}}, "not a front end"),
        ({"held": None}, "not a front end"),
    ],
)
def test_what_is_not_what_was_saved_is_refused(tmp_path, change, fault):
    FrontEnd(Characters()).save(tmp_path)
    path = tmp_path / "front_end.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(Refusal, match=rf"front_end\.json: .*{fault}"):
        FrontEnd.load(tmp_path)


@pytest.mark.parametrize("content", ["{}", "[]", '{"held": null}'])
def test_what_is_none_is_refused_before_its_files_are_looked_for(tmp_path, content):
    (tmp_path / "front_end.json").write_text(content)
    with pytest.raises(Refusal, match=r"front_end\.json: not a front end"):
        held_files(tmp_path, "diffaudio.text.Pieces")


def test_a_changed_or_missing_part_is_named(tmp_path, pieces):
    FrontEnd(Pieces(pieces)).save(tmp_path)
    (tmp_path / "front_end.model").write_bytes(b"other")
    with pytest.raises(Refusal, match=r"front_end\.model: has changed"):
        FrontEnd.load(tmp_path)
    (tmp_path / "front_end.model").unlink()
    with pytest.raises(Refusal, match=r"front_end\.model: is missing"):
        FrontEnd.load(tmp_path)
    with pytest.raises(Refusal, match="no such file"):
        FrontEnd.load(tmp_path / "absent")


def test_units_are_chosen_in_yaml(tmp_path):
    path = tmp_path / "conf.yaml"
    path.write_text(
        "model:\n  normalise: none\n"
        "  units: {class_path: diffaudio.text.Characters, init_args: {blank: true}}\n"
    )
    config = parse(["--config", str(path)], prog="x", description="x", sections={"model": FrontEnd})
    assert config.build(FrontEnd) == FrontEnd(Characters(blank=True), normalise="none")


def test_a_leaf_by_name_and_a_file_by_path(tmp_path, pieces):
    path = tmp_path / "conf.yaml"
    path.write_text(
        f"model: {{units: {{class_path: diffaudio.text.Pieces, init_args: {{model: {pieces}}}}}}}\n"
    )
    config = parse(["--config", str(path)], prog="x", description="x", sections={"model": FrontEnd})
    assert config.build(FrontEnd) == FrontEnd(Pieces(pieces))


def test_a_folder_without_its_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(Refusal, match=r"(?s)front_end\.json: no such file.*copy it from"):
        FrontEnd.load(tmp_path)
