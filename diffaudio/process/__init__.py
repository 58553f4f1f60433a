"""The process: path, target and training times; pure maths on tensors, no files, no networks.

path.py      what a path is: alpha, mean, sigma, derivatives, half-log-SNR and its inverse
to_noise.py  VE (EDM), VP, Cosine, RectifiedFlow
to_given.py  FlowSE, OUVE (SGMSE+), BBED, GradTTS
bridges.py   SchroedingerBridgeVE, SchroedingerBridgeVP
target.py    X0, Epsilon, Velocity, EDM: what the network speaks; singular pairs refused by name
times.py     Uniform, LogNormal, LogUniform, LogitNormal, Laplace, Piecewise,
             PathTimes, AtEnd: training times
consistency.py  Consistency: few-step training
mean_flow.py  MeanFlow: the same for a network that is told how far its estimate leads
objective.py  Objective: times, weight, consistency of a training
guidance.py  ClassifierFree (interval, rescaled, negative), Composed, CFGPlusPlus, Autoguidance
alignment.py  search_alignment (monotonic alignment search), prior_scores
durations.py  alignment_path, expand_tokens; durations from logarithms and evenly; token_starts
weight.py    Unit, EDMWeight, MinSNR, Sigmoid, Learned: how much each noise level counts
"""

from __future__ import annotations

from diffaudio.process.alignment import prior_scores, search_alignment
from diffaudio.process.bridges import SchroedingerBridgeVE, SchroedingerBridgeVP
from diffaudio.process.consistency import Consistency
from diffaudio.process.durations import (
    alignment_path,
    expand_tokens,
    round_durations,
    token_starts,
    uniform_durations,
)
from diffaudio.process.guidance import (
    Answers,
    Autoguidance,
    CFGPlusPlus,
    ClassifierFree,
    Composed,
    Denoise,
    Guidance,
)
from diffaudio.process.mean_flow import MeanFlow
from diffaudio.process.objective import Objective
from diffaudio.process.path import Marginal, Path
from diffaudio.process.target import EDM, X0, Epsilon, Target, Velocity, check_pair
from diffaudio.process.times import (
    AtEnd,
    Laplace,
    LogitNormal,
    LogNormal,
    LogUniform,
    PathTimes,
    Piecewise,
    Times,
    Uniform,
)
from diffaudio.process.to_given import BBED, OUVE, FlowSE, GradTTS
from diffaudio.process.to_noise import VE, VP, Cosine, RectifiedFlow
from diffaudio.process.weight import EDMWeight, Learned, MinSNR, Sigmoid, Unit, Weight

__all__ = [
    "Answers",
    "AtEnd",
    "Autoguidance",
    "BBED",
    "CFGPlusPlus",
    "ClassifierFree",
    "Composed",
    "Consistency",
    "Cosine",
    "Denoise",
    "EDM",
    "EDMWeight",
    "Epsilon",
    "FlowSE",
    "GradTTS",
    "Guidance",
    "Laplace",
    "Learned",
    "LogNormal",
    "LogUniform",
    "LogitNormal",
    "Marginal",
    "MeanFlow",
    "MinSNR",
    "OUVE",
    "Objective",
    "Path",
    "PathTimes",
    "Piecewise",
    "RectifiedFlow",
    "SchroedingerBridgeVE",
    "SchroedingerBridgeVP",
    "Sigmoid",
    "Target",
    "Times",
    "Uniform",
    "Unit",
    "VE",
    "VP",
    "Velocity",
    "Weight",
    "X0",
    "alignment_path",
    "check_pair",
    "expand_tokens",
    "prior_scores",
    "round_durations",
    "search_alignment",
    "token_starts",
    "uniform_durations",
]
