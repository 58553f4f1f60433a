"""Audio to the state that the process sees, and back: waveform, complex STFT, log-mel."""

from diffaudio.codec.codec import Codec
from diffaudio.codec.mel import LogMel, MelSpec
from diffaudio.codec.spread import SpreadMel
from diffaudio.codec.stft import CompressedSTFT
from diffaudio.codec.waveform import Waveform

__all__ = ["Codec", "CompressedSTFT", "LogMel", "MelSpec", "SpreadMel", "Waveform"]
