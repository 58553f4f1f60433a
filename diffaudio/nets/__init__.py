"""Networks on states: a band-split transformer (bands=1 is a plain DiT) and a 2-D U-Net."""

from diffaudio.nets.band_transformer import BandTransformer
from diffaudio.nets.net import Net
from diffaudio.nets.unet2d import UNet2d

__all__ = ["BandTransformer", "Net", "UNet2d"]
