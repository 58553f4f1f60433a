import sys

import pytest

PARTS = '''
from __future__ import annotations
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Act = Literal["silu", "gelu"]

class Net(ABC):
    @abstractmethod
    def size(self): ...

class Wide(Net):
    def __init__(self, a: int, b: int, c: int, *, width: int = 32, act: Act = "silu"):
        if width % 2:
            raise ValueError(f"width: {width} is odd")
        self.seen = (a, b, c, width, act)
    def size(self): return self.seen

class Deep(Net):
    def __init__(self, a: int, b: int, c: int, *, depth: int, inner: Shape | None = None):
        self.seen = (a, b, c, depth)
    def size(self): return self.seen

class Shape(ABC):
    @abstractmethod
    def at(self): ...

class Line(Shape):
    def __init__(self, *, t_max: float = 80.0):
        self.t_max = t_max
    def at(self): return self.t_max

class Curve(Shape):
    def __init__(self, *, t_max: float = 1.0, bend: float = 0.5):
        self.t_max = t_max
    def at(self): return self.t_max

@dataclass(frozen=True)
class Band:
    """Frequencies that count."""
    low: int = 0

@dataclass(frozen=True)
class Audio:
    """What is heard.

    Args:
        rate: in Hz.
        target: the role that is learnt.
    """
    rate: int
    target: str
    given: str | None = None
    floor: float = 0.2
    loud: bool = False
    pair: tuple[int, int] = (1, 2)
    where: Path = Path("here")
    band: Band = Band()

class Model:
    def __init__(self, *, net: Callable[[int, int, int], Net], shape: Shape, dropout: float = 0.0):
        self.net, self.shape, self.dropout = net(1, 2, 3), shape, dropout

class Drawing:
    def __init__(self, *, shapes: list[Shape]):
        self.shapes = shapes
'''
GOOD = """\
audio:
  rate: 16000
  target: clean
model:
  net:
    class_path: Wide
    init_args:
      width: 64
  shape: Line
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Return a module as a recipe would bring it: found through the working directory."""
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "soundparts.py").write_text(PARTS)
    sys.path.append(str(folder))
    import soundparts

    yield soundparts
    sys.path.remove(str(folder))


@pytest.fixture
def read(parts, tmp_path, monkeypatch):
    """Return a function that parses YAML texts and arguments for the sections audio and model."""
    from diffaudio.config import parse

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*texts, args=(), sections=None):
        argv = []
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.yaml").write_text(text)
            argv += ["--config", f"{number}.yaml"]
        sections = sections or {"audio": parts.Audio, "model": parts.Model}
        return parse(
            [*argv, *args],
            prog="diffaudio test",
            description="A test.",
            sections=sections,
            options=lambda parser: parser.add_argument("--nj", type=int, default=3),
        )

    return run


def test_sections_are_built_and_flattened(read, parts):
    config = read(GOOD)
    assert config.build(parts.Audio).rate == 16000
    model = config.build(parts.Model)
    assert model.net.size() == (1, 2, 3, 64, "silu")
    assert model.shape.at() == 80.0
    assert config.options.nj == 3
    assert config.keys("audio")["audio.rate"] == 16000
    assert config.keys("model") == {
        "model.net": "soundparts.Wide",
        "model.net.width": 64,
        "model.net.act": "silu",
        "model.shape": "soundparts.Line",
        "model.shape.t_max": 80.0,
        "model.dropout": 0.0,
    }


def test_a_list_of_parts_is_built_and_its_section_stays_plain(read, parts):
    text = "model: {shapes: [Line, {class_path: Curve, init_args: {bend: 2.0}}]}"
    config = read(text, sections={"model": parts.Drawing})
    keys = config.keys("model")
    assert [shape.at() for shape in config.build(parts.Drawing).shapes] == [80.0, 1.0]
    assert config.keys("model") == keys
    assert (keys["model.shapes.1"], keys["model.shapes.1.bend"]) == ("soundparts.Curve", 2.0)
    assert read(config.text(), sections={"model": parts.Drawing}).keys("model") == keys


def test_a_key_is_usual_if_it_might_as_well_be_left_out(read, parts):
    text = """\
audio: {rate: 16000, target: clean, loud: true, pair: [1, 2]}
model:
  net: {class_path: Deep, init_args: {depth: 2, inner: {class_path: Curve, init_args: {bend: 1}}}}
  shape: {class_path: Curve, init_args: {bend: 0.25, t_max: 1}}
score: {shapes: [Line, {class_path: Curve, init_args: {bend: 1}}]}
"""
    sections = {"audio": parts.Audio, "model": parts.Model, "score": parts.Drawing}
    config = read(text, sections=sections)
    names = [*config.keys(*sections), "data.sha256"]
    assert {name for name in names if config.usual(name)} == {
        *("audio.given", "audio.floor", "audio.pair", "audio.where", "audio.band.low"),
        *("model.net.inner.t_max", "model.shape.t_max", "model.dropout"),
        *("score.shapes.0.t_max", "score.shapes.1.t_max"),
    }


