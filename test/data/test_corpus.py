import json
import subprocess
import sys

import pytest

from diffaudio.data import audio, corpus, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import digest, read_json
from diffaudio.log import Refusal

SPEC = AudioSpec(rate=8000, target="clean", given="noisy")


@pytest.fixture
def here(monkeypatch):
    """Run tasks in this process: a cluster takes seconds to start."""

    def run_tasks(tasks, **_):
        return [task.function(**task.arguments) for task in tasks]

    monkeypatch.setattr(corpus, "run_tasks", run_tasks)


@pytest.fixture
def rows(tmp_path, speech):
    """Return rows of a small corpus that is on disk at tmp_path/root."""
    found = []
    for number, split in enumerate(["train"] * 6 + ["test"] * 2):
        name = f"s{number % 3 if split == 'train' else 9}_{number}"
        for role in ("clean", "noisy"):
            audio.save(tmp_path / "root" / role / f"{name}.wav", speech(0.5, seed=number), 8000)
        files = {role: f"{role}/{name}.wav" for role in ("clean", "noisy")}
        found.append({"id": name, "split": split, "audio": files, "speaker": name.split("_")[0]})
    return found


def build(rows, folder, **options):
    disjoint, limit, nj = {"test": ["speaker"]}, 0.01, 1
    options = {"disjoint": disjoint, "max_reject": limit, "nj": nj, "label": "tiny", **options}
    corpus.build(rows, folder / "data", root=folder / "root", spec=SPEC, **options)
    return folder / "data"


def problems(data):
    return [json.loads(line) for line in (data / "problems.jsonl").read_text().splitlines()]


def test_manifests_and_what_they_hold(here, rows, tmp_path, caplog):
    caplog.set_level("INFO")
    (tmp_path / "data" / ".rows.killed").mkdir(parents=True)
    data = build(reversed(rows), tmp_path)
    assert [row["id"] for row in manifest.read(data / "train.jsonl")] == sorted(
        row["id"] for row in rows if row["split"] == "train"
    )
    first = next(manifest.read(data / "test.jsonl"))
    assert first == {
        **{key: value for key, value in rows[6].items() if key != "split"},
        **{"samples": 4000, "rate": 8000, "channels": 1},
    }
    about = read_json(data / "corpus.json")
    assert (manifest.root(data), about["label"]) == (tmp_path / "root", "tiny")
    assert about["splits"]["train"] == {
        "rows": 6,
        "hours": 3 / 3600,
        "speakers": 3,
        "rates": [8000],
        "sha256": digest(data / "train.jsonl"),
    }
    assert "train 6 items, 0.00 h, 3 speakers, 8 kHz" in caplog.messages
    assert problems(data) == []
    assert [path.name for path in data.iterdir() if path.name.startswith(".")] == []


def test_what_shards_will_change_is_said():
    split = corpus.Split()
    for rate, channels in ((48000, 1), (44100, 2)):
        split.add({"samples": 36 * rate, "rate": rate, "channels": channels})
    assert split.summary(AudioSpec(rate=16000, target="x")) == (
        "2 items, 0.02 h, 44.1 kHz and 48 kHz (shards: resampled to 16 kHz), "
        "up to 2 channels (shards: mixed to 1)"
    )


def test_all_problems_are_named_at_once_and_the_stage_fails(here, rows, tmp_path):
    (tmp_path / "root" / rows[0]["audio"]["noisy"]).unlink()
    (tmp_path / "root" / rows[1]["audio"]["clean"]).write_bytes(b"")
    rows[2]["id"] = "a.b"
    rows.append({**rows[3]})
    with pytest.raises(Refusal) as caught:
        build(rows, tmp_path)
    assert [(p["reason"], p["id"]) for p in problems(tmp_path / "data")] == [
        ("bad id", "a.b"),
        ("duplicate id", rows[3]["id"]),
        ("missing", rows[0]["id"]),
        ("empty", rows[1]["id"]),
    ]
    text = str(caught.value)
    assert "4 of 9 rows have a problem\n  train: 4 of 7 rows (57 %, limit 1 %)" in text
    for word in ("bad id (1)", "duplicate id (1)", "missing (1)", f"clean/{rows[1]['id']}.wav"):
        assert word in text
    assert list((tmp_path / "data").glob("train*")) == []


