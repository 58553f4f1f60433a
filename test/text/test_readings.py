"""Readings of a corpus: what the front end made of it, for who has no dictionary."""

import pytest

from diffaudio.log import Refusal
from diffaudio.text import Characters, FrontEnd, Phonemes, Readings, cached, language_data

TEXTS = ["It cost $5.", "Two birds."]


def read(folder, front_end):
    front_end.save(folder)
    with cached(folder, front_end) as cache:
        return [cache.read(text) for text in TEXTS]


def test_they_are_what_the_front_end_made(tmp_path):
    front_end = FrontEnd(Characters())
    made = read(tmp_path, front_end)
    kept = Readings(tmp_path, front_end)
    assert [kept.read(text) for text in TEXTS] == made
    with pytest.raises(Refusal, match="row 7: 'Three.' is not among the readings"):
        kept.read("Three.", place="row 7")


def test_phonemes_need_no_dictionary_once_they_are_read(tmp_path, monkeypatch):
    front_end = FrontEnd(Phonemes())
    made = read(tmp_path, front_end)

    def gone():
        raise Refusal("no dictionary here")

    monkeypatch.setattr(language_data, "digest", gone)
    monkeypatch.setattr(language_data, "check", gone)
    kept = Readings(tmp_path, FrontEnd(Phonemes()))
    assert [kept.read(text) for text in TEXTS] == made


def test_another_front_end_is_refused_and_so_is_none(tmp_path):
    read(tmp_path, FrontEnd(Characters()))
    for other in (FrontEnd(Characters(blank=True)), FrontEnd(Characters(), normalise="none")):
        with pytest.raises(Refusal, match="read by another front end"):
            Readings(tmp_path, other)
    with pytest.raises(Refusal, match="the texts are not read yet"):
        Readings(tmp_path / "nowhere", FrontEnd(Characters()))


def test_the_front_end_goes_where_the_model_goes(tmp_path):
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("kaldi\tK AA1 L D IY0\n")
    front_end = FrontEnd(Phonemes(lexicon))
    read(tmp_path / "text", front_end)
    model = tmp_path / "model"
    model.mkdir()
    Readings(tmp_path / "text", front_end).copy_front_end(model)
    lexicon.unlink()
    assert FrontEnd.load(model).read("Kaldi").symbols == ("K", "AA1", "L", "D", "IY0")
