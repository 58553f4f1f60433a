import re
import subprocess
import sys

import pytest

from diffaudio.log import Refusal
from diffaudio.text import Phonemes, dates, language_data, measures, money, names, symbols
from diffaudio.text.lexicon import PHONEMES
from diffaudio.text.pronounce import pronouncer
from diffaudio.text.units import BLANK

pytestmark = pytest.mark.skipif(
    bool(language_data.missing()), reason="no data for phonemes: tools/install.sh"
)


def said(text, **options):
    return " ".join(Phonemes(**options).split(text)).replace("   ", " | ")


def test_words_boundaries_and_marks_are_symbols():
    assert Phonemes().split("Hello, world; yes!") == [
        *("HH", "AH0", "L", "OW1", ",", " ", "W", "ER1", "L", "D", ";"),
        *(" ", "Y", "EH1", "S", "!"),
    ]


def test_names_are_fixed():
    names = Phonemes().names
    assert names[:12] == (" ", ".", ",", ";", ":", "?", "!", "-", "(", ")", '"', "...")
    assert len(names) == len(set(names)) == 12 + 24 + 45
    assert Phonemes(blank=True).names == (*names, BLANK)


def test_a_blank_stands_between_all_units():
    plain, padded = Phonemes().encode("the end."), Phonemes(blank=True).encode("the end.")
    assert padded[1::2] == plain
    assert set(padded[::2]) == {len(Phonemes().names)}


@pytest.mark.parametrize("word", ["zorblax", "glimfrath", "quxly"])
def test_words_that_nobody_lists_are_guessed_alike_every_time(word):
    assert word not in pronouncer().g2p.cmu
    first = Phonemes().split(word)
    pronouncer().guess.cache_clear()
    assert Phonemes().split(f"a {word}")[2:] == first == Phonemes().split(word.upper())
    assert {*first} <= {*PHONEMES}


@pytest.mark.parametrize(
    "module", [dates, measures, money, names, symbols], ids=lambda one: one.__name__
)
def test_no_word_of_the_normaliser_is_left_to_guesses(module, monkeypatch):
    guessed = []
    monkeypatch.setattr(pronouncer(), "guess", lambda word: guessed.append(word) or ("AH0",))
    tables = [one for name, one in vars(module).items() if type(one) is dict and name[:2] != "__"]
    words = re.findall(r"\b[A-Za-z]?[a-z]+\b", " ".join(_values(tables)))
    Phonemes().split(" ".join(words))
    assert guessed == []
    assert words


def _values(table):
    """Return the strings in tables; what stands for them, their keys, is not said."""
    if not isinstance(table, (dict, list, tuple)):
        return [str(table)]
    parts = table.values() if isinstance(table, dict) else table
    return [value for part in parts for value in _values(part)]


def test_quotation_marks_of_one_stroke_are_not_heard():
    assert said("'hello'") == said("hello")
    assert said("the boys' house") == said("the boys house")
    assert said("'tis") == "T IH1 Z"


def test_a_lexicon_comes_before_all(tmp_path):
    path = tmp_path / "lexicon.tsv"
    path.write_text("# ours\nread\tHH AH0\nzorblax\tZ OW1\n")
    assert said("I read zorblax's", lexicon=path) == "AY1 | HH AH0 | Z OW1 Z"
    assert said("I have read") != said("I have read", lexicon=path)


def test_an_entry_is_meant_for_the_word_with_an_ending(tmp_path):
    path = tmp_path / "lexicon.tsv"
    path.write_text("bird\tB UW1 D\nit's\tIH1 S\nit\tUW1 T\n")
    assert "bird's" in pronouncer().g2p.cmu
    assert said("bird's", lexicon=path) == "B UW1 D Z"
    assert said("birds", lexicon=path) == said("birds")
    assert said("It's it'll", lexicon=path) == "IH1 S | UW1 T AH0 L"


def test_figures_and_other_scripts_are_refused():
    with pytest.raises(Refusal, match=r"a: Phonemes have no '5' .*, 'Ж'"):
        Phonemes().encode("I am 5 Ж", place="a")


def test_without_data_the_mend_is_named_and_nothing_is_downloaded(tmp_path):
    """In a process of its own: g2p-en downloads when it is imported."""
    code = """if True:
        import socket, sys
        def refuse(*_, **__):
            print("a network was asked for")
            sys.exit(3)
        socket.socket.connect = socket.getaddrinfo = refuse
        from pathlib import Path
        from diffaudio.log import Refusal
        from diffaudio.text import Phonemes, language_data
        language_data.folders = lambda: [Path(sys.argv[1])]
        try:
            Phonemes().encode("hello")
        except Refusal as refusal:
            print(refusal)
        print("g2p_en" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "phonemes: NLTK's data has no corpora/cmudict.zip, taggers/" in done.stdout
    assert "mend: run tools/install.sh" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"
