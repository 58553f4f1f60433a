import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diffaudio.bin.main import main
from diffaudio.data import manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.data.validate import check_row
from diffaudio.files import write_json

SCRIPT = Path(__file__).parents[3] / "egs" / "sc09" / "local" / "data.py"


@pytest.fixture
def official(local, tmp_path, speech):
    """A tiny corpus in the official layout: three speakers, one of them in each split."""
    root = tmp_path / "corpus"
    speakers = {"train": "0a7c2a8d", "valid": "1b4c9b89", "test": "ffd2ba2f"}
    lists = {split: [] for split in speakers}
    for number, word in enumerate([*local.data.WORDS, "marvin"]):
        (root / word).mkdir(parents=True)
        for split, speaker in speakers.items():
            name = f"{word}/{speaker}_nohash_{number % 3}.wav"
            x = speech(1.0, rate=16000, seed=number + ord(speaker[0]))
            soundfile.write(root / name, x, 16000, subtype="PCM_16")
            lists[split].append(f"{name}\n")
    (root / "_background_noise_").mkdir()
    soundfile.write(root / "_background_noise_" / "pink_noise.wav", np.zeros(99), 16000)
    (root / "validation_list.txt").write_text("".join(lists["valid"]))
    (root / "testing_list.txt").write_text("".join(lists["test"]))
    return root


def test_rows_of_the_official_corpus(local, official):
    rows = {row["id"]: row for row in local.data.rows(official)}
    assert len(rows) == 30  # marvin is no digit, pink noise no word
    assert rows["two_0a7c2a8d_nohash_2"] == {
        "id": "two_0a7c2a8d_nohash_2",
        "split": "train",
        "audio": {"speech": "two/0a7c2a8d_nohash_2.wav"},
        "label": "two",
        "speaker": "0a7c2a8d",
        "source": "real",
    }
    labels = [row["label"] for row in rows.values()]
    assert labels == [*local.data.WORDS] * 3  # in turn: --limit leaves every word
    by_speaker = {row["speaker"]: row["split"] for row in rows.values()}
    assert by_speaker == {"0a7c2a8d": "train", "1b4c9b89": "valid", "ffd2ba2f": "test"}
    spec = AudioSpec(rate=16000, target="speech")
    assert [check_row(row, spec) for row in rows.values()] == 30 * [[]]


def test_a_corpus_that_was_made_says_who_speaks(local, official):
    write_json(
        official / "speakers.json", {"ffd2ba2f": {"source": "synthetic", "voice": "flite-awb"}}
    )
    told = {row["speaker"]: (row["source"], row.get("voice")) for row in local.data.rows(official)}
    assert told["ffd2ba2f"] == ("synthetic", "flite-awb")
    assert told["0a7c2a8d"] == ("real", None)


def test_manifests_have_labels_and_a_speaker_in_two_splits_is_refused(
    official, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("diffaudio.bin.main.setup_log", lambda: None)
    monkeypatch.setattr(
        "diffaudio.data.corpus.run_tasks",
        lambda tasks, **_: [task.function(**task.arguments) for task in tasks],
    )
    (tmp_path / "x.yaml").write_text("audio: {rate: 16000, target: speech}\n")
    words = ["--config", tmp_path / "x.yaml", "--recipe", SCRIPT, "--corpus", official]
    argv = ["manifest", *map(str, words), "--out", str(tmp_path / "data")]
    assert main(argv) == 0
    first = next(manifest.read(tmp_path / "data" / "test.jsonl"))
    assert (first["label"], first["samples"]) == ("eight", 16000)
    names = (official / "testing_list.txt").read_text().splitlines()
    (official / "testing_list.txt").write_text("\n".join(names[1:]))
    assert main([*argv, "--force"]) == 1
    assert "speaker ffd2ba2f is also in train" in capsys.readouterr().err


def stage_0(*words, cwd):
    command = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_what_a_folder_lacks_is_named(official, tmp_path):
    (official / "testing_list.txt").unlink()
    done = stage_0("--corpus", str(official), cwd=tmp_path)
    assert done.returncode == 1
    assert f"local/data.py: {official}: has no testing_list.txt\n" in done.stderr
    assert not (tmp_path / "downloads").exists()
