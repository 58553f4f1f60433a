"""Inverse problems with a trained prior: from audio that was measured to what it was before.

operator.py     what an operator is: measure, the nearest audio that agrees, adjoint, pseudo-inverse
operators.py    Mask (gaps), LowPass (bandwidth), Convolve (reverberation), Clip
measurement.py  Measurement: operator, what was measured and the codec in one hand, for states; or
                of states that hold a part of the audio only, such as mels
methods.py      Projection, PiGDM, DPS: a denoiser made from a denoiser, so that every solver works
repaint.py      RePaint: the exception, a loop around each step of a solver
"""

from __future__ import annotations

from diffaudio.inverse.measurement import Measurement, of_states, possible
from diffaudio.inverse.methods import DPS, Method, PiGDM, Projection, Restoration
from diffaudio.inverse.operator import Linear, Operator
from diffaudio.inverse.operators import Clip, Convolve, LowPass, Mask
from diffaudio.inverse.repaint import RePaint

__all__ = [
    "DPS",
    "Clip",
    "Convolve",
    "Linear",
    "LowPass",
    "Mask",
    "Measurement",
    "Method",
    "Operator",
    "PiGDM",
    "Projection",
    "RePaint",
    "Restoration",
    "of_states",
    "possible",
]
