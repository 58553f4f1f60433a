from collections import Counter
from pathlib import Path

import pytest

from diffaudio.bin.main import main
from diffaudio.data import manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.data.validate import check_row
from diffaudio.files import write_json
from diffaudio.log import Refusal

SCRIPT = Path(__file__).parents[3] / "egs" / "ljspeech" / "local" / "data.py"


def test_rows_of_the_official_layout(local, folder):
    rows = {row["id"]: row for row in local.data.rows(folder)}
    assert len(rows) == 30
    assert rows["LJ001-0002"] | {"split": ""} == {
        "id": "LJ001-0002",
        "split": "",
        "audio": {"speech": "wavs/LJ001-0002.wav"},
        "text": 'He said "no" noo times.',  # quotes are a part of the text
        "raw": 'He said "no" 2 times.',
        "speaker": "LJ",
    }
    assert rows["LJ001-0003"]["text"] == rows["LJ001-0003"]["raw"] == "Only as written."
    assert rows["LJ001-0004"]["text"] == "Without the last"
    spec = AudioSpec(rate=22050, target="speech")
    assert [check_row(row, spec) for row in rows.values()] == 30 * [[]]


def test_a_corpus_that_was_made_says_who_speaks(local, folder):
    write_json(folder / "corpus.json", {"label": "x", "speaker": "allison"})
    assert {row["speaker"] for row in local.data.rows(folder)} == {"allison"}


