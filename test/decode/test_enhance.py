import errno
import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from diffaudio.data import plan
from diffaudio.decode import enhance, stream
from diffaudio.log import Refusal

HARD_NAMES = ["a b.wav", "-x.wav", "$(touch boom).wav", '\'"q".wav', "two\nlines.wav", "😀é.wav"]


@pytest.fixture(scope="module")
def model(tiny_exp, loaded):
    return loaded(tiny_exp)


def put(path, x, rate=8000, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, x, rate, **how)
    return path


def get(path):
    x, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return x, rate


def test_a_file_at_the_models_rate_is_the_models_output(model, tmp_path, speech):
    x = speech(1.0)
    source = put(tmp_path / "in.wav", x, subtype="FLOAT")
    enhance.enhance_file(model, source, tmp_path / "out.wav")
    y, rate = get(tmp_path / "out.wav")
    assert rate == 8000
    np.testing.assert_allclose(y, model.piece(x, plan.key(0, 0)), atol=1e-6)


@pytest.mark.parametrize(
    ("rate", "channels", "seconds"), [(44100, 2, 0.7), (48000, 1, 3.3), (11025, 3, 0.01)]
)
def test_rate_channels_and_length_are_the_inputs(model, tmp_path, speech, rate, channels, seconds):
    source = put(tmp_path / "in.wav", speech(seconds, rate, channels), rate, subtype="PCM_24")
    enhance.enhance_file(model, source, tmp_path / "out.wav")
    before, after = soundfile.info(source), soundfile.info(tmp_path / "out.wav")
    assert (after.samplerate, after.channels, after.frames) == (rate, channels, before.frames)
    assert after.subtype == "PCM_24"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("o.WAV", "WAV PCM_24"), ("o.flac", "FLAC PCM_16"), ("o.ogg", "OGG VORBIS")],
)
def test_the_encoding_is_the_inputs_unless_the_suffix_changes(
    model, tmp_path, speech, name, wanted
):
    source = put(tmp_path / "in.wav", speech(0.2), subtype="PCM_24")
    enhance.enhance_file(model, source, tmp_path / name)
    info = soundfile.info(tmp_path / name)
    assert f"{info.format} {info.subtype}" == wanted


def test_a_sound_at_another_rate_comes_back_in_time(model, tmp_path, speech, monkeypatch):
    from diffaudio.decode.trained import Trained

    monkeypatch.setattr(Trained, "piece", lambda self, x, key: x)  # a model that changes nothing
    x = speech(5.0, 44100)
    source = put(tmp_path / "in.wav", x, 44100, subtype="FLOAT")
    enhance.enhance_file(model, source, tmp_path / "out.wav")
    y, _ = get(tmp_path / "out.wav")
    import soxr

    wanted = soxr.resample(soxr.resample(x, 44100, 8000), 8000, 44100)[: len(x)]
    np.testing.assert_allclose(y[: len(wanted)], wanted, atol=1e-4)


def test_the_models_rate_can_be_kept(model, tmp_path, speech, caplog):
    caplog.set_level("INFO")
    source = put(tmp_path / "in.wav", speech(1.0, 44100), 44100)
    enhance.enhance_file(model, source, tmp_path / "out.wav", keep_rate=False)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.frames) == (8000, 8000)
    assert "44100 Hz; resampled to the model's 8000 Hz" in caplog.text
    enhance.enhance_file(model, source, tmp_path / "out.wav")
    assert "and back, so nothing above 4000 Hz is left" in caplog.text


def test_the_same_sound_gives_the_same_bytes_under_any_name(model, tmp_path, speech):
    for name in HARD_NAMES:
        source = put(tmp_path / "in" / name, speech(3.0))
        enhance.enhance_file(model, source, tmp_path / "out" / name)
    assert sorted(os.listdir(tmp_path / "out")) == sorted(HARD_NAMES)
    assert len({(tmp_path / "out" / name).read_bytes() for name in HARD_NAMES}) == 1
    assert not (tmp_path / "boom").exists()


