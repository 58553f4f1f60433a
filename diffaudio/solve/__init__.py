"""Solvers: from noise to the clean state in a given number of network calls.

sampler.py              solver, grid and calls in one hand; the one loop; the end-point convention
solver.py               what a solver is: order, plan of calls, one step; the call counter
update.py               the update that DDIM, ancestral, DPM-Solver++ and bridge samplers share
onestep.py              DDIM, Euler, Heun
multistep.py            DPMpp2M
predictor_corrector.py  PredictorCorrector (SGMSE+)
grid.py                 UniformGrid, KarrasGrid, LogSNRGrid
noise.py                KeyedNoise: an item's noise is its own
"""

from __future__ import annotations

from diffaudio.solve.grid import Grid, KarrasGrid, LogSNRGrid, UniformGrid
from diffaudio.solve.multistep import DPMpp2M
from diffaudio.solve.noise import KeyedNoise
from diffaudio.solve.onestep import DDIM, Euler, Heun
from diffaudio.solve.predictor_corrector import PredictorCorrector
from diffaudio.solve.sampler import Sampler
from diffaudio.solve.solver import Counter, Denoise, Memory, Noise, Solver

__all__ = [
    "DDIM",
    "Counter",
    "DPMpp2M",
    "Denoise",
    "Euler",
    "Grid",
    "Heun",
    "KarrasGrid",
    "KeyedNoise",
    "LogSNRGrid",
    "Memory",
    "Noise",
    "PredictorCorrector",
    "Sampler",
    "Solver",
    "UniformGrid",
]
