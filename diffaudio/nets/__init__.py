"""Networks on states, and what they are conditioned on.

net.py               what a network is
band_transformer.py  BandTransformer: band-split; with one band a plain DiT
unet2d.py            UNet2d
condition.py         Labels: a manifest's field as a vector beside the noise level
"""

from diffaudio.nets.band_transformer import BandTransformer
from diffaudio.nets.condition import Conditioner, Labels
from diffaudio.nets.net import Net
from diffaudio.nets.unet2d import UNet2d

__all__ = ["BandTransformer", "Conditioner", "Labels", "Net", "UNet2d"]
