import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from diffaudio import inventory, jobs, provenance
from diffaudio.bin import shard
from diffaudio.data import manifest, prepare
from diffaudio.data.index import Index
from diffaudio.files import digest, write_json
from diffaudio.log import Refusal, log

KEYS = {
    "audio.rate": 8000,
    "audio.target": "clean",
    "audio.given": None,
    "audio.channels": 1,
    "audio.min_seconds": 0.2,
    "audio.max_seconds": 60.0,
}


def write_manifest(folder, *, items=6, keys=KEYS):
    """What `diffaudio manifest` leaves: two splits, corpus.json, a record."""
    random, splits = np.random.default_rng(0), {}
    data = folder / "data"
    for split in ("test", "train"):
        rows = []
        for number in range(items):
            name = f"{split}-{number}"
            path = folder / "corpus" / f"{name}.wav"
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                soundfile.write(path, random.normal(0, 0.1, 4000), 16000)
            rows.append({"id": name, "audio": {"clean": path.name}})
        manifest.write(data / f"{split}.jsonl", rows)
        splits[split] = {"rows": items, "hours": items * 0.25 / 3600, "sha256": ""}
    inputs = {str(folder / "corpus"): inventory.state(folder / "corpus")}
    provenance.begin(data, stage="manifest", version=1, keys=keys, inputs=inputs, force=True)
    (data / "problems.jsonl").write_text('{"id": "x", "problem": "silent"}\n')
    write_json(data / "corpus.json", {"root": str(folder / "corpus"), "splits": splits})
    provenance.finish(data, also=("*.jsonl", "corpus.json"))


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    write_manifest(tmp_path)
    (tmp_path / "c.yaml").write_text(
        "audio: {rate: 8000, target: clean}\nshard: {items: 4}\nmodel: {anything: 1}\n"
    )

    def run_tasks(tasks, **options):
        return [task.function(**task.arguments) for task in tasks]

    monkeypatch.setattr(prepare, "run_tasks", run_tasks)
    return tmp_path


@pytest.fixture
def said(caplog, monkeypatch):
    """What the command logs, whatever was set up before."""
    monkeypatch.setattr(log, "propagate", False)
    monkeypatch.setattr(log, "handlers", [caplog.handler])
    level = log.level
    log.setLevel(logging.INFO)
    yield caplog
    log.setLevel(level)


def run(folder, *words, out="dump"):
    return shard.main(
        [f"--config={folder}/c.yaml", f"--data={folder}/data", f"--out={folder}/{out}", *words]
    )


def digests(folder):
    return {
        str(path.relative_to(folder)): digest(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".tar", ".npy") or path.name == "index.json"
    }


def test_every_split_is_converted(corpus, said):
    assert run(corpus) == 0
    for split in ("train", "test"):
        index = Index.open(corpus / "dump" / split)
        assert [index.id(i) for i in range(6)] == [f"{split}-{n}" for n in range(6)]
        assert index.rate == 8000
        assert len(list((corpus / "dump" / split).glob("*.tar"))) == 2
    assert {path.name for path in (corpus / "dump").iterdir()} == {"train", "test", ".lock"}
    assert "6 items, 0.0 min -> 2 shards, about 14.4 kB" in said.text
    assert "6 items in 2 shards written, 0 kept; 0 items clipped" in said.text


def test_again_it_is_up_to_date(corpus, said):
    run(corpus)
    before = digests(corpus / "dump")
    said.clear()
    assert run(corpus) == 0
    assert said.text.count("up to date") == 2
    assert "written" not in said.text
    assert run(corpus, "--force") == 0
    assert said.text.count("--force") == 2
    assert said.text.count("2 shards written, 0 kept") == 2
    assert digests(corpus / "dump") == before


def test_a_changed_key_is_named(corpus, said):
    run(corpus)
    said.clear()
    run(corpus, "--shard.items=3")
    assert "shard.items: 4 -> 3" in said.text


def test_a_manifest_of_another_configuration_is_refused(corpus):
    with pytest.raises(Refusal, match=r"audio\.rate: 8000 -> 16000") as refused:
        run(corpus, "--audio.rate=16000")
    assert "diffaudio manifest" in refused.value.mend
    assert not (corpus / "dump").exists()


