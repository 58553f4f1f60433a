import pytest

from diffaudio import provenance
from diffaudio.corpus import stage
from diffaudio.log import Refusal

NEEDED = ("wavs", "list.txt")


@pytest.fixture
def run(monkeypatch):
    """Run the command as a recipe does; its module `mini` fails at first, as without a network."""
    made = []

    class Maker:
        @staticmethod
        def make(folder, downloads):
            made.append((folder, downloads))
            (folder / "wavs").mkdir()
            if len(made) == 1:
                raise Refusal("no connection", mend="try again", code=3)
            (folder / "list.txt").touch()

    monkeypatch.setattr(stage.importlib, "import_module", {"mini": Maker}.__getitem__)
    monkeypatch.setattr(stage, "setup_log", lambda: None)

    def main(*words):
        argv = list(map(str, words))
        return stage.main(argv, about="x", made=("mini",), outputs=NEEDED, needed=NEEDED)

    main.made = made
    return main


def test_a_corpus_is_made_once_and_again_by_force(run, tmp_path, caplog, capsys):
    caplog.set_level("INFO")
    words = ("--corpus", "mini", "--downloads", tmp_path)
    assert run(*words) == 3
    assert "local/data.py: no connection\n  mend: try again" in capsys.readouterr().err
    assert provenance.state(tmp_path / "mini")[0] == "unfinished"
    (tmp_path / "mini" / "wavs").rmdir()
    assert run(*words) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mini'}\n"
    caplog.clear()
    assert run(*words, "--force", "false") == 0
    assert caplog.messages == [f"{tmp_path / 'mini'}: up to date"]
    assert run(*words, "--force", "true") == 0
    assert run.made == 3 * [(tmp_path / "mini", tmp_path)]


def test_a_folder_of_ones_own_is_checked_and_left_alone(run, tmp_path, capsys):
    (tmp_path / "own" / "wavs").mkdir(parents=True)
    assert run("--corpus", tmp_path / "own") == 1
    assert f"local/data.py: {tmp_path / 'own'}: has no list.txt\n" in (
        told := capsys.readouterr().err
    )
    assert "mend: --corpus takes mini, or a folder that holds wavs, list.txt" in told
    (tmp_path / "own" / "list.txt").touch()
    assert run("--corpus", tmp_path / "own") == 0
    assert len(list((tmp_path / "own").iterdir())) == 2
    assert run.made == []


@pytest.fixture
def grown(monkeypatch):
    """Run the command of a recipe that has a corpus of any size, and one that has not."""
    made = []

    class Maker:
        @staticmethod
        def make(folder, downloads, **values):
            made.append(values)
            for name in NEEDED:
                (folder / name).touch()

    monkeypatch.setattr(stage.importlib, "import_module", lambda _: Maker)
    monkeypatch.setattr(stage, "setup_log", lambda: None)
    option = stage.Option("grown", "hours", 1.5, "of speech")
    both = {"made": ("mini", "grown"), "outputs": NEEDED, "needed": NEEDED, "options": [option]}

    def main(*words):
        return stage.main(list(map(str, words)), about="x", **both)

    main.made = made
    return main


def test_an_option_is_given_to_its_corpus_and_another_value_makes_it_again(grown, tmp_path):
    at = ("--downloads", tmp_path, "--corpus")
    assert grown(*at, "mini") == grown(*at, "grown") == grown(*at, "grown") == 0
    assert grown.made == [{}, {"hours": 1.5}]
    assert grown(*at, "grown", "--hours", "0.25") == grown(*at, "grown", "--hours", "0.25") == 0
    assert grown.made[2:] == [{"hours": 0.25}]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("mini", "--hours", "2"), "--hours is not for the corpus mini\n  mend: leave it out, or"),
        (("some/folder", "--hours", "2"), "--hours is not for the corpus some/folder"),
        (("grown", "--hours", "-1"), "--hours -1 is not above zero"),
        (("grown", "--hours", "nan"), "--hours nan is not above zero"),
        (("grown", "--hours", "inf"), "--hours inf is not above zero"),
    ],
)
def test_an_option_that_says_nothing_is_refused(grown, tmp_path, capsys, words, told):
    assert grown("--downloads", tmp_path, "--corpus", *words) == 1
    assert told in capsys.readouterr().err
    assert grown.made == []