def test_a_folder_is_mirrored_and_one_bad_file_stops_no_other(model, tmp_path, speech, caplog):
    caplog.set_level("INFO")
    source, target = tmp_path / "in", tmp_path / "out"
    put(source / "b.flac", speech(0.3))
    put(source / "deep" / "er" / "c.ogg", speech(0.3))
    put(source / "z.mp3", speech(0.3))
    (source / "a.wav").write_bytes(b"")
    (source / "d.wav").write_text("not audio")
    (source / "notes.txt").write_text("hello")
    (source / "._b.flac").write_text("a resource fork")
    put(source / "nan.wav", np.full((100, 1), np.nan), subtype="FLOAT")
    put(source / "none.wav", np.zeros((0, 1)))
    work = enhance.pairs(source, target)
    assert len(work) == 7
    with pytest.raises(Refusal) as caught:
        enhance.enhance_files(model, work)
    made = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert made == ["b.flac", "deep/er/c.ogg", "z.mp3"]
    assert "4 of 7 files" in caught.value.message
    for name in ("a.wav: empty", "d.wav: not an audio", "nan.wav: a sample", "none.wav: holds no"):
        assert name in caught.value.message
    assert "1 files without an audio suffix" in caplog.text
    assert soundfile.info(target / "z.mp3").format == "MP3"


def test_a_file_that_breaks_in_the_middle_leaves_nothing(model, tmp_path, speech):
    whole = put(tmp_path / "in.flac", speech(8.0)).read_bytes()
    (tmp_path / "in.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refusal, match=r"in\.flac: cut short"):
        enhance.enhance_file(model, tmp_path / "in.flac", tmp_path / "out.flac")
    assert os.listdir(tmp_path) == ["in.flac"]


def test_the_input_is_never_the_output(model, tmp_path, speech):
    source = put(tmp_path / "a" / "in.wav", speech(0.1))
    before = source.read_bytes()
    (tmp_path / "link.wav").symlink_to(source)
    os.link(source, tmp_path / "hard.wav")
    for name in ("a/in.wav", "a/../a/in.wav", "link.wav", "hard.wav"):
        with pytest.raises(Refusal, match="one file"):
            enhance.enhance_file(model, source, tmp_path / name)
    with pytest.raises(Refusal, match="is an input"):
        enhance.pairs(tmp_path / "a", tmp_path / "a")
    put(tmp_path / "a" / "a" / "in.wav", speech(0.1))
    with pytest.raises(Refusal, match="is an input"):
        enhance.pairs(tmp_path / "a", tmp_path)
    assert source.read_bytes() == before


def test_what_lies_below_the_output_is_no_input(tmp_path, speech):
    put(tmp_path / "x.wav", speech(0.1))
    put(tmp_path / "out" / "x.wav", speech(0.1))
    assert enhance.pairs(tmp_path, tmp_path / "out") == [
        (tmp_path / "x.wav", tmp_path / "out" / "x.wav")
    ]


def test_files_and_folders_do_not_mix(tmp_path, speech):
    source = put(tmp_path / "x.wav", speech(0.1))
    (tmp_path / "d").mkdir()
    with pytest.raises(Refusal, match=r"is a folder.*\n.*such as .*d/x\.wav"):
        enhance.pairs(source, tmp_path / "d")
    with pytest.raises(Refusal, match="is a file"):
        enhance.pairs(tmp_path, source)
    with pytest.raises(Refusal, match="no audio files"):
        enhance.pairs(tmp_path / "d", tmp_path / "e")


def test_a_folder_that_may_not_be_written_is_named(model, tmp_path, speech, monkeypatch):
    source = put(tmp_path / "x.wav", speech(0.1))

    def refused(path, *rest):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(stream, "atomic", refused)
    with pytest.raises(Refusal, match=r"out\.wav: cannot be written \(Permission denied\)"):
        enhance.enhance_file(model, source, tmp_path / "out.wav")


def test_memory_does_not_grow_with_length(model, tmp_path, speech, monkeypatch):
    from diffaudio.decode.trained import Trained

    monkeypatch.setattr(Trained, "piece", lambda self, x, key: x)
    peaks = []
    for seconds in (30, 300):
        source = put(tmp_path / "in.wav", speech(seconds, 16000, 2), 16000)
        tracemalloc.start()
        enhance.enhance_file(model, source, tmp_path / "out.wav")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 5e6


def test_more_channels_than_fit_a_group_are_refused(model, tmp_path, speech):
    pair = replace(model, audio=replace(model.audio, channels=2))
    source = put(tmp_path / "x.wav", speech(0.1, channels=3))
    with pytest.raises(Refusal, match=r"x\.wav: 3 channels, but the model takes 2 at a time"):
        enhance.enhance_file(pair, source, tmp_path / "y.wav")