def test_no_manifest(corpus, tmp_path):
    (corpus / "data" / ".stage.json").unlink()
    with pytest.raises(Refusal, match="manifest has not been run"):
        run(corpus)


def test_changed_audio_of_the_same_length_is_noticed(corpus, said):
    """As when stage 0 was run again with other noise: same rows, same sizes, other sound."""
    run(corpus)
    old = Index.open(corpus / "dump" / "train").read(0, "clean")
    soundfile.write(corpus / "corpus" / "train-0.wav", np.full(4000, 0.25), 16000)
    write_manifest(corpus, keys={**KEYS, "corpus": "changed"})
    said.clear()
    run(corpus)
    assert "1 shards written, 1 kept" in said.text
    new = Index.open(corpus / "dump" / "train").read(0, "clean")
    assert new.shape == old.shape
    assert new[1000:1500].mean() == pytest.approx(0.25, abs=1e-3)


def test_too_large_for_the_disk(corpus, monkeypatch):
    monkeypatch.setattr(shard, "disk_space", lambda **_: 3 * 10**12)
    monkeypatch.setattr(shard, "disk_free", lambda _: 2 * 10**9)
    with pytest.raises(Refusal, match=r"about 6\.0 TB more are needed, 2\.0 GB are free"):
        run(corpus)  # two splits


def test_what_is_there_needs_no_room_again(corpus, monkeypatch, said):
    run(corpus)
    whole = sum(path.stat().st_size for path in corpus.glob("dump/*/*.tar"))
    (corpus / "dump/train/000001.tar").unlink()
    monkeypatch.setattr(shard, "disk_space", lambda **_: whole // 2)
    monkeypatch.setattr(shard, "disk_free", lambda _: whole // 4)
    assert run(corpus) == 0
    assert "1 shards written, 1 kept" in said.text


def test_a_shard_that_is_gone_is_named_and_written_again(corpus, said):
    run(corpus)
    before = digests(corpus / "dump")
    (corpus / "dump/train/000001.tar").unlink()
    said.clear()
    assert run(corpus) == 0
    assert f"{corpus}/dump/train/000001.tar is gone" in said.text
    assert f"{corpus}/dump/test: up to date" in said.text
    assert digests(corpus / "dump") == before


def test_a_manifest_that_is_gone_or_broken_is_named(corpus):
    path = corpus / "data/train.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"{", b"[", 2).replace(b"[", b"{", 1))
    with pytest.raises(Refusal, match=r"train\.jsonl, line 1: not JSON"):
        run(corpus)
    path.unlink()
    with pytest.raises(Refusal, match=r"data/train\.jsonl is gone") as caught:
        run(corpus)
    assert "diffaudio manifest" in caught.value.mend


def test_changed_audio_is_refused_until_it_is_checked(corpus):
    run(corpus)
    os.utime(corpus / "corpus/train-0.wav", (1, 1))
    with pytest.raises(Refusal, match="input .*corpus: its files changed"):
        run(corpus)
    assert "files changed" in provenance.state(corpus / "dump/train")[1]


@pytest.mark.parametrize("words", [("--nj", "0"), ("--out", "/proc/x")])
def test_what_cannot_be_is_refused_before_anything(corpus, words):
    with pytest.raises(Refusal, match="at least one job|/proc/x: cannot be written") as caught:
        run(corpus, *words)
    assert caught.value.mend
    assert not (corpus / "dump").exists()


def test_killed_anywhere_it_continues_to_the_same_bytes(corpus, monkeypatch):
    """SIGKILL the command and its workers after some shards; then let it finish."""
    run(corpus, "--shard.items=1", out="undisturbed")
    command = [sys.executable, "-m", "diffaudio", "shard", f"--config={corpus}/c.yaml"]
    command += [f"--data={corpus}/data", f"--out={corpus}/dump", "--shard.items=1"]
    for shards in (1, 4):
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and len([*corpus.glob("dump/*/*.tar")]) < shards:
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with pytest.raises(Refusal, match="interrupted"):
            provenance.require(corpus / "dump" / "train", stage="shard", keys={}, mend="")
    monkeypatch.setattr(prepare, "run_tasks", jobs.run_tasks)
    assert run(corpus, "--shard.items=1", "--nj=2") == 0
    assert digests(corpus / "dump") == digests(corpus / "undisturbed")
    assert not list((corpus / "dump").rglob(".*tmp*"))
