import math

import pytest
import torch

from diffaudio.codec import CompressedSTFT


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
