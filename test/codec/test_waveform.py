import torch

from diffaudio.codec import Waveform


def test_a_waveform_is_divided_by_its_deviation():
    codec, audio = Waveform(deviation=0.25), torch.full((1, 2, 3), 0.5)
    state = codec.encode(audio)
    assert torch.equal(state, torch.full((1, 2, 1, 3), 2.0))
    assert torch.equal(codec.decode(state, 2), audio[..., :2])
