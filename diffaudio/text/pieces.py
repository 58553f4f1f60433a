"""Pieces of words, learned from a corpus by sentencepiece.

Sources: Kudo and Richardson 2018, arXiv:1808.06226; the unigram model is Kudo 2018,
arXiv:1804.10959, byte pairs are Sennrich et al. 2016, arXiv:1508.07909.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from diffaudio.files import atomic
from diffaudio.log import Refusal
from diffaudio.text.units import Units

__all__ = ["Pieces", "train_pieces"]

Kind: TypeAlias = Literal["unigram", "bpe"]


def train_pieces(texts: Iterable[str], path: Path, *, size: int, kind: Kind = "unigram") -> None:
    """Learn pieces from the texts of a corpus and write their model.

    The same texts in the same order give the same bytes: one thread, nothing drawn at random.

    Args:
        texts: as they are said.
        path: of the model.
        size: number of pieces, the unknown one included; with unigrams at most.
        kind: unigrams or byte pairs.

    Raises:
        Refusal: the corpus has no text, or not that many pieces.
    """
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    rows = [text.strip().lower() for text in texts if text.strip()]
    if not rows:
        raise Refusal(f"{path}: no text to learn pieces from")
    try:
        SentencePieceTrainer.train(
            sentence_iterator=iter(rows),
            model_writer=model,
            vocab_size=size,
            model_type=kind,
            character_coverage=1.0,  # what the corpus has can be said, however rare
            normalization_rule_name="identity",  # texts are normalised before
            max_sentence_length=max(len(row.encode()) for row in rows) + 1,
            num_threads=1,
            hard_vocab_limit=kind == "bpe",
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            unk_id=0,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise Refusal(
            f"{path}: {size} pieces could not be learned ({re.sub(r'.*] ', '', str(error))})",
            mend="choose another size: more than the corpus has characters, less than it has words",
        ) from error
    with atomic(path) as file:
        file.write(model.getvalue())


@dataclass(frozen=True)
class Pieces(Units):
    """Parts of words in small letters.

    Args:
        model: file of one that `train_pieces` wrote; null learns it from the corpus in stage 3.
        size: number of pieces where they are learned.
        kind: unigrams or byte pairs.

    Raises:
        Refusal: it is not there, or is no model.
    """

    boundary: ClassVar[str] = "▁"

    model: Path | None = None
    size: int = 500
    kind: Kind = "unigram"

    def __post_init__(self) -> None:
        if self.model is not None:
            _ = self._processor

    @cached_property
    def _content(self) -> bytes:
        if self.model is None:
            raise Refusal(
                "Pieces: they are not learned yet",
                mend="run stage 3 of the recipe, or name a file in model.prior.init_args."
                "front_end.units.init_args.model",
            )
        try:
            return self.model.read_bytes()
        except OSError as error:
            raise Refusal(
                f"{self.model}: no pieces to be read ({error.strerror})",
                mend="train_pieces learns them from the texts of a corpus",
            ) from error

    @cached_property
    def _processor(self) -> Any:
        from sentencepiece import SentencePieceProcessor

        try:
            return SentencePieceProcessor(model_proto=self._content)
        except RuntimeError as error:
            raise Refusal(f"{self.model}: not a model of sentencepiece ({error})") from error

    @property
    def names(self) -> tuple[str, ...]:
        """Return the pieces in the model's order; `▁` is a blank, the first one is unknown.

        Before they are learned they have numbers, but no names.
        """
        return tuple(map(str, range(self.size))) if self.model is None else self._names

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(map(self._processor.id_to_piece, range(self._processor.get_piece_size())))

    @property
    def learns(self) -> bool:
        """Whether there is no model yet."""
        return self.model is None

    def learned(self, texts: Iterable[str], path: Path) -> Units:
        """Return the pieces that a corpus leads to, where no file is named."""
        if self.model is not None:
            return self
        train_pieces(texts, path, size=self.size, kind=self.kind)
        return replace(self, model=path)

    def held(self) -> Mapping[str, bytes]:
        """Return the model."""
        return {} if self.model is None else {"model": self._content}

    def split(self, text: str) -> list[str]:
        """Return the pieces of a text; what the model does not know as it was written."""
        return list(self._processor.encode(text.lower(), out_type=str))