def test_numbers_in_scientific_notation_are_numbers(read, parts):
    assert read(GOOD.replace("target", "floor: 1e-4\n  target")).build(parts.Audio).floor == 1e-4
    for word in ("2e-5", "-1e-3", "-1.5e0", "-.5", "-7"):
        assert read(GOOD, args=["--audio.floor", word]).build(parts.Audio).floor == float(word)


def test_the_command_line_wins_wherever_it_stands(read, parts):
    config = read(GOOD, args=["--audio.rate=8000", "--model.net.init_args.width", "8", "--nj", "5"])
    assert config.build(parts.Audio).rate == 8000
    assert config.keys("model")["model.net.width"] == 8
    assert config.options.nj == 5
    short = read(GOOD, args=["--model.net.width", "10", "--model.shape", "Curve"])
    assert short.keys("model")["model.net.width"] == 10
    assert short.keys("model")["model.shape.bend"] == 0.5


def test_later_files_are_laid_over_earlier_ones(read, parts):
    config = read(
        GOOD,
        "model: {shape: {class_path: Curve, init_args: {bend: 0.25}}}",
        "model: {shape: {init_args: {t_max: 2}}}\naudio: {rate: 22050}",
    )
    keys = config.keys("audio", "model")
    assert keys["model.shape"] == "soundparts.Curve"
    assert (keys["model.shape.bend"], keys["model.shape.t_max"]) == (0.25, 2.0)
    assert (keys["audio.rate"], keys["audio.target"], keys["model.net.width"]) == (
        22050,
        "clean",
        64,
    )


def test_sections_of_other_commands_are_left_alone_and_kept(read, parts):
    config = read(GOOD + "train: {nonsense: 3}\n", sections={"audio": parts.Audio})
    assert set(config.sections) == {"audio"}
    assert "nonsense: 3" in config.text()
    assert "class_path: Wide" in config.text()


def test_what_is_saved_is_read_back_identically(read, tmp_path):
    first = read(GOOD + "train: {lr: 1e-4}\n", args=["--audio.given", "no"])
    first.save(tmp_path / "saved.yaml")
    again = read((tmp_path / "saved.yaml").read_text())
    assert again.sections == first.sections
    assert again.text() == first.text()
    assert again.keys("audio")["audio.given"] == "no"


