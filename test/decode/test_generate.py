"""Sounds from nothing: each its own by seed and number, told what it is told, and refusals."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from diffaudio.codec import Waveform
from diffaudio.decode.generate import generate_files, generated
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import Labels, WaveNet
from diffaudio.process import ClassifierFree, Objective, RectifiedFlow, Uniform, Velocity
from diffaudio.solve import DDIM, Sampler, UniformGrid


@pytest.fixture(scope="module")
def model(tiny_exp, loaded):
    """Return a maker of models that know two labels, of random weights."""

    def make(drop=0.1, condition=True, **spec):
        torch.manual_seed(0)
        labels = partial(Labels, field="label", names=["one", "two"], drop=drop)
        net = partial(WaveNet, width=8, layers=2)
        parts = Waveform(), RectifiedFlow(), Velocity()
        told = labels if condition else None
        made = Model(*parts, net, Objective(Uniform()), condition=told)
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        whole = loaded(tiny_exp)
        sampler = Sampler(DDIM(), UniformGrid(), 3)
        spec = replace(whole.spec, **{"sampler": sampler, "batch_seconds": 0.3, **spec})
        return replace(whole, model=made.eval().requires_grad_(False), spec=spec)

    return make


def sounds(model, fields, count=1, first=0):
    return np.stack(list(generated(model, 0.1, fields, count, first)))


def test_a_sound_is_its_seed_s_and_number_s_whatever_is_made_beside_it(model):
    one = {"label": "one"}
    many = sounds(model(), one, 5)
    assert many.shape == (5, 800, 1)
    assert np.isfinite(many).all()
    np.testing.assert_allclose(sounds(model(), one, 1, first=4)[0], many[4], atol=1e-5)
    assert np.abs(many[4] - many[3]).max() > 1e-2
    assert np.abs(sounds(model(seed=1), one)[0] - many[0]).max() > 1e-2


def test_what_is_told_counts_and_so_does_nothing(model):
    one, two, none = (sounds(model(), told)[0] for told in ({"label": "one"}, {"label": "two"}, {}))
    for a, b in ((one, two), (one, none), (two, none)):
        assert np.abs(a - b).max() > 1e-3
    guided = Sampler(DDIM(), UniformGrid(), 3, guidance=ClassifierFree(0.0))
    np.testing.assert_allclose(sounds(model(sampler=guided), {"label": "two"})[0], none, atol=1e-5)
    assert sounds(model(condition=False), {}).shape == (1, 800, 1)


def test_files_are_numbered(model, tmp_path):
    generate_files(model(), tmp_path / "new" / "one.flac", 0.1, {"label": "one"}, None)
    generate_files(model(), tmp_path / "many", 0.1, {"label": "one"}, 2)
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert names == ["many/000.wav", "many/001.wav", "new/one.flac"]


@pytest.mark.parametrize(
    ("fields", "spec", "reason"),
    [
        ({"word": "one"}, {}, r"not told word.*\n.*label"),
        ({"label": "three"}, {}, "three"),
        ({}, {"drop": 0.0}, r"always told label.*\n.*give label"),
        ({"label": "one"}, {"condition": False}, r"not told label.*\n.*told nothing"),
    ],
)
def test_what_the_model_is_not_told_is_refused(model, fields, spec, reason):
    with pytest.raises(Refusal, match=reason):
        sounds(model(**spec), fields)


@pytest.mark.parametrize(("seconds", "count", "first"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_nothing_to_make_is_refused(model, seconds, count, first):
    with pytest.raises(Refusal, match="ask for at least one"):
        list(generated(model(), seconds, {"label": "one"}, count, first))


def test_a_model_that_is_given_audio_makes_none_from_nothing(tiny_exp, loaded):
    with pytest.raises(Refusal, match="diffaudio enhance"):
        list(generated(loaded(tiny_exp), 0.1, {}, 1))
