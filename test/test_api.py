import shutil

import numpy as np
import pytest
import soundfile
import torch

import diffaudio
from diffaudio.data import plan
from diffaudio.log import Refusal


@pytest.fixture(scope="module")
def model(tiny_exp):
    return diffaudio.load(tiny_exp, device="cpu")


def test_three_lines(tiny_exp, tmp_path, speech, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_exp, "exp/demo")
    soundfile.write("noisy.wav", speech(1.0), 8000)

    model = diffaudio.load("exp/demo")
    model.enhance("noisy.wav", "clean.wav")

    assert soundfile.info("clean.wav").frames == 8000


@pytest.mark.parametrize("shape", [(8000,), (8000, 1), (8000, 2), (1,)])
@pytest.mark.parametrize("rate", [None, 44100])
def test_an_array_comes_back_in_its_shape(model, shape, rate):
    x = 0.1 * np.random.default_rng(0).standard_normal(shape)
    y = model.enhance(x, rate=rate)
    assert y.shape == shape
    assert y.dtype == np.float32
    assert np.isfinite(y).all()


def test_the_same_audio_gives_the_same_output(model, tiny_exp, tmp_path, speech):
    x = speech(3.0)
    soundfile.write(tmp_path / "one.wav", x, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "two.wav", x, 8000, subtype="FLOAT")
    model.enhance(str(tmp_path / "one.wav"), tmp_path / "out.wav")
    of_files = [model.enhance(tmp_path / name) for name in ("one.wav", "two.wav", "one.wav")]
    written = soundfile.read(tmp_path / "out.wav", dtype="float32")[0]
    for y in of_files:
        np.testing.assert_allclose(y, model.enhance(x), atol=1e-6)
        np.testing.assert_allclose(y[:, 0], written, atol=1e-6)
    again = diffaudio.load(tiny_exp, device="cpu").enhance(torch.from_numpy(x))
    np.testing.assert_array_equal(again, model.enhance(x))


def test_an_array_can_be_written(model, tmp_path, speech):
    x = 0.1 * speech(1.0, 44100, 2)
    model.enhance(x, tmp_path / "out.wav", rate=44100)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.frames, info.channels) == (44100, 44100, 2)
    model.enhance(x[:, 0], tmp_path / "out.flac")
    assert soundfile.info(tmp_path / "out.flac").format == "FLAC"


def test_changes_of_the_decode_section(model, tiny_exp, speech):
    x = speech(0.3)
    other = diffaudio.load(
        tiny_exp, device="cpu", decode={"sampler.calls": 1, "seed": 3, "ema": False}
    )
    wanted = other._trained.piece(x, plan.key(3, 0))
    assert other._trained.meter.calls == 1
    np.testing.assert_allclose(other.enhance(x), wanted, atol=1e-6)
    assert np.abs(other.enhance(x) - model.enhance(x)).max() > 1e-3
    none = diffaudio.load(tiny_exp, decode={"weaker": None, "sampler.guidance": None})
    assert (none._trained.weaker, none._trained.spec.sampler.guidance) == (None, None)
    with pytest.raises(Refusal, match="seeds"):
        diffaudio.load(tiny_exp, decode={"seeds": 3})


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.zeros(10, np.int16), r"int16.*\n.*32768"),
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\)"),
        (np.zeros(0), r"shape \(0,\)"),
        (np.array([0.0, np.nan]), "not numbers"),
        ("no/such/file.wav", "No such file"),
    ],
)
def test_what_is_no_audio_is_refused(model, x, reason):
    with pytest.raises(Refusal, match=reason):
        model.enhance(x)


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(Refusal, match="is no trained model"):
        diffaudio.load(tmp_path)


def test_rate_is_the_models(model):
    assert model.rate == 8000


def test_sounds_from_nothing(tiny_prior, model):
    prior = diffaudio.load(tiny_prior, device="cpu")
    made = prior.generate(0.2, 3)
    assert (made.shape, made.dtype) == ((3, 1600), np.float32)
    np.testing.assert_allclose(prior.generate(0.2, first=2)[0], made[2], atol=1e-5)
    with pytest.raises(Refusal, match="not told label"):
        prior.generate(0.2, label="seven")
    with pytest.raises(Refusal, match="diffaudio enhance"):
        model.generate(0.2)