def test_print_config_prints_what_save_writes(read, capsys):
    with pytest.raises(SystemExit) as stop:
        read(GOOD, args=["--print_config", "--audio.rate", "8000"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == read(GOOD, args=["--audio.rate", "8000"]).text()


def test_help_shows_the_docstrings(read, capsys):
    with pytest.raises(SystemExit) as stop:
        read(args=["--help"])
    assert stop.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "the role that is learnt" in shown
    assert "--audio.band.low" in shown
    assert "--audio CONFIG" not in shown


def test_a_recipe_brings_its_own_class(read, parts, tmp_path, monkeypatch):
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "nets.py").write_text(
        "from soundparts import Net\n"
        "class Mine(Net):\n"
        "    def __init__(self, a: int, b: int, c: int, *, knots: int = 5):\n"
        "        self.knots = knots\n"
        "    def size(self):\n"
        "        return self.knots\n"
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == "local"]:
        monkeypatch.delitem(sys.modules, name)
    config = read(GOOD.replace("Wide", "local.nets.Mine").replace("width: 64", "knots: 7"))
    assert config.build(parts.Model).net.size() == 7
    assert config.keys("model")["model.net"] == "local.nets.Mine"
    for name in [name for name in sys.modules if name.partition(".")[0] == "local"]:
        monkeypatch.delitem(sys.modules, name)


def test_what_a_constructor_refuses_is_a_refusal(read, parts):
    from diffaudio.log import Refusal

    config = read(GOOD.replace("64", "63"))
    with pytest.raises(Refusal, match="section model: width: 63 is odd"):
        config.build(parts.Model)


SHELL = "class_path: os.system\n    init_args:\n      command: touch pwned"
MISTAKES = {
    "section is a number": ("7: {}\n", (), "line 10: no section 7", "one of"),
    "section is nothing": ("null: {}\n", (), "no section None", "one of"),
    "unknown section": ("modle: {}\n", (), "0.yaml, line 10: no section 'modle'", "model?"),
    "section is a value": ("train: 3\n", (), "line 10: train: expected keys and values, got 3", ""),
    "unknown key": (("rate:", "rat:"), (), "line 2: audio.rat: no such option", "audio.rate?"),
    "missing key": (("rate: 16000\n  ", ""), (), "line 1: audio.rate: missing", "--audio.rate"),
    "null for a number": (("16000", "null"), (), "line 2: audio.rate: missing", "--audio.rate"),
    "word for a number": (("16000", "fast"), (), "line 2: audio.rate: expected int, got fast", ""),
    "fraction for a count": (("16000", "1.5"), (), "audio.rate: expected int, got 1.5", ""),
    "bool for a number": (("16000", "true"), (), "audio.rate: expected int, got True", ""),
    "ambiguous bool": (("rate", "loud: no\n  rate"), (), "audio.loud: no means", "quote it"),
    "octal": (("16000", "016000"), (), "line 2: audio.rate: 016000 means", "quote it"),
    "sexagesimal": (("16000", "12:30:45"), (), "line 2: audio.rate: 12:30:45 means", "quote it"),
    "duplicate": (("target", "rate: 3\n  target"), (), "line 3: audio.rate: given twice", "one"),
    "number for optional text": (
        ("rate", "given: 3\n  rate"),
        (),
        "audio.given: expected str or null, got 3",
        "",
    ),
    "short tuple": (("rate", "pair: [1]\n  rate"), (), "audio.pair: expected tuple with 2", ""),
    "unknown option of a class": (
        ("width: 64", "widht: 64"),
        (),
        "line 8: model.net.widht: no such option",
        "did you mean model.net.width?",
    ),
    "mistyped option of a class": (
        ("width: 64", "width: 1e-4"),
        (),
        "line 8: model.net.width: expected int, got 0.0001",
        "",
    ),
    "choice": (("width: 64", "act: sil"), (), "expected Literal['silu', 'gelu'], got sil", ""),
    "missing option of a class": (
        ("class_path: Wide\n    init_args:\n      width: 64", "class_path: Deep"),
        (),
        "model.net.depth: missing",
        "--model.net.depth",
    ),
    "forgotten init_args": (
        ("init_args:\n      width: 64", "width: 64"),
        (),
        "model.net: options beside class_path",
        "init_args",
    ),
    "unknown class": (("Wide", "Wied"), (), "line 5: model.net: no class Wied", "mean Wide?"),
    "unknown module": (("Wide", "no.Wide"), (), "model.net: No module named 'no'", "Wide"),
    "class of another kind": (("Wide", "soundparts.Line"), (), "subclass of", "Wide"),
    "abstract class": (("shape: Line", "shape: soundparts.Shape"), (), "model.shape: ", ""),
    "command in place of a class": (
        ("class_path: Wide\n    init_args:\n      width: 64", SHELL),
        (),
        "model.net: os.system is not a class",
        "",
    ),
    "override of an unknown key": ("", ("--audio.rat", "7"), "--audio.rat: no such", "audio.rate?"),
    "override of the wrong type": ("", ("--audio.rate", "x"), "command line: audio.rate: ", ""),
    "override below a class": ("", ("--model.net.widt", "7"), "line: model.net.widt", "width?"),
    "override of another section": ("", ("--train.lr", "7"), "no section train", "audio, model"),
    "unknown flag": ("", ("--njj", "7"), "--njj: no such option", "nj?"),
    "stray word": ("", ("stray",), "unexpected argument 'stray'", ""),
    "flag without value": ("", ("--nj",), "--nj: expected one argument", ""),
    "config without value": ("", ("--config",), "--config: expected one argument", ""),
    "a file for one section": ("", ("--audio", "x.yaml"), "--audio: a group", "--config"),
    "a section in one value": ("", ("--audio={rate: 3}",), "--audio: a group", "--audio.KEY"),
    "a file for a group inside": ("", ("--audio.band", "x.yaml"), "--audio.band: a group", ".KEY"),
    "duplicate in a value": (
        "",
        ("--model.net", "{class_path: Wide, init_args: {width: 2, width: 4}}"),
        "command line, line 1: width: given twice",
        "keep one",
    ),
    "no such file": ("", ("--config", "none.yaml"), "none.yaml: cannot be read", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_named_with_place_and_mend(read, name):
    from diffaudio.log import Refusal

    change, args, message, mend = MISTAKES[name]
    text = GOOD + change if isinstance(change, str) else GOOD.replace(*change, 1)
    assert change == "" or text != GOOD
    with pytest.raises(Refusal) as caught:
        read(text, args=args)
    assert message in caught.value.message
    assert mend in caught.value.mend
    assert "\n" not in caught.value.message
