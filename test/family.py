"""One of every path and target, for the tests that go through all of them."""

import torch

from diffaudio.process import (
    BBED,
    EDM,
    OUVE,
    VE,
    VP,
    X0,
    Cosine,
    Epsilon,
    FlowSE,
    GradTTS,
    RectifiedFlow,
    SchroedingerBridgeVE,
    SchroedingerBridgeVP,
    Velocity,
)

PATHS = [
    VE(),
    VP(),
    Cosine(),
    Cosine(shift=-0.5),
    RectifiedFlow(),
    RectifiedFlow(0.01),
    FlowSE(),
    GradTTS(),
    OUVE(),
    BBED(),
    SchroedingerBridgeVE(),
    SchroedingerBridgeVP(),
]
TARGETS = [X0(), Epsilon(), Velocity(), EDM(0.3)]


def noise_end(path):
    """Return the path where sampling starts."""
    return path.at(torch.tensor(path.t_max, dtype=torch.float64))
