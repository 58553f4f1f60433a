import subprocess
import sys
import types
from pathlib import Path

import pytest

from diffaudio import __version__
from diffaudio.bin import main as entry
from diffaudio.log import Refusal

COMMAND = [sys.executable, "-m", "diffaudio"]


@pytest.fixture
def verb(monkeypatch):
    """Return a function that puts a stand-in for `diffaudio train` in place."""

    def install(run):
        module = types.ModuleType("diffaudio.bin.train")
        module.main = run
        monkeypatch.setitem(sys.modules, "diffaudio.bin.train", module)

    return install


def refuse():
    raise Refusal("a.wav: 8000 Hz", mend="resample it", code=7)


def interrupt():
    raise KeyboardInterrupt


def test_help_names_every_verb_and_every_verb_exists(capsys):
    assert entry.main(["--help"]) == 0
    text = capsys.readouterr().out
    folder = Path(entry.__file__).parent
    for name, line in entry.VERBS.items():
        assert f"  {name} " in text
        assert line in text
        assert (folder / f"{name}.py").is_file()


def test_the_verb_gets_the_other_arguments_and_gives_the_status(verb):
    seen = []
    verb(lambda argv: seen.append(argv) or 5)
    assert entry.main(["train", "--exp", "x", "--help"]) == 5
    assert seen == [["--exp", "x", "--help"]]


def test_a_refusal_is_one_block_and_its_code(verb, capsys):
    verb(lambda argv: refuse())
    assert entry.main(["train"]) == 7
    assert capsys.readouterr().err == "diffaudio train: a.wav: 8000 Hz\n  mend: resample it\n"


def test_an_interrupt_has_the_status_of_a_signal(verb, capsys):
    verb(lambda argv: interrupt())
    assert entry.main(["train"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_an_unknown_verb_is_named_with_a_suggestion(capsys):
    assert entry.main(["trian"]) == 2
    assert capsys.readouterr().err == (
        "diffaudio trian: no such command\n  mend: did you mean train?\n"
    )
    assert entry.main(["frobnicate"]) == 2
    assert "one of: manifest, shard" in capsys.readouterr().err


def test_nothing_is_asked_and_the_version(capsys):
    assert entry.main([]) == 2
    assert "usage: diffaudio VERB" in capsys.readouterr().out
    assert entry.main(["--version"]) == 0
    assert capsys.readouterr().out == f"diffaudio {__version__}\n"


def test_an_error_of_the_system_is_one_line_with_the_file(verb, capsys, tmp_path):
    verb(lambda argv: (tmp_path / "gone.wav").read_bytes())
    assert entry.main(["train"]) == 1
    said = capsys.readouterr().err
    assert said == f"diffaudio train: {tmp_path}/gone.wav: No such file or directory\n"


def test_the_status_reaches_the_shell():
    done = subprocess.run([*COMMAND, "nothing"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("diffaudio nothing: no such command")


def test_a_reader_that_leaves_is_no_error(tmp_path):
    for number in range(300):
        folder = tmp_path / f"{'x' * 200}{number}"
        folder.mkdir()
        (folder / ".stage.json").write_text(
            '{"finished": null, "stage": "a", "version": 1, "keys": {}, "inputs": {}}'
        )
    status = subprocess.Popen(
        [*COMMAND, "status", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    status.stdout.read(10)
    status.stdout.close()
    assert status.stderr.read() == b""
    assert status.wait() == 0


def test_help_and_job_modules_import_no_torch():
    code = (
        "import sys; import diffaudio, diffaudio.bin.main, diffaudio.config, diffaudio.jobs\n"
        "import diffaudio.cluster, diffaudio.provenance, diffaudio.bin.status\n"
        "sys.exit(' '.join({'torch', 'webdataset', 'dask'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
