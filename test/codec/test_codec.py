"""What holds for every codec, and for those that lose nothing."""

import pytest
import torch

from diffaudio.codec import CompressedSTFT, LogMel, MelSpec, SpreadMel, Waveform

CODECS = [
    CompressedSTFT(),
    CompressedSTFT(n_fft=512, hop=256, exponent=1.0, scale=1.0),
    CompressedSTFT(n_fft=320, hop=80, exponent=0.3, scale=2.0),
    Waveform(),
]
MEL = MelSpec(rate=8000, n_fft=256, hop=64, bands=20)


@pytest.mark.parametrize("codec", CODECS, ids=repr)
@pytest.mark.parametrize("samples", [1, 127, 128, 129, 4000])
def test_round_trip(codec, samples):
    audio = torch.randn(3, 2, samples, generator=torch.Generator().manual_seed(samples))
    state = codec.encode(audio)
    assert state.shape == (3, 2 * codec.channels, codec.bins, codec.frames(torch.tensor(samples)))
    torch.testing.assert_close(codec.decode(state, samples), audio, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("codec", [*CODECS, LogMel(MEL), SpreadMel(MEL)], ids=repr)
@pytest.mark.parametrize("samples", [127, 128, 129, 1000])
def test_padding_changes_no_frame(codec, samples):
    audio = torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(0))
    frames = int(codec.frames(torch.tensor(samples)))
    alone = codec.encode(audio)
    assert alone.shape[-1] == frames
    batched = codec.encode(torch.nn.functional.pad(audio, (0, 3000)))
    torch.testing.assert_close(batched[..., :frames], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_padding_changes_no_sample(codec):
    audio = torch.randn(1, 1, 1000, generator=torch.Generator().manual_seed(0))
    longer = torch.nn.functional.pad(audio, (0, 3000))
    frames = int(codec.frames(torch.tensor(1000)))
    alone, batched = codec.encode(audio), codec.encode(longer)
    batched[..., frames:] = 0
    decoded = codec.decode(batched, 4000)[..., :1000]
    torch.testing.assert_close(decoded, codec.decode(alone, 1000), atol=1e-6, rtol=1e-5)
