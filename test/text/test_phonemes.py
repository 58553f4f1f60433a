"""Everything here runs with sockets blocked: no reading may touch a network."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from diffaudio.log import Refusal
from diffaudio.text import Phonemes, dates, language_data, measures, money, names, symbols
from diffaudio.text.lexicon import PHONEMES
from diffaudio.text.pronounce import pronouncer
from diffaudio.text.tokens import tokens
from diffaudio.text.units import BLANK

pytestmark = pytest.mark.skipif(
    bool(language_data.missing()), reason="no data for phonemes: tools/install.sh"
)
SENTENCES = [
    line.split("\t")
    for line in Path(__file__).with_name("homographs.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


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


def test_homographs_are_said_as_their_sentence_wants():
    found = []
    for sentence, word, _ in SENTENCES:
        words = tokens(sentence)
        number = [token.text for token in words].index(word)
        found.append((sentence, word, " ".join(pronouncer().say(words, {})[number])))
    assert found == [tuple(row) for row in SENTENCES]
    assert len(found) >= 110


def test_every_row_of_the_table_holds_known_phonemes():
    for rows in pronouncer().homographs.values():
        for row in rows:
            assert set(row.phonemes) <= {*PHONEMES}, row.word
            assert row.phonemes


@pytest.mark.parametrize("word", ["zorblax", "glimfrath", "quxly"])
def test_words_that_nobody_lists_are_guessed_alike_every_time(word):
    assert word not in pronouncer().g2p.cmu
    first = Phonemes().split(word)
    pronouncer().guess.cache_clear()
    assert Phonemes().split(f"a {word}")[2:] == first == Phonemes().split(word.upper())
    assert {*first} <= {*PHONEMES}


def test_an_ending_is_added_to_the_word():
    base = said("zorblax")
    assert said("zorblax's") == f"{base} IH0 Z"
    assert said("teapot's") == f"{said('teapot')} S"
    assert said("zebra'll") == f"{said('zebra')} AH0 L"


def test_a_plural_is_said_as_its_word_wants():
    assert said("kilopascals") == f"{said('kilopascal')} Z"
    assert said("gaolers'") == f"{said('gaoler')} Z"
    assert said("torus") == "T AO1 R AH0 S"  # of no toru
    assert said("represses") == f"{said('repress')} IH0 Z"
    assert said("ps") == "P IY1 EH1 S"  # of no letter
    assert said("sys") == "S IH1 S"
    assert said("https") == "EY1 CH T IY1 T IY1 P IY1 EH1 S"
    assert said("Ferrars") == "F EH1 R ER0 Z"  # of no Ferrar


def test_an_ending_of_letters_is_added_to_the_word():
    assert said("pluggable") == "P L AH1 G AH0 B AH0 L"
    assert said("pleasanter") == "P L EH1 Z AH0 N T ER0"
    assert said("remodelling") == "R IY0 M AA1 D AH0 L IH0 NG"
    assert said("rebooted") == f"{said('reboot')} IH0 D"
    assert said("parsable") == "P AA1 R S AH0 B AH0 L"  # of parse


def test_capitals_inside_a_word_part_it():
    assert said("iPadOS") == f"{said('I')} P AE1 D OW1 EH1 S"
    assert said("FreeBSD's") == "F R IY1 B IY1 EH1 S D IY1 Z"
    assert said("McGlimfrath") == said("mcglimfrath")
    assert said("GLIMFRATH") == said("glimfrath")


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


def test_letters_are_said_by_their_names():
    assert said("the B B C") == "DH AH0 | B IY1 | B IY1 | S IY1"
    assert said("nine A M") == "N AY1 N | EY1 | EH1 M"
    assert said("A dog and a cat").startswith("AH0 | D AO1 G")


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
