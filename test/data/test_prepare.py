import numpy as np
import pytest
import soundfile

from diffaudio import jobs
from diffaudio.data import manifest, mix, prepare, shards
from diffaudio.data.audio import AudioSpec, resample
from diffaudio.data.index import Index
from diffaudio.data.prepare import ShardSpec
from diffaudio.files import digest
from diffaudio.log import Refusal

SPEC = AudioSpec(rate=16000, target="clean", given="noisy")


def tone(seconds, rate, channels, level=0.3, seed=0):
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate))[:, None] / rate
    x = level * np.sin(2 * np.pi * (300 + 50 * np.arange(channels)) * t)
    return (x + random.normal(0, 0.01, x.shape)).clip(-1, 1)


def write_corpus(root, *, items=5, rate=44100, channels=2):
    """Write wav files; return rows whose ids sort as they are numbered."""
    rows = []
    for number in range(items):
        names = {role: f"{role} files/{number}.wav" for role in ("clean", "noisy")}
        for seed, name in enumerate(names.values()):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            x = tone(0.3 + 0.1 * number, rate, channels, seed=seed)
            soundfile.write(root / name, x, rate, subtype="PCM_16")
        rows.append({"id": f"u-{number}", "audio": names, "text": "Grüße"})
    return rows


@pytest.fixture
def corpus(tmp_path):
    rows = write_corpus(tmp_path / "corpus")
    manifest.write(tmp_path / "train.jsonl", rows)
    return tmp_path


def run(folder, out="dump", *, items=2, nj=1, spec=SPEC, force=False, name="train"):
    work = prepare.tasks(
        folder / f"{name}.jsonl",
        folder / out / name,
        root=folder / "corpus",
        audio=spec,
        shard=ShardSpec(items),
        force=force,
    )
    target = folder / out / name
    return prepare.prepare({target: work}, rate=spec.rate, nj=nj, log_dir=folder / "log")[target]


