"""Validation: a few utterances are generated as decoding would, and scored.

Sampler, seed and precision are those of the section `decode`; only that utterances are never cut
into chunks is different. Their noise is keyed by seed and id, so two validations differ by the
weights alone. The loss is computed in the numbers of training, whatever surrounds the call.

An output that cannot be measured is in no mean. So that it cannot help a checkpoint to be the
best, utterances that the model makes nothing of are named beside the means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.data.index import Index
from diffaudio.data.loader import eval_batches
from diffaudio.metrics import METRICS, Metric, Unmeasurable
from diffaudio.model import Model
from diffaudio.precision import Precision, autocast
from diffaudio.solve import Sampler
from diffaudio.train.choice import LOSS
from diffaudio.train.job import Scores
from diffaudio.train.signals import Stop

__all__ = ["Validator", "spread"]


@dataclass(frozen=True)
class Validator:
    """Generates and scores utterances that lie evenly over a data set.

    Args:
        index: the validation set.
        audio: which roles to read.
        sampler: as in decoding.
        precision: of generating, as in decoding.
        metrics: computed on each utterance.
        choice: the metric that chooses the best checkpoint, or `loss`.
        items: utterances, over all ranks.
        seed: of their noise.
        batch_seconds: audio in a batch, padding included.
        protocol: a digest of all that the scores depend on beside the weights.
    """

    index: Index
    audio: AudioSpec
    sampler: Sampler
    precision: Precision
    metrics: Sequence[Metric]
    choice: str
    items: int
    seed: int
    batch_seconds: float
    protocol: str

    @property
    def higher(self) -> bool:
        """Whether a higher value of the chosen metric is better."""
        return self.choice != LOSS and METRICS[self.choice].better == "higher"

    def __call__(self, model: Model, accelerator: Accelerator, stop: Stop) -> Scores | None:
        """Return the means of the loss and of each metric over the utterances that have one.

        Returns:
            The same on every rank; None if any rank was asked to stop meanwhile.
        """
        names = [LOSS, *(metric.name for metric in self.metrics)]
        sums = np.zeros((len(names), 2))  # of values, number of values
        broken: list[str] = []
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
            fields=model.fields,
        ):
            if stop:
                break
            sums += self._scores(model, batch.to(accelerator.device), broken)
        whole = torch.tensor([*sums.flatten(), float(bool(stop))], dtype=torch.float64)
        *flat, stopped = accelerator.reduce(whole.to(accelerator.device), "sum").tolist()
        if stopped:
            return None
        found = list(zip(names, flat[::2], flat[1::2], strict=True))
        return Scores(
            means={name: total / count for name, total, count in found if count},
            counts={name: round(count) for name, _, count in found},
            broken=sorted(gather_object(broken)),
        )

    def _scores(self, model: Model, batch: Batch, broken: list[str]) -> np.ndarray:
        """Return (1 + metrics, 2): sums of values, and of how many; add to the broken ids."""
        losses = model(batch)[0].double().cpu().numpy()
        fine = np.isfinite(losses)
        sums = np.zeros((1 + len(self.metrics), 2))
        sums[0] = losses[fine].sum(), fine.sum()
        if not self.metrics:  # nothing is given, so no output has a reference
            broken.extend(name for name, ok in zip(batch.ids, fine, strict=True) if not ok)
            return sums
        with autocast(self.precision, batch.samples.device):
            made = model.generate(
                batch.given, batch.samples, batch.keys, self.sampler, fields=batch.fields
            )
        pairs = zip(made.float().cpu().numpy(), batch.target.cpu().numpy(), strict=True)
        for place, (estimate, reference) in enumerate(pairs):
            samples, lost = int(batch.samples[place]), not fine[place]
            for heard, true in zip(estimate[:, :samples], reference[:, :samples], strict=True):
                values = {metric: self._measure(metric, heard, true) for metric in self.metrics}
                for column, value in enumerate(values.values(), 1):
                    sums[column] += (0.0, 0) if value is None else (value, 1)
                lost = lost or self._lost(values, heard, true)
            if lost:
                broken.append(batch.ids[place])
        return sums

    def _measure(self, metric: Metric, estimate: np.ndarray, reference: np.ndarray) -> float | None:
        try:
            return metric.measure(estimate, reference, self.audio.rate)
        except Unmeasurable:
            return None

    def _lost(
        self, values: Mapping[Metric, float | None], estimate: np.ndarray, reference: np.ndarray
    ) -> bool:
        """Say whether an output is useless: not finite, silent where the reference is not.

        Or the chosen metric has a value for the reference itself, but none for the output.
        """
        if not np.isfinite(estimate).all() or (not np.ptp(estimate) and np.ptp(reference)):
            return True
        return any(
            value is None and self._measure(metric, reference, reference) is not None
            for metric, value in values.items()
            if metric.name == self.choice
        )


def spread(count: int, items: int) -> list[int]:
    """Return at most `items` row numbers that lie evenly over `count` rows."""
    return sorted({row * count // min(items, count) for row in range(min(items, count))})
