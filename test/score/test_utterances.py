from dataclasses import replace

import pytest

from diffaudio.data import manifest
from diffaudio.files import digest
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS
from diffaudio.score import ScoreSpec
from diffaudio.score.scores import read
from diffaudio.score.utterances import utterances

SPEC = ScoreSpec(metrics=["SI-SDR"], worst=1, resamples=100)


@pytest.fixture
def found(here, request_, spec):
    """Return a function that finds the work, with changes to what is asked."""

    def go(settings=SPEC, **changes):
        return utterances(replace(request_, **changes), spec, settings, nj=1, force=False)

    return go


def test_nothing_is_written_until_the_work_runs_and_then_what_it_said(found, request_):
    work = found()
    assert not request_.out.exists()
    work.run()
    written = {path.name for path in request_.out.iterdir() if path.is_file()}
    assert {name.replace("baseline.json", "baseline*.json") for name in written} == {*work.outputs}
    assert [row.id for row in read(request_.out)] == [f"p1_{n:03d}" for n in range(4)]


def test_it_reads_the_test_set_and_the_training_beside_the_wavs(found, request_, tmp_path):
    path, config = request_.manifest, request_.exp / "config.yaml"
    before = found().read
    assert {*before} == {str(path), f"audio of {path}", str(config)}
    assert (before[str(path)], before[str(config)]) == (digest(path), digest(config))
    clean = tmp_path / "root/clean"
    (clean / "p1_000.wav").write_bytes((clean / "p1_001.wav").read_bytes())
    config.unlink()
    after = found().read
    assert after == {str(path): before[str(path)], f"audio of {path}": after[f"audio of {path}"]}
    assert after[f"audio of {path}"] != before[f"audio of {path}"]


def test_its_keys_name_each_metric_with_its_version(found):
    named = found().named
    assert (named["system"], named["versus"], named["metrics"]) == ("demo <1>", None, ["SI-SDR"])
    assert {key for key in named if key.startswith("metric.")} == {"metric.SI-SDR"}
    assert named["metric.SI-SDR"] == METRICS["SI-SDR"].version
    assert found(system="other").named == {**named, "system": "other"}


def test_an_empty_test_set_is_refused_before_its_wavs_are_looked_for(found, request_, tmp_path):
    manifest.write(request_.manifest, [])
    with pytest.raises(Refusal, match=r"test\.jsonl: no utterances"):
        found(wavs=tmp_path / "nowhere")