def digests(folder):
    return {path.name: digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Run tasks in this process; one test below runs them as users do."""

    def run_tasks(tasks, **options):
        return [task.function(**task.arguments) for task in tasks]

    monkeypatch.setattr(prepare, "run_tasks", run_tasks)


def test_audio_is_downmixed_resampled_and_rounded(corpus):
    counts = run(corpus)
    index = Index.open(corpus / "dump" / "train")
    assert [index.id(i) for i in range(5)] == [f"u-{n}" for n in range(5)]
    assert counts == {
        "items": 5, "samples": int(index.samples.sum()), "clipped": 0, "written": 3, "kept": 0
    }  # fmt: skip
    for i in range(5):
        stored = {}
        for role in ("clean", "noisy"):
            x, _ = soundfile.read(corpus / "corpus" / f"{role} files" / f"{i}.wav", dtype="float32")
            wanted = resample(x.mean(1, keepdims=True), 44100, 16000)
            stored[role] = index.read(i, role)
            assert stored[role].shape == wanted.shape
            assert np.abs(stored[role] - wanted).max() <= 0.51 / 32768
        row = index.row(i)
        assert (row["text"], row["rate"], row["samples"]) == ("Grüße", 16000, len(stored["clean"]))
        assert row["powers"] == mix.powers(stored["clean"], stored["noisy"])


def test_sixteen_bits_at_the_same_rate_are_kept_bit_for_bit(tmp_path):
    rows = write_corpus(tmp_path / "corpus", items=1, rate=16000, channels=1)
    extremes = np.arange(-32768, 32768).astype(np.int16)
    for name in rows[0]["audio"].values():
        soundfile.write(tmp_path / "corpus" / name, extremes, 16000)
    manifest.write(tmp_path / "train.jsonl", rows)
    run(tmp_path)
    x = Index.open(tmp_path / "dump" / "train").read(0, "clean")
    np.testing.assert_array_equal((x[:, 0] * 32768).astype(int), extremes)


def test_channels(tmp_path):
    rows = write_corpus(tmp_path / "corpus", items=1, channels=3)
    manifest.write(tmp_path / "train.jsonl", rows)
    run(tmp_path)
    mono = Index.open(tmp_path / "dump" / "train").read(0, "clean")
    three = AudioSpec(rate=44100, target="clean", channels=3)
    run(tmp_path, "three", spec=three)
    index = Index.open(tmp_path / "three" / "train")
    assert index.roles == ("clean",)
    assert "powers" not in index.row(0)
    wanted = resample(index.read(0, "clean").mean(1, keepdims=True), 44100, 16000)
    assert np.abs(mono - wanted).max() < 1e-4
    with pytest.raises(Refusal, match=r"0\.wav: 3 channels, audio\.channels is 2"):
        run(tmp_path, "two", spec=AudioSpec(rate=16000, target="clean", channels=2))
    assert not (tmp_path / "two" / "train" / "index").exists()


def test_a_part_of_a_file(corpus):
    rows = list(manifest.read(corpus / "train.jsonl"))[4:]
    rows[0] |= {"start": 0.25, "end": 0.5}
    manifest.write(corpus / "train.jsonl", rows)
    run(corpus)
    index = Index.open(corpus / "dump" / "train")
    assert index.samples.tolist() == [4000]
    path = corpus / "corpus" / rows[0]["audio"]["clean"]
    x, _ = soundfile.read(path, start=11025, stop=22050, dtype="float32")
    wanted = resample(x.mean(1, keepdims=True), 44100, 16000)
    assert np.abs(index.read(0, "clean") - wanted).max() <= 0.51 / 32768


def test_clipping_is_counted(tmp_path):
    """A full-scale square wave overshoots when it is resampled."""
    rows = write_corpus(tmp_path / "corpus", items=3, channels=1)
    t = np.arange(44100) / 44100
    square = np.where(np.sin(2 * np.pi * 441 * t) >= 0, 32767, -32768).astype(np.int16)
    for name in rows[1]["audio"].values():
        soundfile.write(tmp_path / "corpus" / name, square, 44100)
    manifest.write(tmp_path / "train.jsonl", rows)
    assert run(tmp_path)["clipped"] == 1
    x = Index.open(tmp_path / "dump" / "train").read(1, "clean")
    assert x.max() == 32767 / 32768
    assert x.min() == -1
    assert run(tmp_path)["clipped"] == 1  # also told of shards that were kept


def test_jobs_do_not_change_a_bit(corpus, monkeypatch):
    run(corpus, "here")
    monkeypatch.setattr(prepare, "run_tasks", jobs.run_tasks)
    run(corpus, "one", nj=1)
    run(corpus, "three", nj=3)
    one = digests(corpus / "one")
    assert one == digests(corpus / "three") == digests(corpus / "here")
    assert len([name for name in one if name.endswith(".tar")]) == 3


def test_items_per_shard_follow_from_the_manifest(corpus):
    run(corpus, items=2)
    folder = corpus / "dump" / "train"
    keys = [[e.key for e in shards.read_index(path)] for path in sorted(folder.glob("*.tar"))]
    assert keys == [["u-0", "u-1"], ["u-2", "u-3"], ["u-4"]]
    run(corpus, items=4)
    keys = [[e.key for e in shards.read_index(path)] for path in sorted(folder.glob("*.tar"))]
    assert keys == [["u-0", "u-1", "u-2", "u-3"], ["u-4"]]
    assert len(Index.open(folder)) == 5


def test_only_what_changed_is_written_again(corpus):
    counts = [run(corpus)]
    before = digests(corpus / "dump")
    counts.append(run(corpus))
    rows = list(manifest.read(corpus / "train.jsonl"))
    rows[2]["speaker"] = "new"
    manifest.write(corpus / "train.jsonl", rows)
    counts.append(run(corpus))
    soundfile.write(corpus / "corpus" / rows[4]["audio"]["noisy"], tone(0.8, 44100, 2), 44100)
    soundfile.write(corpus / "corpus" / rows[4]["audio"]["clean"], tone(0.8, 44100, 2), 44100)
    counts.append(run(corpus))
    counts.append(run(corpus, force=True))
    found = [(count["written"], count["kept"]) for count in counts]
    assert found == [(3, 0), (0, 3), (1, 2), (1, 2), (3, 0)]
    after = digests(corpus / "dump")
    assert before["000000.tar"] == after["000000.tar"]
    assert before["000001.tar"] != after["000001.tar"]
    assert Index.open(corpus / "dump" / "train").row(2)["speaker"] == "new"


@pytest.mark.parametrize(
    "changes",
    [{"rate": 8000}, {"channels": 2}, {"given": None}, {"target": "noisy", "given": None}],
)
def test_another_spec_writes_every_shard_again(corpus, changes):
    run(corpus)
    spec = AudioSpec(**{"rate": 16000, "target": "clean", "given": "noisy", **changes})
    assert run(corpus, spec=spec)["written"] == 3
    index = Index.open(corpus / "dump" / "train")
    assert index.rate == spec.rate
    assert sorted(index.roles) == sorted(spec.roles)
    assert index.read(0, spec.target).shape[1] == spec.channels


def test_a_damaged_shard_is_written_again(corpus):
    run(corpus)
    path = corpus / "dump" / "train" / "000001.tar"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert run(corpus)["written"] == 1
    assert path.read_bytes() == whole


def test_left_overs_are_removed(corpus):
    run(corpus, items=1)
    folder = corpus / "dump" / "train"
    (folder / ".000000.tar.tmp.123").write_bytes(b"of a killed run")
    (folder / "notes.txt").write_text("not ours")
    run(corpus, items=3)
    names = {path.name for path in folder.iterdir()}
    shards_and_records = {"000000.tar", "000001.tar", ".000000.source", ".000001.source"}
    assert names == {"index", "notes.txt", *shards_and_records}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1000]), "differ in length|cut"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: soundfile.write(path, tone(0.9, 44100, 2), 44100), "differ in length"),
        (lambda path: soundfile.write(path, tone(0.6, 44100, 2) * np.nan, 44100, subtype="FLOAT"),
         "not finite"),
    ],
)  # fmt: skip
def test_bad_audio_is_named_and_nothing_is_indexed(corpus, damage, words):
    damage(corpus / "corpus" / "noisy files" / "3.wav")
    with pytest.raises(Refusal, match=words) as refused:
        run(corpus)
    assert "3.wav" in str(refused.value) or "u-3" in str(refused.value)
    names = {path.name for path in (corpus / "dump" / "train").rglob("*")}
    assert names <= {"000000.tar", ".000000.source", "000002.tar", ".000002.source"}


def test_disk_space(tmp_path):
    size, free = prepare.disk_space(hours=1, spec=SPEC), prepare.disk_free(tmp_path / "not/there")
    assert size == pytest.approx(3600 * 16000 * 2 * 2 * 0.6)
    assert free > 0


def test_items_per_shard_must_be_positive():
    with pytest.raises(ValueError, match="items: 0"):
        ShardSpec(0)