FAULTS = {
    "fields": ("LJ001-0007|a|b|c", "metadata.csv, line 8: has 3 signs |, not one or two"),
    "no text": ("LJ001-0007| |b", "metadata.csv, line 8: has no text"),
    "empty line": ("", "metadata.csv, line 8: is blank"),
    "no bars": ("LJ001-0007,a,b", "metadata.csv, line 8: "),
    "twice": ("LJ001-0006|a|b", "metadata.csv, line 8: LJ001-0006 is also in line 7"),
    "latin": (b"LJ001-0007|caf\xe9|b", "metadata.csv, line 8: byte 15 is not UTF-8: save the file"),
    "no sound": ("LJ009-0007|a|b", r"metadata.csv, line 8: there is no wavs/LJ009-0007\.wav"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_table_is_named_with_its_line(local, folder, fault):
    line, told = FAULTS[fault]
    lines = (folder / "metadata.csv").read_bytes().splitlines()
    lines[7] = line if isinstance(line, bytes) else line.encode()
    (folder / "metadata.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(Refusal, match=told.replace("|", r"\|")):
        list(local.data.rows(folder))


def test_all_wrong_lines_are_named_at_once(local, folder):
    lines = (folder / "metadata.csv").read_text().splitlines()
    lines[3], lines[9] = "", lines[2]
    (folder / "metadata.csv").write_text("\n".join(lines))
    with pytest.raises(Refusal, match=r"line 4: is blank\n.*line 10: LJ\S+ is also in line 3"):
        list(local.data.rows(folder))
    lines[5] = lines[6] = ""
    (folder / "metadata.csv").write_text("\n".join(lines))
    with pytest.raises(Refusal, match=r"line 4: is blank, and 2 more like it\n.*line 10: "):
        list(local.data.rows(folder))


def test_an_id_that_is_written_otherwise_is_told_so(local, folder):
    table = folder / "metadata.csv"
    table.write_text(table.read_text().replace("LJ001-0005|", "LJ001-0005.wav|"))
    with pytest.raises(Refusal, match=r"write ids without folder and \.wav"):
        list(local.data.rows(folder))
    table.write_text(table.read_text().replace("LJ001-0005.wav|", "wavs/LJ001-0005.wav|"))
    with pytest.raises(Refusal, match=r"write ids without folder and \.wav"):
        list(local.data.rows(folder))
    table.write_text(table.read_text().replace("wavs/LJ001-0005.wav|", "LJ001-0005|"))
    (folder / "wavs/LJ001-0005.wav").rename(folder / "wavs/LJ001-0005.WAV")
    with pytest.raises(Refusal, match=r"wavs/LJ001-0005\.WAV is there"):
        list(local.data.rows(folder))


def test_a_byte_order_mark_is_no_part_of_the_first_id(local, folder):
    table = folder / "metadata.csv"
    wanted = list(local.data.rows(folder))
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    assert list(local.data.rows(folder)) == wanted


def test_recordings_that_are_missing_or_have_no_line_are_named(local, folder):
    for name in ("LJ001-0005", "LJ002-0001"):
        (folder / "wavs" / f"{name}.wav").rename(folder / "wavs" / f"{name}.flac")
    with pytest.raises(
        Refusal, match=r"line 6: there is no wavs/LJ001-0005\.wav, and 1 more"
    ) as said:
        list(local.data.rows(folder))
    assert "wavs/LJ001-0005.flac is there: convert the recordings to .wav" in str(said.value)
    lines = (folder / "metadata.csv").read_text().splitlines(keepends=True)
    (folder / "metadata.csv").write_text("".join(lines[:5] + lines[6:10] + lines[12:]))
    with pytest.raises(Refusal, match=r"wavs/LJ002-0000\.wav: has no line in metadata\.csv\n"):
        list(local.data.rows(folder))


def official(local, count=13100):
    line = local.data.Line
    return [line(i + 1, f"LJ{i // 300:03}-{i % 300:04}", "", f"text {i}") for i in range(count)]


def test_the_rule_gives_the_customary_sizes_and_no_text_to_two_splits(local):
    lines = official(local)
    lines[1] = local.data.Line(2, "LJ000-0001", "", "text 0")  # said twice
    split_of = local.data.by_rule(lines)
    assert Counter(split_of.values()) == {"test": 500, "valid": 100}
    assert not {"LJ000-0000", "LJ000-0001"} & set(split_of)
    chapters = {name[:5] for name, split in split_of.items() if split == "test"}
    assert len(chapters) == 44  # from everywhere
    assert local.data.by_rule(lines[::-1]) == split_of  # whatever their order
    assert list(split_of)[:2] == ["LJ007-0053", "LJ011-0289"]  # the same in every version


def test_a_smaller_folder_has_smaller_splits(local):
    assert Counter(local.data.by_rule(official(local, 300)).values()) == {"test": 12, "valid": 3}
    assert Counter(local.data.by_rule(official(local, 3)).values()) == {"test": 1, "valid": 1}


def test_lists_decide_where_there_are_any(local, folder):
    (folder / "test.txt").write_text("LJ001-0001\nDUMMY/LJ002-0004.wav|as Tacotron 2 has it\n")
    (folder / "valid.txt").write_text("LJ003-0009\n")
    split_of = {row["id"]: row["split"] for row in local.data.rows(folder)}
    held = {name: split for name, split in split_of.items() if split != "train"}
    assert held == {"LJ001-0001": "test", "LJ002-0004": "test", "LJ003-0009": "valid"}


@pytest.mark.parametrize(
    ("line", "told"),
    [("LJ001-0001", "'LJ001-0001' is listed twice"), ("LJ999", "'LJ999' is not in metadata.csv")],
)
def test_a_fault_in_a_list_is_named(local, folder, line, told):
    (folder / "test.txt").write_text("LJ001-0001\n")
    (folder / "valid.txt").write_text(f"LJ003-0009\n{line}\n")
    with pytest.raises(Refusal, match=f"valid.txt, line 2: {told}"):
        list(local.data.rows(folder))


def test_manifests_have_texts_and_a_text_in_two_splits_is_refused(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("diffaudio.bin.main.setup_log", lambda: None)
    monkeypatch.setattr(
        "diffaudio.data.corpus.run_tasks",
        lambda tasks, **_: [task.function(**task.arguments) for task in tasks],
    )
    (tmp_path / "x.yaml").write_text("audio: {rate: 16000, target: speech}\n")
    words = ["--config", tmp_path / "x.yaml", "--recipe", SCRIPT, "--corpus", folder]
    argv = ["manifest", *map(str, words), "--out", str(tmp_path / "data")]
    assert main(argv) == 0
    rows = [row for s in ("train", "valid", "test") for row in manifest.read(_split(tmp_path, s))]
    assert len(rows) == 30
    assert {"text", "raw", "speaker", "samples"} <= rows[0].keys()
    (folder / "test.txt").write_text("LJ001-0003\n")
    table = (folder / "metadata.csv").read_text()
    (folder / "metadata.csv").write_text(table.replace("Without the last", "Only as written."))
    (folder / "valid.txt").write_text("LJ001-0008\n")
    assert main([*argv, "--force"]) == 1
    assert "text Only as written. is also in train" in capsys.readouterr().err


def _split(tmp_path, name):
    return tmp_path / "data" / f"{name}.jsonl"


def test_hours_are_for_the_synthetic_corpus(local, tmp_path, capsys):
    assert local.data.main(["--corpus", "mini", "--hours", "2", "--downloads", str(tmp_path)]) == 1
    assert "--hours is not for the corpus mini" in capsys.readouterr().err
    assert local.data.main(["--corpus", "synthetic", "--hours", "0"]) == 1
    assert "--hours 0 is not above zero" in capsys.readouterr().err