def test_below_the_limit_rows_are_left_out_by_name(here, rows, tmp_path, caplog):
    (tmp_path / "root" / rows[0]["audio"]["noisy"]).unlink()
    data = build(rows, tmp_path, max_reject=0.2)
    kept = [row["id"] for row in manifest.read(data / "train.jsonl")]
    assert len(kept) == 5
    assert rows[0]["id"] not in kept
    assert [p["file"] for p in problems(data)] == [rows[0]["audio"]["noisy"]]
    assert "1 of 8 rows have a problem" in caplog.text
    assert f"{rows[0]['audio']['noisy']}: no such file" in caplog.text
    assert "These rows are left out." in caplog.text


def test_all_rows_are_a_hundred_per_cent(here, rows, tmp_path):
    for row in rows[:6]:
        row["id"] = f"{row['id']}.wav"
    rows += [{**row, "id": f"{number}.wav"} for number, row in enumerate(rows[:5] * 60)]
    with pytest.raises(Refusal, match=r"train: 306 of 306 rows \(100 %, limit 1 %\)"):
        build(rows, tmp_path)


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_splits_that_training_reads_and_are_not_there_are_said(here, rows, tmp_path, caplog):
    for row in rows[:2]:
        row["split"] = "dev"
    build(rows, tmp_path)
    (said,) = warnings(caplog)
    assert "no split is called valid, which stage 4 reads; there are: dev, test, train" in said
    assert "--valid_set or train.valid_every 0" in said
    caplog.clear()
    for row in rows[:6]:
        row["split"] = "valid"
    build(rows, tmp_path)
    (said,) = warnings(caplog)
    assert "no split is called train, which stage 4 reads; there are: test, valid" in said
    caplog.clear()
    rows[0]["split"] = "train"
    build(rows, tmp_path, disjoint={})
    assert warnings(caplog) == []


def test_speakers_of_train_and_test_are_said_unless_the_recipe_declares(
    here, rows, tmp_path, caplog
):
    rows[0]["split"] = "valid"
    rows[6]["speaker"] = "s1"
    build(rows, tmp_path, disjoint={})
    (said,) = warnings(caplog)
    assert "1 of the 2 speakers of test are in train, too" in said
    assert 'DISJOINT = {"test": ["speaker"]}' in said
    caplog.clear()
    build(rows, tmp_path, disjoint={"test": ["id"]})
    assert warnings(caplog) == []


def test_a_test_split_loses_nothing_unless_it_is_allowed(here, rows, tmp_path):
    (tmp_path / "root" / rows[6]["audio"]["noisy"]).unlink()
    with pytest.raises(Refusal, match=r"test: 1 of 2 rows \(50 %, limit 0 %\)"):
        build(rows, tmp_path, max_reject=None)
    assert len(list(manifest.read(build(rows, tmp_path, max_reject=0.5) / "test.jsonl"))) == 1


def test_a_small_split_is_not_judged_by_the_large_ones(here, rows, tmp_path):
    rows[0]["split"] = rows[1]["split"] = "valid"
    rows[0]["id"] = "not an id"
    with pytest.raises(Refusal, match=r"valid: 1 of 2 rows \(50 %, limit 30 %\)"):
        build(rows, tmp_path, max_reject=0.3)  # one of eight in all


def test_an_emptied_split_is_refused_by_name_whatever_the_limit(here, rows, tmp_path):
    for row in rows[6:]:
        (tmp_path / "root" / row["audio"]["clean"]).unlink()
    with pytest.raises(Refusal) as caught:
        build(rows, tmp_path, max_reject=1.0)
    assert "nothing is left of test" in caught.value.mend


def test_rows_without_a_split_count_against_all(here, rows, tmp_path):
    rows.append({**rows[0], "split": None})
    build(rows, tmp_path, max_reject=0.2)
    with pytest.raises(Refusal, match="no split: 1 of 1 rows"):
        build(rows, tmp_path, max_reject=0.1)


