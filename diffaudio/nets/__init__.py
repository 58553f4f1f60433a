"""Networks on states, and what they are conditioned on.

net.py               what a network is
band_transformer.py  BandTransformer: band-split; with one band a plain DiT
unet1d.py            UNet1d: of waveforms
unet2d.py            UNet2d: of spectrograms
wavenet.py           WaveNet: dilated convolutions, as in DiffWave
condition.py         Labels: a manifest's field as a vector beside the noise level
"""

from diffaudio.nets.band_transformer import BandTransformer
from diffaudio.nets.condition import Conditioner, Labels
from diffaudio.nets.net import Net
from diffaudio.nets.unet1d import UNet1d
from diffaudio.nets.unet2d import UNet2d
from diffaudio.nets.wavenet import WaveNet

__all__ = [
    "BandTransformer",
    "Conditioner",
    "Labels",
    "Net",
    "UNet1d",
    "UNet2d",
    "WaveNet",
]
