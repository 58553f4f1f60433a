import io
import os
import resource

import numpy as np
import pytest
import soundfile

from diffaudio.decode import stream
from diffaudio.log import Refusal

HARD_NAMES = ["a b.wav", "-x.wav", "$(touch boom).wav", '\'"q".wav', "two\nlines.wav", "😀é.wav"]


def noise(seconds=1.0, rate=16000, channels=1, seed=0):
    x = np.random.default_rng(seed).standard_normal((int(seconds * rate), channels))
    return (0.1 * x).astype(np.float32)


def read(path):
    with stream.reading(path) as sound:
        return np.concatenate(list(stream.blocks(path, sound))), sound.samplerate


def put(path, x, rate=16000, encoding=None):
    encoding = encoding or stream.Encoding("WAV", "FLOAT")
    with stream.writing(path, rate, x.shape[1], encoding) as write:
        for block in np.array_split(x, 3):
            write(block)


@pytest.mark.parametrize("name", HARD_NAMES)
def test_round_trip_under_hard_names(tmp_path, name):
    x = noise(2.3, channels=2)
    put(tmp_path / name, x)
    y, rate = read(tmp_path / name)
    assert rate == 16000
    np.testing.assert_array_equal(y, x)
    assert os.listdir(tmp_path) == [name]
    assert "\n" not in stream.shown(tmp_path / name)


def test_a_name_that_is_not_utf8(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff\xfe.wav")
    put(path, noise())
    assert read(path)[0].shape == (16000, 1)
    stream.shown(path).encode()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("o.wav", ("WAV", "PCM_16")),
        ("o.FLAC", ("FLAC", "PCM_16")),
        ("o.ogg", ("OGG", "VORBIS")),
        ("o.opus", ("OGG", "OPUS")),
        ("o.mp3", ("MP3", "MPEG_LAYER_III")),
        ("o.aif", ("AIFF", "PCM_16")),
    ],
)
def test_a_suffix_names_an_encoding_that_can_be_written(tmp_path, name, wanted):
    encoding = stream.Encoding.named(tmp_path / name)
    assert encoding == stream.Encoding(*wanted)
    put(tmp_path / "out", noise(), encoding=encoding)
    assert soundfile.info(tmp_path / "out").frames == 16000


@pytest.mark.parametrize("name", ["o", "o.txt", "o.raw", "o.exe"])
def test_a_suffix_that_cannot_be_written_is_refused(tmp_path, name):
    with pytest.raises(Refusal, match="format"):
        stream.Encoding.named(tmp_path / name)


def encoded(format_, subtype):
    file = io.BytesIO()
    soundfile.write(file, noise(channels=2), 16000, format=format_, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("format_", "subtype"),
    [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16")],
)
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.02])
def test_a_truncated_file_is_refused(tmp_path, format_, subtype, kept):
    whole = encoded(format_, subtype)
    path = tmp_path / "x.wav"
    path.write_bytes(whole)
    assert read(path)[0].shape == (16000, 2)
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(Refusal, match=r"x\.wav: (cut short|not an audio file)"):
        read(path)


def test_a_wav_from_a_pipe_states_no_length_and_is_read_to_its_end(tmp_path):
    whole = encoded("WAV", "PCM_16")
    at = whole.index(b"data") + 4
    path = tmp_path / "x.wav"
    path.write_bytes(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :])
    assert read(path)[0].shape == (16000, 2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty file"), (b"hello, this is text\n" * 9, "not an audio file")],
)
def test_what_is_not_audio_is_refused(tmp_path, content, reason):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(Refusal, match=f"x.wav: {reason}"):
        read(tmp_path / "x.wav")


def test_missing_folder_and_no_samples_are_refused(tmp_path):
    with pytest.raises(Refusal, match="No such file"):
        read(tmp_path / "x.wav")
    with pytest.raises(Refusal, match="Is a directory"):
        read(tmp_path)
    soundfile.write(tmp_path / "x.wav", np.zeros((0, 1)), 16000)
    with pytest.raises(Refusal, match="holds no samples"):
        read(tmp_path / "x.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_not_a_number_is_named_with_its_time(tmp_path, value):
    x = noise(3.0)
    x[40000] = value
    soundfile.write(tmp_path / "x.wav", x, 16000, subtype="FLOAT")
    with pytest.raises(Refusal, match=r"not a number, at 2\.500 s"):
        read(tmp_path / "x.wav")


@pytest.mark.parametrize("rates", [(48000, 16000), (44100, 16000), (8000, 16000), (16000, 22050)])
def test_resampling_in_blocks_is_resampling_at_once(rates):
    import soxr

    x = noise(1.37, rates[0], 2)
    pieces = list(stream.resampled(np.array_split(x, 11), *rates, 2))
    np.testing.assert_allclose(np.concatenate(pieces), soxr.resample(x, *rates), atol=1e-5)


def test_exactly_cuts_and_fills():
    x = noise(0.01, channels=2)
    for samples in (100, 160, 163):
        y = np.concatenate(list(stream.exactly(np.array_split(x, 4), samples)))
        assert y.shape == (samples, 2)
        np.testing.assert_array_equal(y[:160], x[:samples])


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.ogg", "x.mp3"])
def test_a_full_disk_leaves_nothing_and_keeps_the_older_file(tmp_path, capfd, name):
    path, limits = tmp_path / name, resource.getrlimit(resource.RLIMIT_FSIZE)
    path.write_bytes(b"older")
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, limits[1]))  # of one file; a disk is as full
    try:
        with pytest.raises(Refusal, match=rf"{name}: could not be written \(File too large\)"):
            put(path, noise(3.0), encoding=stream.Encoding.named(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == [name]
    assert path.read_bytes() == b"older"
    assert capfd.readouterr().err == ""


def test_beyond_full_scale_is_clipped_and_said_or_kept_in_floats(tmp_path, caplog):
    x = noise()
    x[:7] = 1.5
    put(tmp_path / "i.wav", x, encoding=stream.Encoding("WAV", "PCM_16"))
    assert "7 samples beyond full scale" in caplog.text
    assert abs(read(tmp_path / "i.wav")[0][:7] - 1).max() < 1e-3
    put(tmp_path / "f.wav", x)
    assert (read(tmp_path / "f.wav")[0][:7] == 1.5).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_not_written(tmp_path, value):
    path, x = tmp_path / "x.wav", noise(0.1)[:, None]
    x[7] = value
    with (
        pytest.raises(Refusal, match="samples that are not numbers"),
        stream.writing(path, 16000, 1, stream.Encoding("WAV", "PCM_16")) as write,
    ):
        write(x)
    assert not path.exists()


def test_a_format_that_cannot_take_the_rate_is_refused(tmp_path):
    with pytest.raises(Refusal, match=r"o\.opus.*\n.*\.wav"):
        put(tmp_path / "o.opus", noise(), 44100, stream.Encoding("OGG", "OPUS"))
    assert os.listdir(tmp_path) == []
