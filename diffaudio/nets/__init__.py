"""Networks on states, and what they are conditioned on.

net.py               what a network is, and what it is told: Condition
band_transformer.py  BandTransformer: band-split; with one band a plain DiT
unet1d.py            UNet1d: of waveforms
unet2d.py            UNet2d: of spectrograms
wavenet.py           WaveNet: dilated convolutions, as in DiffWave
condition.py         Labels, Characters: what a manifest's field tells the network
jump.py              Jump: how far the estimate leads that it is asked for
text_encoder.py      symbols of a text to vectors; how long each lasts
aligner.py           Monophones: which frames belong to which symbol
attention.py         blocks of attention in time and across bands
layers.py            what all of them are made of: patches, norms, masks, noise embedding
"""

from diffaudio.nets.band_transformer import BandTransformer
from diffaudio.nets.condition import Characters, Conditioner, Labels
from diffaudio.nets.jump import Jump
from diffaudio.nets.net import Condition, Net
from diffaudio.nets.unet1d import UNet1d
from diffaudio.nets.unet2d import UNet2d
from diffaudio.nets.wavenet import WaveNet

__all__ = [
    "BandTransformer",
    "Characters",
    "Condition",
    "Conditioner",
    "Jump",
    "Labels",
    "Net",
    "UNet1d",
    "UNet2d",
    "WaveNet",
]
