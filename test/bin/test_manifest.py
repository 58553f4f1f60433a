import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from diffaudio import provenance
from diffaudio.bin.main import main
from diffaudio.data import audio, corpus, manifest
from diffaudio.data.problem import MENDS
from diffaudio.files import read_json
from diffaudio.log import log

RECIPE = """
DISJOINT = {"test": ["speaker"]}

def rows(corpus):
    for path in sorted((corpus / "clean").glob("**/*.wav")):
        name = path.relative_to(corpus / "clean")
        split = "test" if name.stem.startswith("t") else "train"
        files = {"clean": f"clean/{name}", "noisy": f"noisy/{name}"}
        yield {"id": name.stem, "split": split, "audio": files, "speaker": name.stem[0]}
"""
CONFIG = "audio: {rate: 8000, target: clean, given: noisy, max_seconds: 5}\nshard: {items: 3}\n"


@pytest.fixture
def run(tmp_path, monkeypatch, speech, capsys):
    """Return a function that runs `diffaudio manifest` on a small corpus, which tests spoil."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("diffaudio.bin.main.setup_log", lambda: None)  # leaves caplog its messages
    monkeypatch.setattr(log, "handlers", [])  # of another test, whose stream is closed
    monkeypatch.setattr(
        corpus, "run_tasks", lambda tasks, **_: [t.function(**t.arguments) for t in tasks]
    )
    for number in range(6):
        name = f"{'t' if number > 3 else 'a'}{number}.wav"
        x = speech(1.0, seed=number)
        audio.save(tmp_path / "corpus" / "clean" / name, x, 8000)
        audio.save(tmp_path / "corpus" / "noisy" / name, x + 0.01, 8000)
    (tmp_path / "data.py").write_text(RECIPE)
    (tmp_path / "x.yaml").write_text(CONFIG)

    def command(*words):
        status = main(
            ["manifest", "--config", "x.yaml", "--recipe", "data.py", "--corpus", "corpus"]
            + ["--out", "data", *words]
        )
        return status, capsys.readouterr().err

    return command


def reasons():
    lines = Path("data/problems.jsonl").read_text().splitlines()
    return {json.loads(line)["reason"] for line in lines}


def test_a_good_corpus(run, tmp_path):
    status, _ = run()
    assert status == 0
    assert [row["id"] for row in manifest.read(tmp_path / "data/train.jsonl")] == [
        "a0",
        "a1",
        "a2",
        "a3",
    ]
    about = read_json(tmp_path / "data/corpus.json")
    assert about["label"] == "corpus"
    assert about["root"] == "../corpus"  # it moves with the recipe
    assert manifest.root(tmp_path / "data") == tmp_path / "corpus"
    assert provenance.state(tmp_path / "data") == ("done", "")


def spoil(role, change):
    def apply():
        x, rate = audio.load(f"corpus/{role}/a1.wav")
        path = Path(f"corpus/{role}/a1.wav")
        audio.save(path, *change(x, rate))

    return apply


def recipe(old, new):
    return lambda: write("data.py", RECIPE.replace(old, new))


def write(path, text):
    Path(path).write_text(text)


def cut():
    os.truncate("corpus/noisy/a1.wav", 1000)


def not_finite():
    import soundfile

    soundfile.write("corpus/noisy/a1.wav", np.full(8000, np.nan), 8000, subtype="FLOAT")


EVERY_REASON = {
    "missing": lambda: Path("corpus/noisy/a1.wav").unlink(),
    "unreadable": lambda: write("corpus/noisy/a1.wav", "this is text"),
    "truncated": cut,
    "empty": lambda: write("corpus/noisy/a1.wav", ""),
    "wrong rate": spoil("noisy", lambda x, _: (x, 4000)),
    "wrong channels": lambda: write("x.yaml", CONFIG.replace("rate", "channels: 2, rate")),
    "too short": spoil("clean", lambda x, rate: (x[:100], rate)),
    "too long": spoil("clean", lambda x, rate: (np.tile(x, (6, 1)), rate)),
    "not finite": not_finite,
    "silent": spoil("clean", lambda x, rate: (0 * x, rate)),
    "clipped": spoil("noisy", lambda x, rate: (np.clip(40 * x, -1, 1), rate)),
    "dc offset": spoil("noisy", lambda x, rate: (x + 0.2, rate)),
    "rate mismatch": spoil("noisy", lambda x, _: (np.repeat(x, 2, axis=0), 16000)),
    "channel mismatch": spoil("noisy", lambda x, rate: (np.tile(x, (1, 2)), rate)),
    "length mismatch": spoil("noisy", lambda x, rate: (x[:-5], rate)),
    "delay mismatch": spoil("noisy", lambda x, rate: (np.roll(x, 50, axis=0), rate)),
    "bad row": recipe('"split": split', '"split": None'),
    "bad id": recipe('"id": name.stem', '"id": name.name'),
    "bad path": recipe("clean/{name}", "../clean/{name}"),
    "bad text": recipe('"audio": files', '"text": "caf\\udce9", "audio": files'),
    "bad times": recipe('"audio": files', '"start": 3, "end": 2, "audio": files'),
    "duplicate id": recipe("name.stem, ", 'name.stem[0] + "x", '),
    "split overlap": recipe("name.stem[0]}", '"everyone"}'),
}


def test_every_reason_has_a_case():
    assert set(EVERY_REASON) == set(MENDS)


@pytest.mark.parametrize("reason", EVERY_REASON)
def test_a_problem_is_named_with_its_mend_and_the_command_fails(run, reason):
    EVERY_REASON[reason]()
    status, said = run()
    assert status == 1
    assert reason in reasons()
    assert f"  {reason} (" in said
    assert MENDS[reason] in said
    assert not Path("data/train.jsonl").exists()
    assert provenance.state(Path("data"))[0] == "unfinished"


def test_names_that_break_shells_are_listed_and_rejected_by_id_only(run, tmp_path):
    x, _ = audio.load(tmp_path / "corpus/clean/a0.wav")
    odd = ["with space", "quo\"te'", "$(touch y)", "new\nline", "🎵", "-dash"]
    for name in odd:
        for role in ("clean", "noisy"):
            audio.save(tmp_path / "corpus" / role / f"{name}.wav", x, 8000)
    write("data.py", RECIPE.replace('"id": name.stem', '"id": name.stem.encode().hex()'))
    status, _ = run()
    assert status == 0
    files = {row["audio"]["clean"] for row in manifest.read(tmp_path / "data/train.jsonl")}
    assert {f"clean/{name}.wav" for name in odd} <= files


def test_the_second_run_is_up_to_date(run, caplog):
    run()
    caplog.clear()
    caplog.set_level("INFO")
    write("corpus/.lock", "of a stage 0 that was run again")
    assert run()[0] == 0
    assert caplog.messages == ["data: up to date"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: write("x.yaml", CONFIG.replace("8000", "4000")), "audio.rate: 8000 -> 4000"),
        (lambda: write("data.py", RECIPE + "\n"), "input data.py changed"),
        (lambda: write("corpus/new.txt", "x"), "input corpus changed"),
    ],
)
def test_what_changed_is_named_and_done_again(run, caplog, change, said):
    run()
    caplog.clear()
    caplog.set_level("INFO")
    change()
    assert run()[0] == 0
    assert caplog.messages[0] == f"data: {said}"
    assert any(message.startswith("train 4 items") for message in caplog.messages)


def test_force_and_limit(run, caplog):
    run()
    caplog.clear()
    caplog.set_level("INFO")
    assert run("--limit", "1")[0] == 0
    assert caplog.messages[0] == "data: limit: 0 -> 1"
    assert {"train 1 items, 0.00 h, 1 speaker, 8 kHz"} <= set(caplog.messages)
    caplog.clear()
    assert run("--limit", "1", "--force")[0] == 0
    assert caplog.messages[0] == "data: --force"


def test_a_limit_that_replaces_more_is_said(run, caplog):
    run("--limit", "1")
    assert "replaces" not in caplog.text
    run()
    run("--limit", "2")
    assert "data: --limit 2 replaces manifests of up to 4 items" in caplog.text
    caplog.clear()
    run("--limit", "2", "--force")
    assert "replaces" not in caplog.text


def test_another_corpus_of_the_same_name_does_not_take_its_place(run, caplog):
    run()
    shutil.copytree("corpus", "elsewhere/corpus")
    assert run("--corpus", "elsewhere/corpus")[0] == 0  # the same files: it is no other
    assert "data: up to date" in caplog.text
    write("elsewhere/corpus/note.txt", "of another")
    status, said = run("--corpus", "elsewhere/corpus")
    assert status == 1
    assert "data: was made from corpus, not from elsewhere/corpus" in said
    assert "--tag" in said
    assert run("--corpus", "elsewhere/corpus", "--force")[0] == 0


def test_a_corpus_may_name_itself(run, tmp_path):
    write("corpus/corpus.json", '{"label": "tiny (synthetic)"}')
    run()
    assert read_json(tmp_path / "data/corpus.json")["label"] == "tiny (synthetic)"


def test_a_corpus_that_stage_0_has_not_finished_is_refused(run, tmp_path):
    provenance.begin(tmp_path / "corpus", stage="corpus", version=1, keys={}, inputs={})
    status, said = run()
    assert status == 1
    assert "corpus: the corpus is not complete" in said
    assert "run stage 0 again" in said


def test_no_corpus_and_no_recipe(run):
    status, said = run("--corpus", "nowhere")
    assert (status, "nowhere: no such corpus folder" in said) == (1, True)
    status, said = run("--recipe", "nothing.py")
    assert (status, "nothing.py: no such recipe" in said) == (1, True)
    write("data.py", "x = 1")
    status, said = run()
    assert (status, "data.py: has no rows(corpus)" in said) == (1, True)


def test_an_error_in_rows_is_told_with_its_line(run):
    Path("corpus/text.csv").write_bytes(b"caf\xe9\n")
    write("data.py", RECIPE + '        (corpus / "text.csv").read_text(encoding="utf-8")\n')
    status, said = run()
    assert status == 1
    assert "data.py: rows() failed: UnicodeDecodeError" in said
    assert "0xe9" in said
    assert 'in line 10: (corpus / "text.csv").read_text(encoding="utf-8")' in said
    assert "mend: correct rows(); text that is not UTF-8" in said
    write("data.py", "def rows(corpus):\n    yield {}['clean']\n")
    _, said = run()
    assert "data.py: rows() failed: KeyError: 'clean'" in said
    assert "UTF-8" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def rows(corpus)\n    pass\n", "data.py: cannot be imported: SyntaxError"),
        ("x = 1\nimport no_such_package\n", "in line 2: import no_such_package"),
        ("rows = 3\n", "data.py: has no rows(corpus), rows is 3"),
        ("def rows(corpus):\n    return None\n", "data.py: rows() returned None"),
        (RECIPE.replace('["speaker"]', '"speaker"'), "data.py: DISJOINT is {'test': 'speaker'}"),
        (RECIPE.replace('{"test"', '{"tset"'), "DISJOINT: no row is of the split 'tset'"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_told_in_one_block(run, text, said):
    write("data.py", text)
    status, told = run()
    assert status == 1
    assert said in told
    assert "mend:" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--limit", "-1"), "--limit -1: is negative"),
        (("--nj", "0"), "--nj 0: at least one job"),
        (("--max_reject", "1.5"), "--max_reject 1.5: is not a share"),
        (("--max_reject", "-0.1"), "--max_reject -0.1: is not a share"),
        (("--config", "nope.yaml"), "nope.yaml: cannot be read"),
    ],
)
def test_numbers_and_files_that_make_no_sense_are_refused_before_anything(run, words, said):
    status, told = run(*words)
    assert status == 1
    assert said in told
    assert "mend:" in told
    assert not Path("data").exists()


def test_a_file_where_the_folder_should_be(run):
    write("data", "a file")
    status, told = run()
    assert status == 1
    assert "data: cannot be written in (File exists)" in told


def test_a_corpus_json_of_the_corpus_own_is_left_alone(run, tmp_path):
    for text in ('{"name": "mine"}', "[1]", "no JSON"):
        write("corpus/corpus.json", text)
        assert run()[0] == 0
        assert read_json(tmp_path / "data/corpus.json")["label"] == "corpus"


def test_the_only_test_row_is_bad(run):
    Path("corpus/clean/t5.wav").unlink()
    Path("corpus/noisy/t5.wav").unlink()
    write("corpus/noisy/t4.wav", "")
    status, told = run()
    assert status == 1
    assert "test: 1 of 1 rows" in told
    assert "nothing is left of test" in told


def test_code_that_the_recipe_imports_is_an_input(run, caplog, monkeypatch):
    caplog.set_level("INFO")
    write("helper_of_rows.py", "NAME = 1\n")
    write("data.py", "import helper_of_rows\n" + RECIPE)
    run()
    write("helper_of_rows.py", "NAME = 2\n")
    caplog.clear()
    monkeypatch.delitem(sys.modules, "helper_of_rows")
    assert run()[0] == 0
    assert caplog.messages[0] == "data: input helper_of_rows.py changed"


def test_a_manifest_that_is_gone_is_written_again(run, caplog):
    run()
    caplog.set_level("INFO")
    caplog.clear()
    Path("data/test.jsonl").unlink()
    assert run()[0] == 0
    assert caplog.messages[0] == "data: data/test.jsonl is gone"
    assert Path("data/test.jsonl").is_file()


def test_a_change_in_a_linked_folder_is_seen(run, caplog):
    Path("corpus/noisy").rename("elsewhere")
    Path("corpus/noisy").symlink_to("../elsewhere", target_is_directory=True)
    Path("corpus/loop").symlink_to(".", target_is_directory=True)
    run()
    caplog.set_level("INFO")
    caplog.clear()
    os.utime("elsewhere/a1.wav", (1, 1))
    assert run()[0] == 0
    assert caplog.messages[0] == "data: input corpus changed"


def test_the_folder_of_the_command_does_not_matter(run, caplog, monkeypatch, tmp_path):
    run()
    caplog.set_level("INFO")
    caplog.clear()
    monkeypatch.chdir("/")
    words = ["--config", "x.yaml", "--recipe", "data.py", "--corpus", "corpus", "--out", "data"]
    paths = [word if word.startswith("--") else str(tmp_path / word) for word in words]
    assert main(["manifest", *paths]) == 0
    assert caplog.messages == [f"{tmp_path}/data: up to date"]
