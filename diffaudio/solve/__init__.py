"""Solvers: from noise to the clean state in a given number of network calls.

sampler.py              solver, grid and calls in one hand; the one loop; the end-point convention
solver.py               what a solver is: order, plan of calls, one step, what it leaves behind
problem.py              what a solver is given: denoiser, path, noise; the counting of calls
update.py               the update that DDIM, ancestral, DPM-Solver++ and bridge samplers share
exponential.py          the weighted mean of several answers that stands for one over a step
onestep.py              DDIM (eta; ancestral Euler), Euler, Renoise (consistency)
singlestep.py           Heun (trapezoid, midpoint, Ralston), DPMSolverSinglestep (2S, 3S, DPM++ SDE)
multistep.py            DPMSolverMultistep (2M, 3M, with noise 2M SDE), UniPC, DEIS, LMS
stochastic.py           around another solver: Ancestral, Churn, Restart
predictor_corrector.py  PredictorCorrector (SGMSE+)
adaptive.py             RK45
grid.py                 UniformGrid, KarrasGrid, LogSNRGrid, ShiftGrid, SwayGrid, PathGrid
noise.py                KeyedNoise: an item's noise is its own
"""

from __future__ import annotations

from diffaudio.solve.adaptive import RK45
from diffaudio.solve.grid import (
    Grid,
    KarrasGrid,
    LogSNRGrid,
    PathGrid,
    ShiftGrid,
    SwayGrid,
    UniformGrid,
)
from diffaudio.solve.multistep import DEIS, LMS, DPMSolverMultistep, UniPC
from diffaudio.solve.noise import KeyedNoise
from diffaudio.solve.onestep import DDIM, Euler, Renoise
from diffaudio.solve.predictor_corrector import PredictorCorrector
from diffaudio.solve.problem import Noise, Problem
from diffaudio.solve.sampler import Sampler
from diffaudio.solve.singlestep import DPMSolverSinglestep, Heun
from diffaudio.solve.solver import Memory, Past, Solver
from diffaudio.solve.stochastic import Ancestral, Churn, Restart

__all__ = [
    "DDIM",
    "DEIS",
    "LMS",
    "RK45",
    "Renoise",
    "Ancestral",
    "Churn",
    "DPMSolverMultistep",
    "DPMSolverSinglestep",
    "Euler",
    "Grid",
    "Heun",
    "KarrasGrid",
    "KeyedNoise",
    "LogSNRGrid",
    "Memory",
    "Noise",
    "Past",
    "PathGrid",
    "PredictorCorrector",
    "Problem",
    "Restart",
    "Sampler",
    "ShiftGrid",
    "Solver",
    "SwayGrid",
    "UniPC",
    "UniformGrid",
]
