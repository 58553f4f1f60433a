"""Audio to the state that the process sees, and back: waveform, compressed complex STFT."""

from diffaudio.codec.codec import Codec
from diffaudio.codec.stft import CompressedSTFT
from diffaudio.codec.waveform import Waveform

__all__ = ["Codec", "CompressedSTFT", "Waveform"]