@pytest.mark.parametrize(
    ("disjoint", "said"),
    [
        ({"tset": ["speaker"]}, "no row is of the split 'tset'"),
        ({"test": ["speeker"]}, "no row of the split 'test' has the field 'speeker'"),
    ],
)
def test_a_declaration_that_forbids_nothing_is_refused(here, rows, tmp_path, disjoint, said):
    with pytest.raises(Refusal, match=said):
        build(rows, tmp_path, disjoint=disjoint)


def test_of_two_rows_with_an_id_the_first_is_kept(here, rows, tmp_path):
    rows.append({**rows[0], "speaker": "other"})
    data = build(rows, tmp_path, max_reject=0.5)
    assert len(list(manifest.read(data / "train.jsonl"))) == 6
    assert {row["speaker"] for row in manifest.read(data / "train.jsonl")} == {"s0", "s1", "s2"}


@pytest.mark.parametrize("change", [{"speaker": "s1"}, {"id": "s0_0"}])
def test_splits_that_overlap_fail_whatever_the_limit(here, rows, tmp_path, change):
    rows[-1].update(change)
    with pytest.raises(Refusal, match="split overlap") as caught:
        build(rows, tmp_path, max_reject=1.0)
    assert "splits must not overlap" in caught.value.mend
    assert list((tmp_path / "data").glob("train*")) == []


def test_no_rows_at_all(here, tmp_path):
    with pytest.raises(Refusal, match=r"root: rows\(\) found nothing"):
        build([], tmp_path)


def test_a_name_that_is_not_utf8_is_listed(here, rows, tmp_path):
    rows[0]["audio"]["clean"] = "caf\udce9.wav"
    with pytest.raises(Refusal, match=r"caf\\udce9\.wav: the name is not UTF-8"):
        build(rows, tmp_path)


def test_jobs_do_not_change_the_manifest(rows, tmp_path, monkeypatch):
    monkeypatch.setattr("diffaudio.data.validate.SLICE", 3)
    data = build(rows, tmp_path, nj=2)
    parallel = {path.name: path.read_bytes() for path in data.glob("*.jsonl")}
    monkeypatch.setattr(
        corpus, "run_tasks", lambda tasks, **_: [t.function(**t.arguments) for t in tasks]
    )
    build(rows, tmp_path)
    assert parallel == {path.name: path.read_bytes() for path in data.glob("*.jsonl")}


MILLION = """
import sys
from pathlib import Path
from diffaudio.data import apart, corpus, validate
from diffaudio.data.audio import AudioSpec

folder, count = Path(sys.argv[1]), int(sys.argv[2])

def rows():
    for number in range(count):
        name = f"speaker{number % 1000:04d}_utterance{number * 7919 % count:08d}"
        audio = {"clean": f"clean/{name}.wav", "noisy": f"noisy/{name}.wav"}
        split = "test" if number % 100 == 0 else "train"
        about = {"text": f"Sentence number {number}.", "samples": 48000, "rate": 16000}
        speaker = f"speaker{number % 1000:04d}"
        about["channels"] = 1
        yield {"id": name, "split": split, "audio": audio, "speaker": speaker, **about}
    yield {"id": name, "split": "test", "audio": audio, **about}

spec = AudioSpec(rate=16000, target="clean", given="noisy")
(folder / "slices").mkdir()
collected = validate.collect(rows(), folder / "slices", spec, fields=["speaker"])
repeated = validate.repeats(collected)
overlap = list(apart.overlaps(collected, {"test": ["speaker"]}))
splits = corpus.publish(collected.slices[:-1], folder, collected.splits)
[peak] = [  # getrusage would count what the parent held before exec
    int(line.split()[1]) / 1024
    for line in Path("/proc/self/status").read_text().splitlines()
    if line.startswith("VmHWM")
]
print(sum(s.rows for s in splits.values()), sum(map(len, repeated.values())), len(overlap), peak)
"""


@pytest.mark.slow
def test_a_million_rows_take_at_most_300_megabytes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MILLION, str(tmp_path), "1000000"],
        capture_output=True,
        text=True,
        check=True,
    )
    kept, repeated, overlap, peak = done.stdout.split()
    assert (int(kept), int(repeated), int(overlap)) == (1000000, 1, 0)
    assert float(peak) <= 300, f"{peak} MiB resident"
