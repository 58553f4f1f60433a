"""What restoration is held against: gaps, lines, copies of a band; and the whole script."""

import numpy as np
import pytest
import torch
from recipe import package_of

from diffaudio.inverse import LowPass


@pytest.fixture(scope="module")
def restoration():
    with package_of("sc09") as modules:
        yield modules("restoration")


def word(seed=0):
    """A second, noise of a falling spectrum between 0.3 and 0.6 s."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(16000, generator=random).cumsum(0)
    x = 0.1 * (x - x.mean()) / x.std()
    inside = (torch.arange(16000) >= 4800) & (torch.arange(16000) < 9600)
    return torch.where(inside, x, 0.0)[None, None]


def test_the_gap_is_in_the_middle_of_the_word(restoration):
    lost = torch.nonzero(~restoration._gap(word(), 1600).kept).flatten()
    assert len(lost) == 1600
    assert 4800 <= lost[0] < lost[-1] < 9600


def test_a_line_joins_the_gap_s_edges(restoration):
    how = restoration._gap(word(), 1600)
    made = restoration._line("", how.measure(word()), how)[0]
    lost = torch.nonzero(~how.kept).flatten()
    assert torch.equal(made[how.kept], word()[0, 0][how.kept])
    np.testing.assert_allclose(np.diff(made[lost], 2), 0, atol=1e-6)
    assert made[lost[0]] == pytest.approx(word()[0, 0, lost[0] - 1].item(), abs=1e-3)


def test_a_spectral_line_keeps_what_is_known_and_fills_the_gap(restoration):
    how = restoration._gap(word(), 1600)
    made = restoration._spectrum("", how.measure(word()), how)
    torch.testing.assert_close(made[0][how.kept], word()[0, 0][how.kept], atol=1e-6, rtol=0)
    level = made[0][~how.kept].square().mean() / word()[0, 0][~how.kept].square().mean()
    assert 0.1 < level < 10


def test_copies_of_the_band_are_as_loud_as_clips_are_there(restoration):
    how = LowPass(2000.0, 16000)
    clips = [word(seed) for seed in range(8)]
    gains = restoration._gains(clips, how)
    assert len(gains) == 3
    assert gains == sorted(gains, reverse=True)  # the spectrum falls
    made = restoration._replicated(how.measure(clips[0]), how, gains)
    spectrum, clip = torch.fft.rfft(made[0]), torch.fft.rfft(clips[0][0, 0])
    torch.testing.assert_close(spectrum[:2001], clip[:2001], atol=1e-3, rtol=1e-3)
    for number, gain in enumerate(gains, 1):
        copy = spectrum[number * 2001 : min((number + 1) * 2001, 8001)]
        wanted = gain * clip[: len(copy)]
        torch.testing.assert_close(copy[1:-1], wanted[1:-1], atol=1e-3, rtol=1e-2)
