import struct

import numpy as np
import pytest
import soundfile

from diffaudio.data import audio, faults
from diffaudio.data.audio import AudioSpec
from diffaudio.data.problem import MENDS

RATE = 8000
PAIR = AudioSpec(rate=RATE, target="clean", given="noisy", max_seconds=10.0)
ONE = AudioSpec(rate=RATE, target="clean", max_seconds=10.0)


@pytest.fixture
def look(tmp_path, speech):
    """Return a function that writes clean.wav and noisy.wav and returns reasons and details."""

    def run(clean=None, noisy=None, *, spec=ONE, rates=(RATE, RATE), **row):
        sounds = {"clean": speech(1.0) if clean is None else clean, "noisy": noisy}
        for (role, x), rate in zip(sounds.items(), rates, strict=True):
            if x is not None:
                soundfile.write(tmp_path / f"{role}.wav", x, rate, subtype="FLOAT")
        files = {role: f"{role}.wav" for role in sounds}
        row = {"id": "a", "split": "train", "audio": files, **row}
        return faults.examine(row, tmp_path, spec)

    return run


def reasons(found):
    assert all(problem.reason in MENDS for problem in found)
    return [problem.reason for problem in found]


def test_a_good_pair_is_probed(look, speech):
    row, found = look(speech(1.0), speech(1.0) + 0.01, spec=PAIR)
    assert found == []
    assert (row["samples"], row["rate"], row["channels"]) == (RATE, RATE, 1)


def test_a_higher_rate_and_two_channels_are_no_fault(look, speech):
    row, found = look(speech(1.0, rate=16000, channels=2), rates=(16000, RATE))
    assert found == []
    assert (row["samples"], row["rate"], row["channels"]) == (16000, 16000, 2)


def test_of_a_part_only_the_part_counts(look, speech):
    x = speech(2.0)
    x[:RATE] = np.nan
    assert reasons(look(x)[1]) == ["not finite"]
    assert look(x[RATE:], end=None)[0]["samples"] == RATE  # as if it were not there
    row, found = look(x, start=1.25, end=1.75)
    assert found == []
    assert row["samples"] == RATE // 2


def test_missing_empty_and_unreadable(tmp_path, look):
    look()
    (tmp_path / "clean.wav").unlink()
    row = {"id": "a", "split": "train", "audio": {"clean": "clean.wav"}}
    [problem] = faults.examine(row, tmp_path, ONE)[1]
    assert (problem.reason, problem.file, problem.id) == ("missing", "clean.wav", "a")
    (tmp_path / "clean.wav").touch()
    assert reasons(faults.examine(row, tmp_path, ONE)[1]) == ["empty"]
    (tmp_path / "clean.wav").write_bytes(b"RIFX no audio at all")
    assert reasons(faults.examine(row, tmp_path, ONE)[1]) == ["unreadable"]
    soundfile.write(tmp_path / "clean.wav", np.zeros(0), RATE)
    assert reasons(faults.examine(row, tmp_path, ONE)[1]) == ["empty"]


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_a_wav_that_was_cut_is_truncated(tmp_path, speech, kept):
    audio.save(tmp_path / "clean.wav", speech(1.0), RATE)
    whole = (tmp_path / "clean.wav").read_bytes()
    (tmp_path / "clean.wav").write_bytes(whole[: int(kept * len(whole))])
    assert len(audio.load(tmp_path / "clean.wav")[0])  # the decoder is content with it
    row = {"id": "a", "split": "train", "audio": {"clean": "clean.wav"}}
    [problem] = faults.examine(row, tmp_path, ONE)[1]
    assert problem.reason == "truncated"
    assert problem.detail == f"its header states 16044 bytes, it has {int(kept * 16044)}"


