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
    torch.testing.assert_close(
        spread.spread(state / mel.scale + mel.offset, 2000),
        spread.encode(sound()),
        atol=1e-4,
        rtol=1e-4,
    )


def test_it_follows_the_spectrum_and_is_scaled():
    """A tone is loudest in its own bin; offset and scale are those of the logarithm."""
    tone = torch.sin(2 * torch.pi * 1000 / 8000 * torch.arange(4000))[None, None]
    plain, moved = SpreadMel(MEL, 0.0, 1.0).encode(tone), SpreadMel(MEL, -5.0, 0.5).encode(tone)
    assert abs(int(plain[0, 0, :, 20].argmax()) - 1000 * 256 // 8000) <= 2
    torch.testing.assert_close(moved, 0.5 * (plain + 5.0))


def test_there_is_no_way_back():
    with pytest.raises(Refusal, match="no way back"):
        SpreadMel(MEL).decode(torch.zeros(1, 1, 129, 3), 100)
