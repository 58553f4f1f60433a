"""Prior: what is known of the state from what is told, before any sampling: y, and its length.

The prior of speech is its text: an encoder gives each symbol a mean frame, an alignment says for
how many frames it lasts. In training the alignment is the most likely monotonic one between the
means and the recording's own frames; at synthesis, durations are predicted.

Sources: Kim et al., Glow-TTS, 2020 (alignment search, duration predictor); Popov et al., Grad-TTS,
2021 (the aligned means as the decoder's prior, loss of equation 14).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from diffaudio.data.plan import generator
from diffaudio.nets.aligner import Monophones
from diffaudio.nets.layers import frame_mask, masked_mean
from diffaudio.nets.text_encoder import DurationPredictor, TextEncoder
from diffaudio.process import (
    expand_tokens,
    prior_scores,
    round_durations,
    search_alignment,
)
from diffaudio.shapes import Lengths, State, Tensor
from diffaudio.text import FrontEnd, Reading, Readings

__all__ = ["Plan", "Prior", "TextPrior", "cut_segment"]

Values = Mapping[str, Sequence[Any]]  # of the manifest's fields, b each


class Plan(NamedTuple):
    """What is to be made.

    Attributes:
        y: (b, c, f, l), what is known of the state, its padding zero.
        frames: (b,) lengths.
        durations: (b, n) frames of each symbol, where there are symbols.
        readings: b, the symbols, where a text is what is said.
    """

    y: State
    frames: Lengths
    durations: Tensor | None = None
    readings: Sequence[Reading] | None = None


def cut_segment(
    keys: Sequence[int], x0: State, plan: Plan, most: int | None
) -> tuple[State, State, Lengths]:
    """Cut the part of each item that the denoiser is trained on out of x0 and y.

    Args:
        keys: of the items: where an item is cut is drawn from its key.
        x0: (b, c, f, l).
        plan: y of the same shape, and lengths.
        most: frames of a part; None keeps all.

    Returns:
        x0, y and lengths.
    """
    y, frames, size = plan.y, plan.frames, min(x0.shape[-1], most or x0.shape[-1])
    spare = (frames - size).clamp_min(0).tolist()
    starts = [
        int(generator(key, "segment").random() * (left + 1))
        for key, left in zip(keys, spare, strict=True)
    ]
    cut = [
        torch.stack(
            [item[..., start : start + size] for item, start in zip(x, starts, strict=True)]
        )
        for x in (x0, y)
    ]
    return cut[0], cut[1], frames.clamp_max(size)


class Prior(nn.Module, ABC):
    """Built as `Prior(bins, ...)`.

    Attributes:
        fields: of the manifest, that it reads.
        example: a value of each, for trying it out.
        front_end: text to symbols.
        reader: what reads texts, the front end itself or its readings of a corpus.
        drop: share of the training items whose denoiser is told nothing.
    """

    fields: tuple[str, ...]
    example: Mapping[str, Any]
    front_end: FrontEnd
    reader: FrontEnd | Readings
    drop: float = 0.0

    @abstractmethod
    def forward(
        self, values: Values, state: State, frames: Lengths
    ) -> tuple[Plan, dict[str, Tensor]]:
        """Return y beside the state that belongs to it, and each item's losses (b,), by name.

        Args:
            values: what is told.
            state: (b, 1, f, l), clean, its padding zero.
            frames: (b,) lengths.
        """

    @abstractmethod
    def plan(self, values: Values, *, length_scale: float = 1.0) -> Plan:
        """Return y and how long it is, from what is told alone.

        Args:
            values: what is told.
            length_scale: factor on all durations; above 1 is slower speech.
        """


class TextPrior(Prior):
    """Means of the state's frames from a text.

    Args:
        bins: of the state (from code).
        front_end: text to symbols; it is saved with the model.
        field: of the manifest that holds the text.
        width: of the encoder's vectors.
        depth: transformer blocks of the encoder.
        heads: their attention heads.
        duration_weight: of the duration predictor's loss, in squared logarithms of frames.
        drop: probability that the denoiser is shown no means of a training item: classifier-free
            guidance needs some.
        dropout: in the encoder and the predictor of durations, in training; little speech is soon
            known by heart.
        states: HMM states per symbol of a Gaussian aligner of its own (nets/aligner.py); 0 aligns
            by the encoder's means, as Glow-TTS does.

    Raises:
        ValueError: drop is no share.
    """

    def __init__(  # noqa: PLR0913  a size each
        self,
        bins: int,
        *,
        front_end: FrontEnd,
        field: str = "text",
        width: int = 192,
        depth: int = 4,
        heads: int = 2,
        duration_weight: float = 1.0,
        drop: float = 0.0,
        dropout: float = 0.0,
        states: int = 0,
    ) -> None:
        super().__init__()
        if not 0 <= drop < 1:
            raise ValueError(f"drop must be in [0, 1): {drop}")
        self.drop = drop
        self.fields, self.duration_weight = (field,), duration_weight
        self.front_end = self.reader = front_end
        self.example = {field: "one"}
        symbols = len(front_end.units.names)
        self.encoder = TextEncoder(symbols, width, depth=depth, heads=heads, dropout=dropout)
        self.aligner = Monophones(symbols, bins, states=states) if states else None
        self.mean = nn.Linear(width, bins)
        self.duration = DurationPredictor(width, dropout)

    def forward(
        self, values: Values, state: State, frames: Lengths
    ) -> tuple[Plan, dict[str, Tensor]]:
        """Align, and learn from the alignment.

        The prior's loss is that of a Gaussian with deviation 1, less its constant.
        """
        ids, tokens = self._numbered(self._read(values))
        means, log_durations = self._encoded(ids, tokens)
        durations, losses = self._aligned(ids, means, tokens, state, frames)
        y = expand_tokens(means, durations, state.shape[-1])[:, None]
        error = 0.5 * masked_mean((state - y).square(), frame_mask(frames, state.shape[-1]))
        inside = durations > 0
        off = (log_durations - durations.clamp_min(1).log()).square() * inside
        losses |= {"prior": error, "duration": self.duration_weight * off.sum(1) / tokens}
        return Plan(y, frames, durations), losses

    def plan(self, values: Values, *, length_scale: float = 1.0) -> Plan:
        """Predict durations and lay the means out."""
        readings = self._read(values)
        ids, tokens = self._numbered(readings)
        means, log_durations = self._encoded(ids, tokens)
        durations = round_durations(log_durations, tokens, length_scale=length_scale)
        y = expand_tokens(means, durations)[:, None]
        return Plan(y, durations.sum(1), durations, readings)

    def _aligned(
        self, ids: Tensor, means: Tensor, tokens: Lengths, state: State, frames: Lengths
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return durations (b, n), and the aligner's loss where there is one."""
        if self.aligner is not None:
            durations, loss = self.aligner(ids, tokens, state, frames)
            return durations, {"aligner": loss}
        with torch.no_grad():
            scores = prior_scores(means, state[:, 0], tokens, frames)
            return search_alignment(scores, tokens, frames), {}

    def _read(self, values: Values) -> list[Reading]:
        return [self.reader.read(text) for text in values[self.fields[0]]]

    def _numbered(self, readings: Sequence[Reading]) -> tuple[Tensor, Lengths]:
        """Return the numbers of symbols (b, n), and how many there are (b,)."""
        device = self.mean.weight.device
        rows = [torch.tensor(reading.ids) for reading in readings]
        tokens = torch.tensor([len(row) for row in rows], device=device)
        return pad_sequence(rows, batch_first=True).to(device), tokens

    def _encoded(self, ids: Tensor, tokens: Lengths) -> tuple[Tensor, Tensor]:
        """Return means (b, f, n) and logarithms of durations (b, n)."""
        inside = torch.arange(ids.shape[1], device=ids.device) < tokens[:, None]
        x = self.encoder(ids, inside)
        return self.mean(x).mT, self.duration(x, inside).float()
