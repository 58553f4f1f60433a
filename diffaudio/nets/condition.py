"""Conditioners: what a manifest says of an utterance, its label or text, as vectors for a network.

One vector joins the noise embedding, and so scales and shifts every block (FiLM, Perez et al. 2018,
arXiv:1709.07871; adaptive norm with labels, Dhariwal & Nichol 2021, arXiv:2105.05233). A sequence
of them, if there is one, is what a network with cross-attention attends to. A share of the training
items is told nothing instead, so that one network learns both, as classifier-free guidance needs it
(Ho & Salimans 2022, arXiv:2207.12598).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from diffaudio.log import Refusal
from diffaudio.nets.attention import rotate
from diffaudio.nets.net import Condition
from diffaudio.shapes import Tensor

__all__ = ["Characters", "Conditioner", "Labels"]


class Conditioner(nn.Module, ABC):
    """Built as `Conditioner(size, ...)`, size being the width of the network's noise embedding.

    Attributes:
        fields: names of the manifest's fields that it reads.
        drop: share of the training items that are told nothing.
        example: a value of each field, for trying the network out.
    """

    fields: tuple[str, ...]
    drop: float
    example: Mapping[str, Any]

    @abstractmethod
    def forward(self, values: Mapping[str, Sequence[Any]], told: Tensor) -> Condition:
        """Return what b items are told.

        Args:
            values: field to its b values.
            told: (b,) bool; where False, the item is told nothing.

        Raises:
            Refusal: a value is none that it was trained for.
        """


class Labels(Conditioner):
    """A learned vector for each label, and one for none.

    Args:
        size: of the vectors (from code).
        field: of the manifest's rows, `label`.
        names: all labels, in the order of their vectors.
        drop: share of the training items that are told nothing.

    Raises:
        ValueError: a label is given twice, or the share is none.
    """

    def __init__(self, size: int, *, field: str, names: Sequence[str], drop: float = 0.1) -> None:
        super().__init__()
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice or not names:
            raise ValueError(f"names must be labels, each once; twice: {twice}")
        if not 0 <= drop < 1:
            raise ValueError(f"drop must be in [0, 1): {drop}")
        self.fields, self.names, self.drop = (field,), tuple(names), drop
        self.example = {field: names[0]}
        self.vectors = nn.Embedding(len(names) + 1, size)  # the last one is that of none

    def forward(self, values: Mapping[str, Sequence[Any]], told: Tensor) -> Condition:
        """Look the labels up."""
        (field,) = self.fields
        places = {name: place for place, name in enumerate(self.names)}
        unknown = sorted({str(value) for value in values[field] if value not in places})
        if unknown:
            raise Refusal(
                f"{field}: {', '.join(unknown)}: the model knows {', '.join(self.names)}",
                mend="name all labels of the corpus in model.condition.init_args.names",
            )
        index = torch.tensor([places[value] for value in values[field]], device=told.device)
        return Condition(self.vectors(torch.where(told, index, len(self.names))))


class Characters(Conditioner):
    """A learned vector for each character of a text, turned by its place; their mean is the vector.

    Args:
        size: of the vectors, even (from code).
        field: of the manifest's rows, `text`.
        characters: all that texts are made of.
        drop: share of the training items that are told nothing.

    Raises:
        ValueError: there is no character, or the share is none.
    """

    def __init__(self, size: int, *, field: str, characters: str, drop: float = 0.1) -> None:
        super().__init__()
        if not characters:
            raise ValueError("characters must hold at least one")
        if not 0 <= drop < 1:
            raise ValueError(f"drop must be in [0, 1): {drop}")
        self.fields, self.drop, self.example = (field,), drop, {field: characters}
        self.places = {character: place for place, character in enumerate(characters)}
        self.vectors = nn.Embedding(len(characters) + 1, size)  # the last one is that of nothing

    def forward(self, values: Mapping[str, Sequence[Any]], told: Tensor) -> Condition:
        """Look the characters up; an empty text is nothing."""
        (field,) = self.fields
        texts = [str(text) for text in values[field]]
        unknown = sorted({one for text in texts for one in text} - {*self.places})
        if unknown:
            raise Refusal(
                f"{field}: {' '.join(map(repr, unknown))}: not among the model's characters",
                mend="name all of the corpus in model.condition.init_args.characters",
            )
        nothing = len(self.vectors.weight) - 1
        rows = [
            torch.tensor([self.places[one] for one in text] if own and text else [nothing])
            for text, own in zip(texts, told.tolist(), strict=True)
        ]
        index = pad_sequence(rows, batch_first=True, padding_value=-1).to(told.device)
        inside = index >= 0
        tokens = rotate(self.vectors(index.clamp_min(0))) * inside[..., None]
        return Condition(tokens.sum(1) / inside.sum(1, keepdim=True), tokens, inside)