def test_a_wav_that_was_written_to_a_pipe_is_not_truncated(tmp_path, speech):
    audio.save(tmp_path / "clean.wav", speech(1.0), RATE)
    whole = bytearray((tmp_path / "clean.wav").read_bytes())
    whole[4:8] = struct.pack("<I", 0xFFFFFFFF)
    (tmp_path / "clean.wav").write_bytes(whole)
    row = {"id": "a", "split": "train", "audio": {"clean": "clean.wav"}}
    assert faults.examine(row, tmp_path, ONE)[1] == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda x: np.where(np.arange(len(x)) == 7, np.nan, x[:, 0]), "not finite"),
        (lambda x: np.where(np.arange(len(x)) == 7, np.inf, x[:, 0]), "not finite"),
        (lambda x: x[:1000], "too short"),
        (lambda x: np.tile(x, (11, 1)), "too long"),
        (lambda x: 1e-3 * x, "silent"),
        (lambda x: np.clip(30 * x, -1, 1), "clipped"),
        (lambda x: 30 * x, "clipped"),
        (lambda x: x + 0.1, "dc offset"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(look, speech, spoil, reason):
    assert reasons(look(spoil(speech(1.0)))[1]) == [reason]


def test_a_length_in_the_header_that_no_memory_holds_is_not_decoded(tmp_path, speech):
    path = tmp_path / "clean.flac"
    soundfile.write(path, speech(1.0), RATE)
    head = bytearray(path.read_bytes())
    head[21:26] = bytes([head[21] | 0x0F, 0xFF, 0xFF, 0xFF, 0xFF])  # 2^36 - 1 samples
    path.write_bytes(head)
    row = {"id": "a", "split": "train", "audio": {"clean": "clean.flac"}}
    assert reasons(faults.examine(row, tmp_path, ONE)[1]) == ["too long"]


def test_a_lower_rate_than_the_models_is_wrong(look):
    wide = AudioSpec(rate=16000, target="clean")
    [problem] = look(spec=wide)[1]
    assert problem.reason == "wrong rate"
    assert "8000 Hz, audio.rate is 16000 Hz" in problem.detail


def test_one_channel_does_not_do_for_two(look):
    stereo = AudioSpec(rate=RATE, target="clean", channels=2)
    assert reasons(look(spec=stereo)[1]) == ["wrong channels"]


def test_pairs_of_different_rate_channels_and_length(look, speech):
    other = speech(1.0, rate=16000)
    assert reasons(look(speech(1.0), other, spec=PAIR, rates=(RATE, 16000))[1]) == ["rate mismatch"]
    two = np.tile(speech(1.0), (1, 2))
    assert reasons(look(speech(1.0), two, spec=PAIR)[1]) == ["channel mismatch"]
    [problem] = look(speech(1.0), speech(1.0)[:-1], spec=PAIR)[1]
    assert (problem.reason, problem.file) == ("length mismatch", "noisy.wav")
    assert problem.detail == "7999 samples, the target has 8000"


def noisy_copy(x, delay, snr_db):
    """Return `x` some samples later in noise whose spectrum falls as that of speech."""
    shifted = np.roll(x, delay, axis=0)
    white = np.random.default_rng(1).standard_normal(len(x))
    noise = np.convolve(white, 0.8 ** np.arange(50), "same")[:, None]
    return shifted + noise * np.sqrt((x**2).mean() / (noise**2).mean() / 10 ** (snr_db / 10))


@pytest.mark.parametrize("snr_db", [0, 15])
@pytest.mark.parametrize("delay", [-300, -3, 3, 40, 700])
def test_a_delay_is_found_in_noise(look, speech, delay, snr_db):
    x = speech(3.0)
    [problem] = look(x, 0.5 * noisy_copy(x, delay, snr_db), spec=PAIR)[1]
    assert problem.reason == "delay mismatch"
    assert problem.detail.startswith(f"{abs(delay)} samples {'late' if delay > 0 else 'early'}")


@pytest.mark.parametrize("snr_db", [-5, 0, 15])
def test_no_delay_is_found_where_there_is_none(look, speech, snr_db):
    x = speech(3.0)
    assert look(x, 0.5 * noisy_copy(x, 0, snr_db), spec=PAIR)[1] == []


def test_unrelated_signals_give_no_delay(look, speech):
    other = 0.1 * np.random.default_rng(5).standard_normal((3 * RATE, 1))
    assert look(speech(3.0), other, spec=PAIR)[1] == []


def test_both_files_are_reported(look, speech):
    silent = np.zeros((RATE, 1))
    found = look(speech(1.0) * 30, silent, spec=PAIR)[1]
    assert [(p.reason, p.file) for p in found] == [
        ("clipped", "clean.wav"),
        ("silent", "noisy.wav"),
    ]
