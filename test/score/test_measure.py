from __future__ import annotations

import numpy as np
import pytest
import soundfile

from diffaudio.data import audio, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS, Metric, Unmeasurable
from diffaudio.metrics.signal import si_sdr
from diffaudio.score import measure as module
from diffaudio.score.measure import Scored, measure, measure_once, measure_slice
from diffaudio.score.pairs import Sound, estimates

RATE = 8000


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Run tasks in this process, in order; two utterances each."""
    monkeypatch.setattr(
        module, "run_tasks", lambda tasks, **_: [t.function(**t.arguments) for t in tasks]
    )
    monkeypatch.setattr(module, "_SLICE", 2)


@pytest.fixture
def sounds(corpus, wavs, tmp_path):
    rows = list(manifest.read(corpus / "test.jsonl"))
    return [Sound(row, tmp_path / "root", estimates(rows, wavs)[row["id"]]) for row in rows]


def run(sounds, spec, names=("SI-SDR",), tmp_path=None):
    metrics = [METRICS[name] for name in names]
    return measure(sounds, metrics, spec, nj=1, log_dir=None, title="score test")


def test_values_are_those_of_the_metric_in_the_order_of_the_set(sounds, spec, tmp_path):
    table = run(sounds, spec)
    assert [row.id for row in table] == [sound.row["id"] for sound in sounds]
    for row in table:
        estimate, _ = audio.load(tmp_path / "wavs" / f"{row.id}.wav")
        clean, _ = audio.load(tmp_path / "root" / "clean" / f"{row.id}.wav")
        assert row.values["SI-SDR"] == si_sdr(estimate[:, 0], clean[:, 0], RATE)
        assert row.seconds == 0.5


def test_without_an_estimate_what_is_given_is_scored(sounds, spec):
    given = run([Sound(sound.row, sound.root) for sound in sounds], spec)
    ours = run(sounds, spec)
    gains = [a.values["SI-SDR"] - b.values["SI-SDR"] for a, b in zip(ours, given, strict=True)]
    assert gains == pytest.approx([20.0] * 4, abs=0.2)  # a tenth of the noise


def test_a_metric_of_another_rate_gets_resampled_audio(sounds, spec, monkeypatch):
    seen = []

    def function(estimate, reference, rate):
        seen.append((len(estimate), len(reference), rate))
        return 0.0

    other = Metric(
        name="X", unit="", better="lower", needs_reference=True, rate=16000, function=function
    )
    monkeypatch.setitem(METRICS, "X", other)
    run(sounds, spec, ["X"])
    assert seen == [(RATE, RATE, 16000)] * 4  # half a second


def test_what_cannot_be_measured_is_kept_with_its_reason(sounds, spec, monkeypatch):
    def function(estimate, reference, rate):
        raise Unmeasurable("too quiet")

    other = Metric(
        name="X", unit="", better="lower", needs_reference=True, rate=None, function=function
    )
    monkeypatch.setitem(METRICS, "X", other)
    table = run(sounds, spec, ["X", "SI-SDR"])
    assert all(row.missing == {"X": "too quiet"} and "SI-SDR" in row.values for row in table)
    assert all(row.failed == {} for row in table)  # its reference would have none either


def test_what_the_estimate_alone_prevents_is_a_failure(sounds, spec, wavs):
    audio.save(wavs / "p1_001.wav", np.zeros(RATE // 2), RATE)
    broken, _ = audio.load(wavs / "p1_002.wav")
    broken[7] = np.nan
    soundfile.write(wavs / "p1_002.wav", broken, RATE, subtype="FLOAT")
    first, silent, not_finite, last = run(sounds, spec)
    assert silent.failed == {"SI-SDR": "the estimate is silent"}
    assert not_finite.failed == {"SI-SDR": "the estimate holds values that are not finite"}
    assert first.failed == last.failed == silent.missing == not_finite.missing == {}


def test_silence_where_the_reference_is_silent_is_no_failure(sounds, spec, wavs, tmp_path):
    for path in (wavs / "p1_001.wav", tmp_path / "root/clean/p1_001.wav"):
        audio.save(path, np.zeros(RATE // 2), RATE)
    assert run(sounds, spec)[1].missing == {"SI-SDR": "the reference is silent"}


def test_channels_are_averaged(tmp_path):
    rng = np.random.default_rng(0)
    clean, noise = 0.1 * rng.standard_normal((2, RATE, 2)).astype(np.float32)
    audio.save(tmp_path / "clean.wav", clean, RATE)
    audio.save(tmp_path / "made.wav", clean + noise * np.float32([0.1, 0.5]), RATE)
    sound = Sound({"id": "a", "audio": {"clean": "clean.wav"}}, tmp_path, tmp_path / "made.wav")
    spec = AudioSpec(rate=RATE, target="clean", channels=2)
    (row,), problems = measure_slice([sound], ["SI-SDR"], spec)
    made, kept = (audio.load(tmp_path / f"{name}.wav")[0] for name in ("made", "clean"))
    each = [si_sdr(made[:, channel], kept[:, channel], RATE) for channel in (0, 1)]
    assert problems == []
    assert row.values["SI-SDR"] == pytest.approx(np.mean(each))
    assert abs(each[0] - each[1]) > 10


def test_all_estimates_that_do_not_fit_are_counted_and_the_first_are_named(sounds, spec, wavs):
    for name in ("p1_001", "p1_003"):
        audio.save(wavs / f"{name}.wav", np.zeros(17), RATE)
    with pytest.raises(Refusal) as caught:
        run(sounds, spec)
    message = caught.value.message
    assert message.startswith("2 of 4 utterances cannot be scored")
    assert "p1_001.wav: 17 samples, the reference has 4000 samples" in message
    assert "p1_003.wav" in message
    assert "no tolerance" in caught.value.mend


def test_measured_once_and_read_back_the_same(sounds, spec, tmp_path, monkeypatch):
    path = tmp_path / "cache" / "abc.jsonl"
    metrics = [METRICS["SI-SDR"]]
    first = measure_once(path, sounds, metrics, spec, nj=1, title="score noisy")
    monkeypatch.setattr(module, "run_tasks", None)  # would fail if it were called again
    again = measure_once(path, sounds, metrics, spec, nj=1, title="score noisy")
    assert again == first
    assert again[0] == Scored("p1_000", 0.5, first[0].values, {})


def test_force_measures_again_what_was_kept(sounds, spec, tmp_path):
    path = tmp_path / "cache" / "abc.jsonl"
    metrics = [METRICS["SI-SDR"]]
    first = measure_once(path, sounds, metrics, spec, nj=1, title="score noisy")
    kept = path.read_text()
    path.write_text(kept.replace('"seconds": 0.5', '"seconds": 9.5'))
    stale = measure_once(path, sounds, metrics, spec, nj=1, title="score noisy")
    assert stale[0].seconds == 9.5
    assert measure_once(path, sounds, metrics, spec, nj=1, title="x", force=True) == first
    assert path.read_text() == kept
