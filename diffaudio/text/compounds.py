"""Two words in one that no dictionary lists, each said as it mostly is in other words.

    touchscreen  ->  T AH1 CH S K R IY2 N

`ness` is said as in `darkness`, `wind` as in `windmill`. What only looks like a word, the `ally` of
`really`, makes none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from diffaudio.text.lexicon import CONSONANTS

__all__ = ["Compounds"]

_LEAST = 4  # letters of a part: shorter ones are found everywhere


class Compounds:
    """Words made of two that a dictionary has.

    Args:
        dictionary: word to its phonemes; the first ones count.
    """

    def __init__(self, dictionary: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self.dictionary = dictionary

    def say(self, word: str) -> tuple[str, ...]:
        """Return the phonemes of two words in one, or nothing."""
        found = []
        for place in range(_LEAST, len(word) - _LEAST + 1):
            first, last = word[:place], word[place:]
            if first in self.dictionary and last in self.dictionary:
                end, agree, among = self._part(last, behind=True)
                if 2 * agree >= among and (agree > 1 or len(last) > _LEAST):
                    rank = (not first.endswith("s"), agree)  # back-story, not backs-tory
                    found.append((rank, self._part(first, behind=False)[0], end))
        return _joined(*max(found)[1:]) if found else ()

    def _part(self, part: str, *, behind: bool) -> tuple[tuple[str, ...], int, int]:
        """Return how a word is mostly said as part of others, behind or before a word in them.

        `ness` is N AH0 S there; `ally`, in `really`, is no part by its sound.

        Returns:
            Phonemes, in how many words it is a part by its sound, and in how many as written.
        """
        own = tuple(self.dictionary[part][0])
        said: Counter[tuple[str, ...]] = Counter()
        for word in self.dictionary:
            if word.endswith(part) if behind else word.startswith(part):
                other = word[: -len(part)] if behind else word[len(part) :]
                if len(other) >= _LEAST and other in self.dictionary:
                    rest = _rest(self.dictionary[word][0], self.dictionary[other][0], behind=behind)
                    as_own = _shape(rest) == _shape(own) and (behind or len(rest) == len(own))
                    said[rest if as_own else ()] += 1
        among = sum(said.values())
        agree = among - said.pop((), 0)
        return max(said, key=lambda one: (said[one], one), default=own), agree, among


def _rest(whole: Sequence[str], known: Sequence[str], *, behind: bool) -> tuple[str, ...]:
    """Return what a word has behind, or before, a word in it; nothing where that is not heard."""
    size = len(known)
    there, rest = (whole[:size], whole[size:]) if behind else (whole[-size:], whole[:-size])
    return tuple(rest) if _plain(there) == _plain(known) else ()


def _plain(phonemes: Iterable[str]) -> list[str]:
    return [one.rstrip("012") for one in phonemes]


def _shape(phonemes: Sequence[str]) -> tuple[str, int]:
    """Return what stays when a word is a part of another: its first consonant, how many vowels."""
    vowels = [one[-1].isdigit() for one in phonemes]
    return "" if not vowels or vowels[0] else phonemes[0], sum(vowels)


def _joined(first: Sequence[str], last: Sequence[str]) -> tuple[str, ...]:
    """Return two parts as one word, with one main stress and no consonant twice."""
    if _shape(last)[1] == 1 and not any("1" in one for one in first):  # a super-girl
        first = [one.replace("2", "1") for one in first]
    if any("1" in one for one in first):
        last = [one.replace("1", "2") for one in last]
    elif not any("1" in one for one in last):
        last = [one.replace("2", "1") for one in last]
    return (*(first[:-1] if first[-1] == last[0] in CONSONANTS else first), *last)
