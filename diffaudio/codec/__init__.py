"""Audio to the state that the process sees, and back: waveform, complex STFT, log-mel.

codec.py     the seam: Codec
waveform.py  Waveform, in frames
stft.py      CompressedSTFT
mel.py       MelSpec, what a mel spectrogram is; LogMel, with Griffin-Lim as the way back
spread.py    SpreadMel: mels laid over the bins of an STFT, what a vocoder is given
hifigan.py, vocos.py  the networks of published vocoders
"""

from diffaudio.codec.codec import Codec
from diffaudio.codec.mel import LogMel, MelSpec
from diffaudio.codec.spread import SpreadMel
from diffaudio.codec.stft import CompressedSTFT
from diffaudio.codec.waveform import Waveform

__all__ = ["Codec", "CompressedSTFT", "LogMel", "MelSpec", "SpreadMel", "Waveform"]
