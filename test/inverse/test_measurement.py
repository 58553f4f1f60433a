"""What is known of a state: its spread, the nearest state that agrees, where the residual falls."""

import math

import pytest
import torch
from family import PATHS
from posterior import OPERATORS, RATE, STD, Gaussian, N, known_of, name

from diffaudio.codec import CompressedSTFT, LogMel, MelSpec
from diffaudio.inverse import Clip, LowPass, Mask, Measurement, of_states
from diffaudio.log import Refusal
from diffaudio.process import RectifiedFlow


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_the_variance_is_that_of_x0_given_z(path):
    """In closed form all along the path, and the prior's own where nothing of x_0 is in z."""
    white = Gaussian(torch.zeros(1).double(), torch.full((1, 1), STD**2).double())
    known = known_of(Clip(1.0), torch.ones(N))
    shares = torch.linspace(0.02, 1.0, 9, dtype=torch.float64)
    for at in path.at(path.t_min + shares * (path.t_max - path.t_min)).knots():
        explained = white.gain(at) * at.alpha if at.sigma > 0 else torch.zeros(1, 1)
        torch.testing.assert_close(known.variance(at), STD**2 * (1 - explained[0, 0].double()))


@pytest.mark.parametrize("operator", OPERATORS, ids=name)
def test_the_residual_falls_fastest_that_way(operator):
    """Against finite differences: of the norm, each item by itself."""
    known = known_of(operator, operator.measure(draw(1, 1, N))[0, 0], 2)
    x0, h = 0.3 * draw(2, 1, 1, N, seed=1), 1e-6

    def size(x0):
        return (known.measured - operator.measure(x0[:, 0])).flatten(1).norm(dim=1)

    slopes = [
        (size(x0 + h * unit) - size(x0 - h * unit)) / (2 * h)
        for unit in torch.eye(N).double().reshape(N, 1, 1, 1, N)
    ]
    gradient = torch.stack(slopes, -1)
    wanted = -gradient / gradient.norm(dim=1, keepdim=True)
    torch.testing.assert_close(known.descent(x0)[:, 0, 0], wanted, rtol=1e-5, atol=1e-7)


def test_without_a_residual_there_is_no_way_down():
    known = known_of(Clip(0.5), torch.full((N,), 0.5))
    assert (known.descent(torch.full((1, 1, 1, N), 0.9)) == 0).all()


def test_what_no_audio_could_give_is_dropped():
    low = LowPass(220.0, RATE)
    kept = torch.arange(N) % 3 > 0
    for operator in (low, Mask(kept), Clip(0.5)):
        y = draw(1, 1, N)
        known = known_of(operator, y[0, 0])
        torch.testing.assert_close(known.measured, operator.measure(y))
        torch.testing.assert_close(operator.measure(known.guess()[:, 0]), known.measured)
    in_gap = torch.where(kept, 1.0, math.nan)
    assert known_of(Mask(kept), in_gap).measured.isfinite().all()


def test_the_more_noise_the_less_is_corrected():
    """A known sample: (guess r^-2 + y / v) / (r^-2 + 1 / v), v the noise's variance."""
    (at,) = RectifiedFlow().at(torch.tensor([0.4], dtype=torch.float64)).knots()
    known = known_of(Mask(torch.ones(N, dtype=torch.bool)), torch.ones(N).double(), noise=0.5)
    r2, v = known.variance(at), (0.5 * STD) ** 2
    right = (0.2 / r2 + 1.0 / v) / (1 / r2 + 1 / v)
    found = known.nearest(torch.full((1, 1, 1, N), 0.2).double(), at)
    torch.testing.assert_close(found, right.expand_as(found))


def test_a_state_need_not_be_audio():
    """Compressed STFT: the nearest state decodes to audio that agrees; the residual has a slope."""
    codec, audio = CompressedSTFT(n_fft=32, hop=8), draw(2, 1, 100).float()
    mask = Mask(torch.arange(100) % 50 > 9)
    known = Measurement(mask, audio, lambda state: codec.decode(state, 100), codec.encode)
    state = codec.encode(draw(2, 1, 100, seed=3).float())
    (at,) = RectifiedFlow().at(torch.tensor([0.4])).knots()
    found = mask.measure(codec.decode(known.nearest(state, at), 100))
    torch.testing.assert_close(found, known.measured, atol=1e-4, rtol=1e-3)

    def size(x):
        return (known.measured - mask.measure(codec.decode(x, 100))).norm()

    assert size(state + 0.01 * known.descent(state)) < size(state)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"noise": -1.0}, "noise = -1"),
        ({"deviation": 0.0}, "deviation = 0"),
        ({"measured": torch.full((1, 1, N), math.nan)}, "not numbers"),
    ],
)
def test_what_is_no_measurement_is_refused(change, reason):
    same = {"measured": torch.ones(1, 1, N), "decode": torch.clone, "encode": torch.clone}
    with pytest.raises(Refusal, match=reason):
        Measurement(Clip(0.5), **{**same, **change})


MEL = LogMel(MelSpec(8000, n_fft=256, hop=64, bands=32), offset=-4.0, scale=0.5)


def test_frames_are_known_whose_window_meets_no_gap():
    """Frame k spans samples 64 k - 128 to 64 k + 128; the gap is 1000 to 1399."""
    kept = torch.ones(4000, dtype=torch.bool)
    kept[1000:1400] = False
    sound = 0.1 * draw(1, 1, 4000).float()
    known = of_states(Mask(kept), sound, MEL.encode)
    kept = known.operator.kept.all(0)
    for k in range(63):
        lost = max(0, min(64 * k + 128, 1400) - max(64 * k - 128, 1000))
        assert kept[k] or lost > 0
        assert not (kept[k] and lost > 40)  # the window is next to 0 at its ends
    there = MEL.encode(sound)
    found = known.nearest(0 * there, at=None)
    torch.testing.assert_close(found[..., kept], there[..., kept], atol=0.05, rtol=0)


def test_bands_are_known_that_lie_below_the_cutoff():
    known = of_states(LowPass(2000.0, 8000), 0.1 * draw(1, 1, 4000).float(), MEL.encode)
    bands = (MEL.filters > 0).float()
    bins = torch.arange(129) * 8000 / 256
    highest = (bands * bins).amax(1)
    kept = known.operator.kept.float().mean(1)  # some frames have next to nothing in a band
    assert (kept[highest < 1850.0] > 0.95).all()
    assert (kept[highest > 2100.0] < 0.05).all()


def test_a_sound_of_which_no_frame_is_whole_is_refused():
    kept = torch.arange(4000) % 200 < 2
    with pytest.raises(Refusal, match="too little is known"):
        of_states(Mask(kept), 0.1 * draw(1, 1, 4000).float(), MEL.encode)
