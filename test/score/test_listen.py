from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from diffaudio.data import audio
from diffaudio.metrics import Prompt
from diffaudio.score.listen import Chosen, card, choose
from diffaudio.score.measure import Scored
from diffaudio.score.pairs import Sound
from diffaudio.score.timing import Timing

RATE = 8000
TIMES = (0.0, 0.05, 0.1, 0.12, 0.2, 0.3, 0.32, 0.4, 0.5)


def table(values):
    return [Scored(f"u{n:02d}", 1.0, {"PESQ": v} if v else {}, {}) for n, v in enumerate(values)]


def test_worst_and_median_by_a_metric_that_should_be_high():
    chosen = choose(table([5, 1, 9, 3, 7, 2, 8, 4, 6]), "PESQ", "higher", 3)
    assert chosen == {"worst": ["u01", "u05", "u03"], "median": ["u07", "u00", "u08"]}


def test_and_by_one_that_should_be_low():
    chosen = choose(table([5, 1, 9, 3, 7]), "PESQ", "lower", 1)
    assert chosen == {"worst": ["u02"], "median": ["u00"]}


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_small_set_shows_nobody_twice_and_unmeasured_ones_never(count):
    chosen = choose(table([3, 0, 1, 2]), "PESQ", "higher", count)
    names = [name for part in chosen.values() for name in part]
    assert len(names) == len(set(names)) == 3
    assert "u01" not in names


def test_where_the_metric_failed_nothing_is_worse():
    failing = [*table([5, 1, 9]), Scored("mute", 1.0, {}, {}, {"PESQ": "silent"})]
    for better in ("higher", "lower"):
        assert choose(failing, "PESQ", better, 1)["worst"] == ["mute"]


def players(page: str) -> list[np.ndarray]:
    return [
        soundfile.read(io.BytesIO(base64.b64decode(data)))[0]
        for data in re.findall(r"data:audio/flac;base64,([A-Za-z0-9+/=]+)", page)
    ]


def chosen(corpus, wavs, tmp_path, **row):
    sound = Sound(
        {
            "id": "p1_000",
            "audio": {role: f"{role}/p1_000.wav" for role in ("clean", "noisy")},
            **row,
        },
        tmp_path / "root",
        wavs / "p1_000.wav",
    )
    scored = Scored("p1_000", 0.5, {"SI-SDR": 20.0}, {"PESQ": "too <short>"})
    return Chosen(sound, scored, Scored("p1_000", 0.5, {"SI-SDR": 0.1}, {}))


def test_a_card_plays_given_system_and_reference(corpus, wavs, tmp_path, spec):
    page = card(chosen(corpus, wavs, tmp_path), spec, "demo")
    paths = [tmp_path / "root/noisy/p1_000.wav", wavs / "p1_000.wav"]
    paths.append(tmp_path / "root/clean/p1_000.wav")
    heard = players(page)
    assert len(heard) == page.count("data:image/png;base64,") == 3
    for x, path in zip(heard, paths, strict=True):
        assert x == pytest.approx(audio.load(path)[0][:, 0], abs=2**-15)
    assert "0.10 → <b>20.00</b>" in page


def test_a_card_escapes_what_the_manifest_says(corpus, wavs, tmp_path, spec):
    page = card(chosen(corpus, wavs, tmp_path, text='<img src=x> & "quotes"'), spec, "<b>demo")
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt; &amp;" in page
    assert "<b>demo" not in page
    assert "too &lt;short&gt;" in page


def test_audio_beyond_full_scale_is_turned_down_in_all_versions(corpus, wavs, tmp_path, spec):
    x, _ = audio.load(wavs / "p1_000.wav")
    loud = x * np.float32(4 / np.abs(x).max())
    audio.save(wavs / "p1_000.wav", loud, RATE)
    heard = players(card(chosen(corpus, wavs, tmp_path), spec, "demo"))
    clean, _ = audio.load(tmp_path / "root/clean/p1_000.wav")
    assert heard[1] == pytest.approx(loud[:, 0] / 4, abs=1e-4)
    assert heard[2] == pytest.approx(clean[:, 0] / 4, abs=1e-4)


def test_what_is_not_finite_can_be_shown(corpus, wavs, tmp_path, spec):
    x, _ = audio.load(wavs / "p1_000.wav")
    x[:100] = [[np.nan]]
    x[100:200] = [[np.inf]]
    soundfile.write(wavs / "p1_000.wav", x, RATE, subtype="FLOAT")
    heard = players(card(chosen(corpus, wavs, tmp_path), spec, "demo"))
    assert (heard[1][:100] == 0).all()
    assert heard[1][100:200] == pytest.approx(1.0, abs=1e-3)


def test_a_long_utterance_is_cut_and_says_so(corpus, wavs, tmp_path, spec):
    for path in (wavs, tmp_path / "root/clean", tmp_path / "root/noisy"):
        audio.save(path / "p1_000.wav", np.zeros(12 * RATE), RATE)
    page = card(chosen(corpus, wavs, tmp_path), spec, "demo")
    assert [len(x) for x in players(page)] == [10 * RATE] * 3
    assert "the first 10 s shown" in page


def test_what_was_made_of_a_text_has_mels_and_when_each_word_begins(corpus, wavs, tmp_path, spec):
    one = chosen(corpus, wavs, tmp_path, text="Hi 2 <you>")
    spoken = replace(one.sound, prompt=Prompt("Hi 2 <you>"))
    timing = Timing("Hi two <you>", ("HH", "AY1", " ", "T", "UW1", " ", "Y", "UW1"), TIMES)
    page = card(replace(one, sound=spoken, timing=timing), spec, "demo")
    assert page.count('alt="Mel spectrogram, ') == 3
    assert page.count("<svg") == 2  # of the synthesis alone
    figure = page[page.index("</kbd> demo") : page.index("</kbd> clean")]
    assert figure.count("<rect") == 6
    assert "should be</span> Hi 2 &lt;you&gt;" in page
    assert "read as</span> Hi two &lt;you&gt;" in page
    assert "in symbols</span> HH AY1 · T UW1 · Y UW1" in page
    assert page.count("Hi 2 ") == 1


def test_nothing_of_that_is_in_other_cards(corpus, wavs, tmp_path, spec):
    page = card(chosen(corpus, wavs, tmp_path, text="Hi"), spec, "demo")
    assert page.count('alt="Spectrogram, ') == 3
    assert "text Hi" in page
    for word in ("<svg", "voice", "timed", "read as", "should be"):
        assert word not in page
