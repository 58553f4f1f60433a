"""Two words in one that no dictionary lists, each said as it mostly is in other words.

    touchscreen  ->  T AH1 CH S K R IY2 N

`ness` is said as in `darkness`, `wind` as in `windmill`. What only looks like a word, the `ally` of
`really` or the `mizer` of `phonemizer`, makes none: better no compound than a wrong one.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from diffaudio.text.lexicon import CONSONANTS

__all__ = ["Compounds"]

_LEAST = 4  # letters of a part: shorter ones are found everywhere
_LONG = 5  # letters of a part that is hardly there by chance
_CLEAR = 3  # words that say a part in another way than it is said alone
_OFTEN = 6  # words that make a part one with whatever word


class _Part(NamedTuple):
    """A word as part of others.

    Args:
        phonemes: as it is said there.
        agree: in how many words it is said like that, whatever the stress.
        among: in how many words it is as written.
    """

    phonemes: tuple[str, ...]
    agree: int
    among: int


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
                parts = self._part(first, behind=False), self._part(last, behind=True)
                if _sure(*parts, min(len(first), len(last)) >= _LONG):
                    least, most = sorted(part.agree for part in parts)
                    rank = not first.endswith("s"), least, most  # back-story, not backs-tory
                    found.append((rank, parts[0].phonemes, parts[1].phonemes))
        said = _joined(*max(found)[1:]) if found else ()
        return said if any("1" in one for one in said) else ()

    @functools.cached_property
    def _sorted(self) -> tuple[list[str], list[str]]:
        """Return the words, and the words from behind, each in their order."""
        return sorted(self.dictionary), sorted(word[::-1] for word in self.dictionary)

    def _others(self, part: str, *, behind: bool) -> Iterable[tuple[str, str]]:
        """Yield the words that a part ends or begins, and what they have before or behind it."""
        words, turn = self._sorted[behind], -1 if behind else 1
        begin = part[::turn]
        for place in range(bisect_left(words, begin), len(words)):
            if not words[place].startswith(begin):
                return
            yield words[place][::turn], words[place][len(begin) :][::turn]

    def _part(self, part: str, *, behind: bool) -> _Part:
        """Return how a word is mostly said as part of others, behind or before a word in them.

        It keeps its own phonemes unless most words clearly have others: `ness` is N AH0 S there.
        `ally`, in `really`, is no part by its sound.
        """
        own = tuple(self.dictionary[part][0])
        said: Counter[tuple[str, ...]] = Counter()
        among = 0
        for word, other in self._others(part, behind=behind):
            if len(other) >= _LEAST and other in self.dictionary:
                rest = _rest(self.dictionary[word][0], self.dictionary[other][0], behind=behind)
                among += 1
                if _shape(rest) == _shape(own) and (behind or len(rest) == len(own)):
                    said[rest] += 1
        sounds: Counter[tuple[str, ...]] = Counter()
        for one, times in said.items():
            sounds[_plain(one)] += times
        sound = max(sounds, key=lambda one: (sounds[one], one), default=())
        if sounds[sound] < _CLEAR or 2 * sounds[sound] <= among:
            sound = _plain(own)
        alike = {one: times for one, times in said.items() if _plain(one) == sound}
        often = max(alike, key=lambda one: (alike[one], one), default=own)
        stressed = often if alike.get(often, 0) >= _CLEAR else own
        return _Part(stressed, sounds[sound], among)


def _sure(first: _Part, last: _Part, long: bool) -> bool:
    """Say whether two words are parts of a third: both are by their sound, or one very often."""
    if 3 * first.agree < first.among or 2 * last.agree < last.among:
        return False  # mostly there by chance: the mars of marshalling
    if last.phonemes[0] not in CONSONANTS and last.agree < _CLEAR:
        return False  # rather an ending: diff-ident
    least, most = sorted((first.agree, last.agree))
    if long:  # hardly there by chance
        return least > 0 or most >= _CLEAR
    return least > 0 and least + most >= _CLEAR or most >= _OFTEN


def _rest(whole: Sequence[str], known: Sequence[str], *, behind: bool) -> tuple[str, ...]:
    """Return what a word has behind, or before, a word in it; nothing where that is not heard."""
    size = len(known)
    there, rest = (whole[:size], whole[size:]) if behind else (whole[-size:], whole[:-size])
    return tuple(rest) if _plain(there) == _plain(known) else ()


def _plain(phonemes: Iterable[str]) -> tuple[str, ...]:
    return tuple(one.rstrip("012") for one in phonemes)


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
