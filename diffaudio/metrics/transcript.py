"""Metrics of what is said: word and character error rate of a recogniser's words.

Both texts are brought to one form first, with the normaliser that Whisper's authors publish: lower
case, no punctuation, numbers in figures, contractions in full, American spelling.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from diffaudio.metrics.metric import Signal, Unmeasurable, Value
from diffaudio.metrics.recogniser import Prompt

__all__ = ["cer", "edits", "normalised", "wer"]


def wer(estimate: Signal, prompt: Prompt, rate: int) -> Value:  # noqa: ARG001 (one signature)
    """Return insertions, deletions and substitutions of words, in % of the words of the text.

    Over a set, all errors are divided by all words. Silence deletes every word.

    Args:
        estimate: (n,).
        prompt: what should be said, and who listens.
        rate: 16000 Hz.

    Raises:
        Unmeasurable: the text has no words.
    """
    return _rate(estimate, prompt, str.split)


def cer(estimate: Signal, prompt: Prompt, rate: int) -> Value:  # noqa: ARG001 (one signature)
    """Return what `wer` does of characters, the single spaces between words among them."""
    return _rate(estimate, prompt, list)


def normalised(text: str) -> str:
    """Return the text in the form in which texts are compared, words with single spaces between."""
    plain = text.replace("\N{HORIZONTAL ELLIPSIS}", " ")  # of which it would leave two dots
    return " ".join(str(_normaliser()(plain)).split())


def edits(told: Sequence[str], heard: Sequence[str]) -> int:
    """Return the fewest insertions, deletions and substitutions that make one of the other.

    Source: Wagner and Fischer 1974.
    """
    costs = list(range(len(heard) + 1))
    for row, wanted in enumerate(told, start=1):
        diagonal, costs[0] = costs[0], row
        for column, got in enumerate(heard, start=1):
            least = min(diagonal + (wanted != got), costs[column] + 1, costs[column - 1] + 1)
            diagonal, costs[column] = costs[column], least
    return costs[-1]


def _rate(estimate: Signal, prompt: Prompt, parts: Any) -> Value:
    told = parts(normalised(prompt.text))
    if not told:
        raise Unmeasurable("the text has no words")
    heard = prompt.recogniser.heard(estimate)
    wrong = edits(told, parts(normalised(heard)))
    return Value(100.0 * wrong / len(told), weight=len(told), heard=heard)


@functools.cache
def _normaliser() -> Any:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()
