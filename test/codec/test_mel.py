import math

import numpy as np
import pytest
import torch

from diffaudio.codec import LogMel, MelSpec
from diffaudio.log import Refusal
from diffaudio.metrics.mel import mel_filters

SMALL = MelSpec(8000, n_fft=256, hop=64, bands=32)


def speechlike(samples, rate=8000):
    """A gliding tone with overtones, its level rising and falling."""
    t = torch.arange(samples) / rate
    phase = 2 * math.pi * (150 * t + 40 * t.square())
    tones = sum(torch.sin(k * phase) / k for k in range(1, 9))
    return (0.1 * tones * torch.sin(5 * t).square())[None, None]


def test_states_are_scaled_logarithms_of_the_bands_of_an_independent_filterbank():
    codec, audio = LogMel(SMALL, offset=-4.0, scale=0.5), speechlike(4000)
    state = codec.encode(audio)
    assert state.shape == (1, 1, 32, 63)
    padded = np.pad(audio[0, 0].double().numpy(), 128)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    for frame in (0, 31, 62):
        magnitudes = np.abs(np.fft.rfft(window * padded[64 * frame : 64 * frame + 256]))
        bands = np.maximum(mel_filters(32, 256, 8000) @ magnitudes, 1e-5)
        wanted = 0.5 * (np.log(bands) + 4.0)
        np.testing.assert_allclose(state[0, 0, :, frame], wanted, atol=2e-3)


def test_silence_is_the_floor():
    codec = LogMel(SMALL, offset=-4.0, scale=0.5)
    state = codec.encode(torch.zeros(1, 1, 640))
    assert torch.allclose(state, torch.tensor(0.5 * (math.log(1e-5) + 4.0)))
    assert codec.decode(state, 640).abs().max() < 1e-3


@pytest.mark.parametrize("samples", [1, 63, 64, 65, 1000, 4001])
def test_the_sound_that_is_found_has_the_spectrogram_and_the_length(samples):
    codec, audio = LogMel(SMALL, scale=1.0), speechlike(samples)
    state = codec.encode(audio)
    assert state.shape[-1] == codec.frames(torch.tensor(samples))
    found = codec.decode(state, samples)
    assert found.shape == audio.shape
    if samples >= 1000:  # mean difference of the logarithms, where there is sound
        loud = state > state.amax() - 4.0
        assert (codec.encode(found) - state)[loud].abs().mean() < 0.2


def test_each_iteration_brings_the_spectrogram_nearer():
    audio, apart = speechlike(8000), []
    for iterations in (0, 4, 32):
        codec = LogMel(SMALL, scale=1.0, iterations=iterations)
        state = codec.encode(audio)
        again = codec.encode(codec.decode(state, 8000))
        apart.append((again.exp() - state.exp()).square().mean().item())
    assert apart[1] < 0.2 * apart[0]
    assert apart[2] < 0.8 * apart[1]


def test_padding_changes_no_frame_and_an_item_decodes_alike_in_a_batch():
    codec, audio = LogMel(SMALL), speechlike(1000)
    frames = int(codec.frames(torch.tensor(1000)))
    longer = torch.nn.functional.pad(audio, (0, 3000))
    alone, batched = codec.encode(audio), codec.encode(longer)[..., :frames]
    torch.testing.assert_close(batched, alone)
    both = torch.cat([alone, codec.encode(speechlike(1000).flip(-1))])
    torch.testing.assert_close(codec.decode(both, 1000)[:1], codec.decode(alone, 1000))
    assert torch.equal(codec.decode(alone, 1000), codec.decode(alone, 1000))  # no fresh phases


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n_fft": 255}, "n_fft 255"),
        ({"hop": 200}, "hop 200"),
        ({"high": 5000.0}, "high 5000 Hz"),
        ({"low": 4000.0}, "low 4000 Hz"),
        ({"floor": 0.0}, "floor 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong, said):
    with pytest.raises(Refusal, match=said):
        MelSpec(**{"rate": 8000, "n_fft": 256, "hop": 64, **wrong})
    with pytest.raises(Refusal, match="scale = 0"):
        LogMel(SMALL, scale=0.0)


def test_phases_are_found_beside_what_is_known():
    """A gap of a frame's length, all magnitudes told: what fills it is nearer than silence is."""
    codec, audio = LogMel(SMALL, scale=1.0), speechlike(4000)
    kept = torch.ones(4000, dtype=torch.bool)
    kept[2000:2200] = False
    state = codec.encode(audio)

    def apart(found):
        return ((found - audio)[..., ~kept].norm() / audio[..., ~kept].norm()).item()

    beside = codec.complete(state, 4000, lambda x: torch.where(kept, audio, x))
    assert torch.equal(beside[..., kept], audio[..., kept])
    assert apart(beside) < 0.8 < 1.2 < apart(codec.decode(state, 4000))


HIFIGAN = MelSpec(22050, high=8000.0)
VOCOS = MelSpec(24000, bands=100, floor=1e-7, mel_scale="htk", norm=None)


@pytest.mark.parametrize(
    ("mel", "late", "least"), [(HIFIGAN, 128, 1e-9), (VOCOS, 0, 0.0)], ids=["hifigan", "vocos"]
)
@pytest.mark.slow  # librosa needs seconds to import
def test_published_vocoders_mels_can_be_had(mel, late, least):
    """HiFi-GAN's frames have 384 samples before the first hop: ours are those of a later sound.

    It adds 1e-9 to the powers, which is to be seen next to the floor alone.
    """
    filters = pytest.importorskip("librosa").filters.mel(
        sr=mel.rate,
        n_fft=1024,
        n_mels=mel.bands,
        fmax=mel.high,
        htk=mel.mel_scale == "htk",
        norm=mel.norm,
    )
    audio = speechlike(12000, mel.rate)
    ours = LogMel(mel, offset=0.0, scale=1.0).encode(audio)[0, 0]
    before = 384 if late else 512
    padded = np.pad(audio[0, 0].numpy(), (late + before, 1024))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    for frame in range(0, 46, 5):
        powers = np.abs(np.fft.rfft(window * padded[256 * frame : 256 * frame + 1024])) ** 2
        bands = np.maximum(filters @ np.sqrt(powers + least), mel.floor)
        gap = np.abs(np.log(bands) - ours[:, frame].numpy())
        assert gap.max() < (0.14 if least else 0.03)  # fp32 is coarse where it is that quiet
        assert gap[bands > 1e-3].max(initial=0.0) < 3e-3


def test_what_no_sound_can_be_becomes_the_loudest_that_one_can():
    """A model after a few steps goes that far, and exponentials would be infinite."""
    codec, told = LogMel(SMALL), []
    wild = torch.full((1, 1, 32, 63), 500.0)
    assert codec.decode(wild, 4000).isfinite().all()
    codec.vocoder = lambda logs, samples: told.append(logs) or torch.zeros(1, 1, samples)
    codec.decode(wild, 4000)
    at = torch.arange(4000) / 8000
    logs = LogMel(SMALL, offset=0.0, scale=1.0).encode(
        torch.stack([torch.cos(2 * torch.pi * f * at) for f in range(100, 4000, 50)])[:, None]
    )
    over = told[0].amax((0, 1, 3)) - logs.amax((0, 1, 3))  # by band, of tones at full scale
    assert over.min() >= 0
    assert over.max() < 2.5  # a tone fills a few bins of a band
