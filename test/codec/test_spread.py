"""Mels spread over the bins of an STFT: alike from audio and from mels, frame by frame."""

import pytest
import torch

from diffaudio.codec import CompressedSTFT, LogMel, MelSpec, SpreadMel
from diffaudio.log import Refusal

MEL = MelSpec(rate=8000, n_fft=256, hop=64, bands=20)


def sound(samples=2000):
    return 0.1 * torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("samples", [1, 63, 64, 65, 2000])
def test_frames_and_bins_are_those_of_the_stft(samples):
    spread, stft = SpreadMel(MEL), CompressedSTFT(256, 64)
    made, beside = spread.encode(sound(samples)), stft.encode(sound(samples))
    assert made.shape == (2, 1, *beside.shape[2:])
    assert made.shape[-1] == spread.frames(torch.tensor(samples))


def test_from_mels_it_is_what_it_is_from_audio():
    spread, mel = SpreadMel(MEL), LogMel(MEL, offset=-3.0, scale=0.4)
    state = mel.encode(sound())
    known = state.shape[-1]
    torch.testing.assert_close(
        spread.spread(state / mel.scale + mel.offset, 2000)[..., :known],
        spread.encode(sound())[..., :known],
        atol=1e-4,
        rtol=1e-4,
    )


def test_it_follows_the_spectrum_and_is_scaled():
    """A tone is loudest in its own bin; offset and scale are those of the logarithm."""
    tone = torch.sin(2 * torch.pi * 1000 / 8000 * torch.arange(4000))[None, None]
    plain, moved = SpreadMel(MEL, 0.0, 1.0).encode(tone), SpreadMel(MEL, -5.0, 0.5).encode(tone)
    assert abs(int(plain[0, 0, :, 20].argmax()) - 1000 * 256 // 8000) <= 2
    torch.testing.assert_close(moved, 0.5 * (plain + 5.0))


def test_a_flat_spectrum_stays_flat_and_what_no_band_covers_is_as_the_nearest():
    low = MelSpec(rate=8000, n_fft=256, hop=64, bands=20, high=3000.0)
    for mel in (MEL, low):
        spread = SpreadMel(mel, 0.0, 1.0)
        flat = spread.bands.filters.sum(1)  # the bands of magnitudes that are all 1
        made = spread.spread(torch.log(flat)[None, None, :, None].expand(1, 1, 20, 8), 400)
        torch.testing.assert_close(made, torch.zeros_like(made), atol=1e-5, rtol=0.0)
    state = SpreadMel(low).encode(sound())
    assert torch.equal(state[:, :, 97:], state[:, :, 96:97].expand_as(state[:, :, 97:]))


def test_frames_beyond_the_last_mel_are_like_it_when_the_audio_is_not_known():
    mels = LogMel(MEL, offset=0.0, scale=1.0).encode(sound(2000))
    state = SpreadMel(MEL).spread(mels, 2000)
    assert state.shape[-1] > mels.shape[-1]
    assert torch.equal(state[..., -1], state[..., mels.shape[-1] - 1])


def test_an_end_has_the_loudness_of_the_stft_s_frames_there():
    """Even where speech is cut: the STFT divided by what is expected stays white to the end."""
    spread, stft = SpreadMel(MEL, power=1.0), CompressedSTFT(256, 64, exponent=1.0, scale=1.0)
    state = stft.encode(sound(2000)) / spread.expected(spread.encode(sound(2000)))
    loudness = state.square().mean((0, 1, 2)).sqrt()
    torch.testing.assert_close(loudness[-4:], loudness[4:8], atol=0.0, rtol=0.3)


def test_states_divided_by_what_is_expected_are_white():
    """Noise through a filter, 40 dB from end to end: about unit power in every bin."""
    generator = torch.Generator().manual_seed(0)
    white = torch.fft.rfft(torch.randn(1, 1, 64_000, generator=generator))
    tilt = 10 ** (-2.0 * torch.linspace(0.0, 1.0, white.shape[-1]))
    audio = torch.fft.irfft(white * tilt)
    spread, stft = SpreadMel(MEL, power=0.5), CompressedSTFT(256, 64, 0.5, 2**0.5)
    state, y = stft.encode(audio), spread.encode(audio)
    assert state[:, :, 5].std() > 5 * state[:, :, 120].std()
    powers = (state / spread.expected(y)).square().mean((0, 1, 3))
    assert powers[3:-3].min() > 0.6
    assert powers[3:-3].max() < 1.3
    assert SpreadMel(MEL).expected(y) is None


def test_there_is_no_way_back():
    with pytest.raises(Refusal, match="no way back"):
        SpreadMel(MEL).decode(torch.zeros(1, 1, 129, 3), 100)


def test_a_sound_is_fitted_to_mels_round_by_round():
    """White noise gets the loudness of a sweep's mels, and keeps it."""
    times = torch.arange(4000) / 8000
    sweep = 0.3 * torch.sin(2 * torch.pi * (200 * times + 2000 * times**2))[None, None]
    noise = 0.1 * torch.randn(1, 1, 4000, generator=torch.Generator().manual_seed(0))
    off = []
    for rounds in (0, 1, 2, 6):
        spread = SpreadMel(MEL, offset=-3.0, scale=0.4, rounds=rounds)
        wanted = spread.encode(sweep)
        off.append((spread.encode(spread.fitted(noise, wanted)) - wanted).abs().mean().item())
    assert off[0] > 1.5 * off[1] > 1.5 * 1.1 * off[2]
    assert off[3] < off[2]


def test_a_sound_that_has_the_mels_is_left_alone():
    spread = SpreadMel(MEL)
    torch.testing.assert_close(
        spread.fitted(sound(), spread.encode(sound())), sound(), atol=1e-5, rtol=0.0
    )
    assert torch.equal(
        SpreadMel(MEL, rounds=0).fitted(sound(), spread.encode(0 * sound())), sound()
    )
    with pytest.raises(Refusal, match="rounds = -1"):
        SpreadMel(MEL, rounds=-1)
