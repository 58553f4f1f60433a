"""Speech and noise put together at a wanted ratio, and taken apart and remixed while training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Powers", "Remix", "mix_at", "power", "powers"]

Powers = dict[str, float]  # mean squares over a whole item: "target" and "noise"


def power(x: np.ndarray) -> float:
    """Return the mean square of `x`, of any shape; 0 where it is empty."""
    return float(np.mean(np.square(x, dtype=np.float64))) if x.size else 0.0


def mix_at(clean: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Add noise to clean so that their powers over the whole clip differ by `snr_db`.

    Args:
        clean: (n,) or (n, a); it keeps its level.
        noise: of the same shape; it is scaled.
        snr_db: 10 log10 of clean power over noise power in the sum.

    Returns:
        The sum, of the same shape; it may exceed full scale.

    Raises:
        ValueError: the shapes differ, or one of the two is silent.
    """
    if clean.shape != noise.shape:
        raise ValueError(f"clean {clean.shape} and noise {noise.shape} differ in shape")
    loud, soft = power(clean), power(noise)
    if not loud or not soft:
        raise ValueError(f"the {'noise' if loud else 'clean'} part is silent")
    return clean + noise * np.float32(np.sqrt(loud / soft) * 10 ** (-snr_db / 20))


def powers(target: np.ndarray, given: np.ndarray) -> Powers:
    """Return what `Remix` must know of an item's whole target and given audio, both (n, a)."""
    return {"target": power(target), "noise": power(given - target)}


@dataclass(frozen=True)
class Remix:
    """Augmentation for enhancement: given = target + noise is put together anew for every use.

    Levels are those of whole items, as corpora define them, though only a crop is remixed. Where
    the target is silent there is no ratio, and the noise keeps its level. Nothing is clipped.

    Args:
        gain_db: range from which a gain for target and noise together is drawn.
        snr_db: range from which a new ratio is drawn; None keeps the ratio.
        swap: probability that the noise is replaced by that of another item.
    """

    gain_db: tuple[float, float] = (0.0, 0.0)
    snr_db: tuple[float, float] | None = None
    swap: float = 0.0

    def __post_init__(self) -> None:
        for name, range_db in (("gain_db", self.gain_db), ("snr_db", self.snr_db or (0.0, 0.0))):
            if range_db[0] > range_db[1]:
                raise ValueError(f"{name}: {range_db[0]} is above {range_db[1]}")
        if not 0 <= self.swap <= 1:
            raise ValueError(f"swap: {self.swap} is not a probability")

    def apply(
        self,
        target: np.ndarray,
        noise: np.ndarray,
        *,
        own: Powers,
        other: Powers,
        random: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a new (target, given), each (n, a) float32.

        Args:
            target: (n, a) crop of the item.
            noise: (n, a) crop of the noise, of this item or another.
            own: powers of the item.
            other: powers of the item that the noise is from, `own` if it is the same.
            random: where gain and ratio are drawn, in that order.
        """
        gain = np.float32(10 ** (random.uniform(*self.gain_db) / 20))
        wanted = own["noise"]  # the noise's power over the whole item, before the gain
        if self.snr_db is not None and own["target"]:
            wanted = own["target"] * 10 ** (-random.uniform(*self.snr_db) / 10)
        level = np.float32(np.sqrt(wanted / other["noise"]) if other["noise"] else 1.0)
        return gain * target, gain * (target + level * noise)
