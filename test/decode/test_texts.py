"""Texts through a model that reads: durations of symbols, seconds of parts, a whole set."""

import json
import shutil

import numpy as np
import pytest
import soundfile
import torch

from diffaudio.bin import decode
from diffaudio.data import plan
from diffaudio.decode import stage
from diffaudio.decode.meter import Meter
from diffaudio.decode.texts import look_up, read_texts
from diffaudio.files import read_json
from diffaudio.log import Refusal
from diffaudio.score.timing import DURATIONS, read_timings
from diffaudio.text import FOLDER, Characters, FrontEnd, cached

TEXTS = ["This is a.", "no", "and this is another"]
KEYS = [plan.key(0, text) for text in TEXTS]


@pytest.fixture(scope="module")
def voice(tiny_voice, loaded):
    return loaded(tiny_voice)


def test_symbols_last_as_long_as_the_sound_alone_and_in_company(voice):
    voice.meter.reset()
    made = read_texts(voice, KEYS, {"text": TEXTS})
    codec = voice.model.codec
    for text, key, one in zip(TEXTS, KEYS, made, strict=True):
        assert one.reading == voice.model.prior.front_end.read(text)
        assert len(one.frames) == len(one.reading.symbols) == len(text)
        assert sum(one.frames) == codec.frames(torch.tensor(len(one.sound)))
        (alone,) = read_texts(voice, [key], {"text": [text]})
        assert alone.frames == one.frames
        np.testing.assert_array_equal(alone.sound, one.sound)  # here; within rounding on a GPU


def test_parts_are_what_the_whole_is_made_of(voice):
    voice.meter.reset()
    read_texts(voice, KEYS, {"text": TEXTS})
    parts, before = dict(voice.meter.parts), voice.meter.seconds
    assert list(parts) == ["text", "sampler", "vocoder"]
    assert min(parts.values()) > 0
    assert 0.5 * before < sum(parts.values()) <= before
    read_texts(voice, KEYS, {"text": TEXTS})
    assert all(voice.meter.parts[name] > seconds for name, seconds in parts.items())
    voice.meter.reset()
    assert voice.meter.parts == {}


@pytest.mark.parametrize(("device", "waits"), [("cuda", ["cuda"]), ("cpu", [])])
def test_what_a_gpu_has_begun_counts_where_it_was_begun(monkeypatch, device, waits):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda place: waited.append(place.type))
    with Meter().part("text", torch.device(device)):
        assert waited == []
    assert waited == waits


def test_what_stage_3_has_read_is_looked_up(voice, tmp_path, monkeypatch):
    prior = voice.model.prior
    monkeypatch.setattr(prior, "reader", prior.front_end)
    look_up(voice, tmp_path)
    assert prior.reader is prior.front_end
    with cached(tmp_path / FOLDER, prior.front_end) as cache:
        cache.read("no")
    prior.front_end.save(tmp_path / FOLDER)
    look_up(voice, tmp_path)
    assert prior.reader.read("no") == prior.front_end.read("no")
    with pytest.raises(Refusal, match="'yes' is not among the readings"):
        prior.reader.read("yes")


def test_what_another_front_end_has_read_is_left_alone(voice, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", "diffaudio")
    prior = voice.model.prior
    monkeypatch.setattr(prior, "reader", prior.front_end)
    FrontEnd(Characters(), edges=True).save(tmp_path / FOLDER)
    look_up(voice, tmp_path)
    assert prior.reader is prior.front_end
    assert "read by another front end; the model reads the texts itself" in caplog.text


@pytest.fixture
def place(tiny_texts, tiny_voice, tmp_path, monkeypatch, in_this_process):
    """Return the folder of a voice's decoding; tasks run in this process."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_texts / "dump", "dump")
    shutil.copytree(tiny_texts / "data", "data")
    shutil.copytree(tiny_voice, "exp/voice")

    return tmp_path / "exp/voice/decode"


def run(tag="default", *more):
    asked = ["--config", "exp/voice/config.yaml", "--data", "data", "--dump", "dump"]
    return decode.main([*asked, "--exp", "exp/voice", "--tag", tag, *more])


def test_a_set_has_a_line_of_durations_for_each_wav(place, caplog):
    assert run() == 0
    rows = [json.loads(line) for line in (place / "default/test" / DURATIONS).open()]
    wavs = {path.stem: path for path in (place / "default/test").glob("*.wav")}
    assert {row["id"] for row in rows} == set(wavs)
    for row in rows:
        assert "".join(row["symbols"]) == row["said"]
        assert row["said"] == f"{row['id']}, {row['id']}."
        assert (row["hop"], row["rate"]) == (80, 8000)
        assert (sum(row["frames"]) - 1) * 80 + 1 == soundfile.info(wavs[row["id"]]).frames
    assert set(read_timings(place / "default/test")) == set(wavs)


def test_neither_slices_nor_an_interruption_change_them(place, monkeypatch):
    run()
    monkeypatch.setattr(stage, "_SLICE_SECONDS", 0.5)
    real = stage.decode_slice

    def dies(*, request, number, rows):
        if number == 2:
            raise KeyboardInterrupt
        return real(request=request, number=number, rows=rows)

    monkeypatch.setattr(stage, "decode_slice", dies)
    with pytest.raises(KeyboardInterrupt):
        run("other")
    assert not (place / "other/test" / DURATIONS).exists()
    monkeypatch.setattr(stage, "decode_slice", real)
    run("other")
    one, other = ((place / tag / "test" / DURATIONS).read_text() for tag in ("default", "other"))
    assert one == other


def test_decode_json_has_the_parts_and_says_what_made_the_sound(place, caplog):
    caplog.set_level("WARNING", "diffaudio")
    run()
    about = read_json(place / "default/test/decode.json")
    assert about["vocoder"] == "Griffin-Lim"
    assert set(about["parts"]) == {"text", "sampler", "vocoder"}
    shares = [part["share"] for part in about["parts"].values()]
    assert 0.5 < sum(shares) <= 1.0
    for part in about["parts"].values():
        assert part["rtf"] == pytest.approx(about["rtf"] * part["share"], rel=0.02, abs=1e-4)
    assert sum("no vocoder: Griffin-Lim" in one.message for one in caplog.records) <= 2
    caplog.clear()
    run()
    assert "no vocoder" not in caplog.text  # nothing was made


def test_a_slice_that_was_done_before_parts_were_timed_is_taken(place, monkeypatch):
    real = stage.decode_slice

    def older(**asked):
        counts = real(**asked)
        return {key: counts[key] for key in counts if key not in ("parts", "timings", "vocoder")}

    monkeypatch.setattr(stage, "decode_slice", older)
    run()
    about = read_json(place / "default/test/decode.json")
    assert "parts" not in about
    assert not (place / "default/test" / DURATIONS).exists()
