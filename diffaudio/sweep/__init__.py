"""Sweep: models x samplers x calls x guidance, every cell decoded and scored, then compared."""

from diffaudio.sweep.spec import Cell, SweepSpec, Way

__all__ = ["Cell", "SweepSpec", "Way"]
