"""Validation: a few utterances are generated as decoding would, and scored.

Their noise is keyed by seed and id, so two validations differ by the weights alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator

from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch, eval_batches
from diffaudio.data.index import Index
from diffaudio.metrics import METRICS, Metric, Unmeasurable
from diffaudio.model import Model
from diffaudio.solve import Sampler
from diffaudio.train.signals import Stop

__all__ = ["LOSS", "Validator", "spread"]

LOSS = "loss"  # reported beside the metrics, and may choose the best checkpoint; lower is better


@dataclass(frozen=True)
class Validator:
    """Generates and scores utterances that lie evenly over a data set.

    Args:
        index: the validation set.
        audio: which roles to read.
        sampler: as in decoding.
        metrics: computed on each utterance.
        choice: the metric that chooses the best checkpoint, or `loss`.
        items: utterances, over all ranks.
        seed: of their noise.
        batch_seconds: audio in a batch, padding included.
    """

    index: Index
    audio: AudioSpec
    sampler: Sampler
    metrics: Sequence[Metric]
    choice: str
    items: int
    seed: int
    batch_seconds: float

    @property
    def higher(self) -> bool:
        """Whether a higher value of the chosen metric is better."""
        return self.choice != LOSS and METRICS[self.choice].better == "higher"

    def __call__(
        self, model: Model, accelerator: Accelerator, stop: Stop
    ) -> dict[str, float] | None:
        """Return the mean of the loss and of each metric over the utterances that have one.

        Returns:
            The same on every rank; None if any rank was asked to stop meanwhile.
        """
        names = [LOSS, *(metric.name for metric in self.metrics)]
        sums = np.zeros((len(names), 2))  # values, utterances measured
        rows = spread(len(self.index), self.items)[
            accelerator.process_index :: accelerator.num_processes
        ]
        for batch in eval_batches(
            self.index,
            self.audio,
            rows,
            max_seconds_per_batch=self.batch_seconds,
            grid=1,
            seed=self.seed,
        ):
            if stop:
                break
            sums += self._scores(model, batch.to(accelerator.device))
        whole = torch.tensor([*sums.flatten(), float(bool(stop))], dtype=torch.float64)
        *flat, stopped = accelerator.reduce(whole.to(accelerator.device), "sum").tolist()
        if stopped:
            return None
        pairs = zip(names, flat[::2], flat[1::2], strict=True)
        return {name: total / count for name, total, count in pairs if count}

    def _scores(self, model: Model, batch: Batch) -> np.ndarray:
        """Return (1 + metrics, 2): the sum over utterances, and how many could be measured."""
        losses, _ = model(batch)
        given = batch.given
        made = model.generate(given, batch.samples, batch.keys, self.sampler).float().cpu().numpy()
        wanted = batch.target.cpu().numpy()
        sums = np.zeros((1 + len(self.metrics), 2))
        sums[0] = losses[torch.isfinite(losses)].sum().item(), torch.isfinite(losses).sum().item()
        for estimate, reference, samples in zip(made, wanted, batch.samples.tolist(), strict=True):
            for place, metric in enumerate(self.metrics, 1):
                for heard, true in zip(estimate, reference, strict=True):  # channels
                    sums[place] += self._measure(metric, heard[:samples], true[:samples])
        return sums

    def _measure(self, metric: Metric, estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
        try:
            return np.array([metric.measure(estimate, reference, self.audio.rate), 1.0])
        except Unmeasurable:
            return np.zeros(2)


def spread(count: int, items: int) -> list[int]:
    """Return at most `items` row numbers that lie evenly over `count` rows."""
    return sorted({row * count // min(items, count) for row in range(min(items, count))})
