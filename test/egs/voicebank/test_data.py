import subprocess
import sys
from pathlib import Path

import pytest

from diffaudio.bin.main import main
from diffaudio.data import audio, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.data.validate import check_row
from diffaudio.files import write_json

SCRIPT = Path(__file__).parents[3] / "egs" / "voicebank" / "local" / "data.py"


@pytest.fixture
def official(tmp_path, speech):
    """A tiny corpus in the official layout: 48 kHz, 16 bit, four speakers, log files."""
    root = tmp_path / "corpus"
    sets = {"trainset_28spk": ["p226_001", "p287_003", "p230_001", "p230_002"]}
    sets["testset"] = ["p232_001", "p257_002"]
    for name, utterances in sets.items():
        for number, utterance in enumerate(utterances):
            x = speech(0.5, rate=48000, seed=number)
            audio.save(root / f"clean_{name}_wav" / f"{utterance}.wav", x, 48000)
            audio.save(root / f"noisy_{name}_wav" / f"{utterance}.wav", x + 0.01, 48000)
        lines = [f"{utterance} cafe 7.5\n" for utterance in utterances]
        (root / f"log_{name}.txt").write_text("".join(lines))
    return root


def test_rows_of_the_official_corpus(local, official):
    rows = {row["id"]: row for row in local.data.rows(official)}
    assert {name: row["split"] for name, row in rows.items()} == {
        "p226_001": "valid",
        "p287_003": "valid",
        "p230_001": "train",
        "p230_002": "train",
        "p232_001": "test",
        "p257_002": "test",
    }
    assert rows["p230_001"] == {
        "id": "p230_001",
        "split": "train",
        "audio": {
            "clean": "clean_trainset_28spk_wav/p230_001.wav",
            "noisy": "noisy_trainset_28spk_wav/p230_001.wav",
        },
        "speaker": "p230",
        "noise": "cafe",
        "snr": 7.5,
    }
    spec = AudioSpec(rate=16000, target="clean", given="noisy")
    assert [check_row(row, spec) for row in rows.values()] == 6 * [[]]


def test_a_corpus_that_was_made_names_its_validation_utterances(local, official):
    write_json(official / "corpus.json", {"label": "x", "valid": ["p230_002"]})
    (official / "log_testset.txt").unlink()  # and log files may be absent
    splits = {row["id"]: row["split"] for row in local.data.rows(official)}
    assert [name for name, split in splits.items() if split == "valid"] == ["p230_002"]


def test_a_recording_without_its_partner_is_listed(local, official):
    (official / "noisy_testset_wav" / "p232_001.wav").unlink()
    (official / "clean_testset_wav" / "p257_002.wav").unlink()
    tested = [row["id"] for row in local.data.rows(official) if row["split"] == "test"]
    assert tested == ["p232_001", "p257_002"]


def test_manifests_of_the_official_corpus(official, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("diffaudio.bin.main.setup_log", lambda: None)
    monkeypatch.setattr(
        "diffaudio.data.corpus.run_tasks",
        lambda tasks, **_: [task.function(**task.arguments) for task in tasks],
    )
    caplog.set_level("INFO")
    (tmp_path / "x.yaml").write_text("audio: {rate: 16000, target: clean, given: noisy}\n")
    words = ["--config", tmp_path / "x.yaml", "--recipe", SCRIPT, "--corpus", official]
    assert main(["manifest", *map(str, words), "--out", str(tmp_path / "data")]) == 0
    assert set(caplog.messages[1:]) == {
        "train 2 items, 0.00 h, 1 speaker, 48 kHz (shards: resampled to 16 kHz)",
        "valid 2 items, 0.00 h, 2 speakers, 48 kHz (shards: resampled to 16 kHz)",
        "test 2 items, 0.00 h, 2 speakers, 48 kHz (shards: resampled to 16 kHz)",
    }
    first = next(manifest.read(tmp_path / "data" / "test.jsonl"))
    assert (first["rate"], first["samples"]) == (48000, 24000)


def stage_0(*words, cwd):
    command = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_a_folder_of_ones_own_is_used_as_it_is(official, tmp_path):
    before = sorted(official.rglob("*"))
    done = stage_0("--corpus", str(official), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{official}\n")
    assert sorted(official.rglob("*")) == before
    assert not (tmp_path / "downloads").exists()


def test_what_a_folder_lacks_is_named(official, tmp_path):
    for path in (official / "noisy_testset_wav").iterdir():
        path.unlink()
    (official / "noisy_testset_wav").rmdir()
    done = stage_0("--corpus", str(official), cwd=tmp_path)
    assert done.returncode == 1
    assert f"local/data.py: {official}: has no noisy_testset_wav\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_label_of_each_corpus_that_is_made_says_what_it_is(local):
    assert "not VoiceBank-DEMAND" in local.mini.LABEL
    assert "synthetic" in local.synthetic.LABEL
    assert local.official.LABEL == "VoiceBank-DEMAND"
