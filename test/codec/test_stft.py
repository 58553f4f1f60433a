import math

import pytest
import torch

from diffaudio.codec import CompressedSTFT, Waveform

CODECS = [
    CompressedSTFT(),
    CompressedSTFT(n_fft=512, hop=256, exponent=1.0, scale=1.0),
    CompressedSTFT(n_fft=320, hop=80, exponent=0.3, scale=2.0),
    Waveform(),
]


@pytest.mark.parametrize("codec", CODECS, ids=repr)
@pytest.mark.parametrize("samples", [1, 127, 128, 129, 4000])
def test_round_trip(codec, samples):
    audio = torch.randn(3, 2, samples, generator=torch.Generator().manual_seed(samples))
    state = codec.encode(audio)
    assert state.shape == (3, 2 * codec.channels, codec.bins, codec.frames(torch.tensor(samples)))
    torch.testing.assert_close(codec.decode(state, samples), audio, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_padding_changes_nothing(codec):
    """An utterance's frames and samples are the same alone and in a longer batch."""
    audio = torch.randn(1, 1, 1000, generator=torch.Generator().manual_seed(0))
    longer = torch.nn.functional.pad(audio, (0, 3000))
    frames = int(codec.frames(torch.tensor(1000)))
    alone, batched = codec.encode(audio), codec.encode(longer)
    torch.testing.assert_close(batched[..., :frames], alone)
    batched[..., frames:] = 0
    decoded = codec.decode(batched, 4000)[..., :1000]
    torch.testing.assert_close(decoded, codec.decode(alone, 1000), atol=1e-6, rtol=1e-5)


def test_compression_is_the_published_formula():
    """A sine's state has magnitude s |X|^e and the phase of X."""
    codec = CompressedSTFT(n_fft=256, hop=64, exponent=0.5, scale=0.15)
    n = torch.arange(4096.0)
    audio = 0.5 * torch.cos(2 * torch.pi * 33 / 256 * n + 0.7)[None, None]
    state = codec.encode(audio)[0, :, 33]
    expected = 0.5 / 2 * 256 / 2  # amplitude / 2 times the window's sum
    magnitude = 0.15 * math.sqrt(expected)
    for frame in (20, 21, 22):  # starts at sample 64 frame - 128, a half window before its middle
        phase = 2 * math.pi * 33 / 256 * (64 * frame - 128) + 0.7
        assert state[0, frame].item() == pytest.approx(magnitude * math.cos(phase), abs=1e-3)
        assert state[1, frame].item() == pytest.approx(magnitude * math.sin(phase), abs=1e-3)


def test_a_waveform_is_divided_by_its_deviation():
    codec, audio = Waveform(deviation=0.25), torch.full((1, 2, 3), 0.5)
    state = codec.encode(audio)
    assert torch.equal(state, torch.full((1, 2, 1, 3), 2.0))
    assert torch.equal(codec.decode(state, 2), audio[..., :2])


def test_gradient_is_finite_at_zero():
    codec = CompressedSTFT()
    state = torch.zeros(1, 2, codec.bins, 9, requires_grad=True)
    codec.decode(state, 500).square().sum().backward()
    assert torch.isfinite(state.grad).all()


def test_refuses_impossible_windows():
    with pytest.raises(ValueError, match="even"):
        CompressedSTFT(n_fft=511)
    with pytest.raises(ValueError, match="positive"):
        CompressedSTFT(exponent=0.0)
