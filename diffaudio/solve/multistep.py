"""Solvers that remember: earlier estimates bend the present one, at no extra call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.solver import Denoise, Memory, Noise, Solver
from diffaudio.solve.update import held_noise, update


@dataclass(frozen=True)
class DPMpp2M(Solver):
    """DPM-Solver++(2M): the update with D extrapolated to the middle of the step, one call a step.

    With h the step in half-log-SNR and h' the step before it, D + (D - D') h / (2 h'). The first
    step has no D' and is DDIM; so is a step after one that began at half-log-SNR -inf, since h' is
    infinite and nothing is left of the correction.

    Source: Lu et al., DPM-Solver++, 2022, algorithm 2.

    Args:
        noisy_start: as in DDIM.
    """

    noisy_start: bool = True
    order: ClassVar[int] = 2

    def step(
        self,
        denoise: Denoise,
        z: State,
        now: Marginal,
        then: Marginal,
        memory: Memory,
        noise: Noise,
    ) -> tuple[State, Memory]:
        """Denoise, extrapolate by the estimate before, update."""
        x0 = denoise(z, now.t)
        bent = x0
        if memory:
            ((log_snr, before),) = memory
            ratio = (then.log_snr - now.log_snr) / (now.log_snr - log_snr)
            bent = x0 + 0.5 * ratio * (x0 - before)
        eps = held_noise(z, bent, now, noise, noisy_start=self.noisy_start)
        return update(bent, eps, now, then, noise), ((now.log_snr, x0),)
