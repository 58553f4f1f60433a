"""How words are said in their sentence: dictionary, homographs by part of speech, then a network.

In this order: the lexicon that is given, letters said by themselves, homographs.tsv, g2p-en's own
homographs, CMUdict, a dictionary word with an ending, g2p-en's network for words that nobody lists.
The network is an argmax in numpy: the same word always gives the same phonemes.

Sources: g2p-en (Park and Kim 2019); CMUdict; the averaged perceptron tagger (Honnibal 2013).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diffaudio.text import language_data
from diffaudio.text.homographs import Homograph, read_homographs
from diffaudio.text.lexicon import PHONEMES
from diffaudio.text.tokens import Token

__all__ = ["Pronouncer", "pronouncer"]

_SPLIT_OFF = re.compile(r"(?i)(?<=\w)(n't|'(?:s|re|ve|ll|d|m))$")  # as in the tagger's corpus
_HISSING = ("S", "Z", "SH", "ZH", "CH", "JH")
_VOICELESS = ("P", "T", "K", "F", "TH")
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "'ll": ("AH0", "L"), "'ve": ("AH0", "V"), "'re": ("ER0",), "'d": ("AH0", "D"),
}  # fmt: skip
_OBJECTS = {
    "the",
    "a",
    "an",
    "this",
    "these",
    "those",
    "your",
    "my",
    "his",
    "her",
    "our",
    "their",
    "its",
    "it",
    "them",
    "me",
    "us",
    "him",
    "all",
    "every",
    "each",
    "yourself",
}  # behind a verb that begins a sentence: `Record your voice`
NEAR = 4  # words before and behind that a homograph's rows may look at


class Pronouncer:
    """g2p-en's parts, put together anew: its own call drops `;` and writes numbers its own way.

    Args:
        g2p: g2p-en: dictionary, homographs and network.
        tagger: of parts of speech.
        homographs: rows that come before g2p-en's own.
    """

    def __init__(
        self, g2p: Any, tagger: Any, homographs: Mapping[str, Sequence[Homograph]]
    ) -> None:
        self.g2p, self.tagger, self.homographs = g2p, tagger, homographs
        self.guess = functools.cache(self._guess)

    def say(
        self, tokens: Sequence[Token], given: Mapping[str, tuple[str, ...]]
    ) -> list[Sequence[str]]:
        """Return the phonemes of each word; a mark is itself.

        Args:
            tokens: of one sentence.
            given: readings that come before all others, by the word in small letters.
        """
        tags = self._tags(tokens) if self._ambiguous(tokens) else [""] * len(tokens)
        return [
            self._word(tokens, number, tags[number], given) if token.word else (token.text,)
            for number, token in enumerate(tokens)
        ]

    def _ambiguous(self, tokens: Iterable[Token]) -> bool:
        """Say whether parts of speech matter here: tagging is most of the work."""
        words = {token.text.lower() for token in tokens if token.word}
        return not words.isdisjoint(self.homographs.keys() | self.g2p.homograph2features.keys())

    def _tags(self, tokens: Sequence[Token]) -> list[str]:
        """Return a part of speech for each token; `don't` is tagged as `do n't`."""
        pieces: list[str] = []
        first: list[int] = []
        for token in tokens:
            first.append(len(pieces))
            pieces += [part for part in _SPLIT_OFF.split(token.text) if part]
        tagged = self.tagger.tag(pieces)
        return [
            "VB" if _commanded(tokens, place) else tagged[number][1]
            for place, number in enumerate(first)
        ]

    def _word(
        self,
        tokens: Sequence[Token],
        number: int,
        tag: str,
        given: Mapping[str, tuple[str, ...]],
    ) -> Sequence[str]:
        written = tokens[number].text
        for word in (written.lower(), written.lower().strip("'")):
            if word in given:
                return given[word]
            if word in self.homographs:
                context = _context(tokens, number)
                for row in self.homographs[word]:
                    if row.fits(written, tag, context):
                        return row.phonemes
            if word in self.g2p.homograph2features:
                first, second, wanted = self.g2p.homograph2features[word]
                return _spelled(first if tag.startswith(wanted) else second)
            if word in self.g2p.cmu:
                return tuple(self.g2p.cmu[word][0])
        return self._unlisted(written.lower().strip("'"), given)

    def _unlisted(self, word: str, given: Mapping[str, tuple[str, ...]]) -> Sequence[str]:
        """Return a word that is not in the dictionary: one with an ending, or the network's."""
        stem, mark, _ = word.rpartition("'")
        ending = word[len(stem) :]
        if mark and stem and (ending == "'s" or ending in _ENDINGS):
            said = given.get(stem) or tuple(self.g2p.cmu.get(stem, [()])[0]) or self.guess(stem)
            return (*said, *(_ENDINGS.get(ending) or _s(said[-1])))
        return self.guess(word.replace("'", ""))

    def _guess(self, word: str) -> tuple[str, ...]:
        """Ask the network; a word that it is silent on is spelled."""
        said = _spelled(self.g2p.predict(word))
        return said or tuple(sound for letter in word for sound in self.g2p.cmu[letter][-1])


def _commanded(tokens: Sequence[Token], number: int) -> bool:
    """Say whether a word begins a sentence and has an object: taggers take it for a noun then."""
    begins = number == 0 or tokens[number - 1].text in {".", "!", "?", ":", '"', "(", "..."}
    polite = number > 0 and tokens[number - 1].text.lower() == "please"
    after = tokens[number + 1].text.lower() if number + 1 < len(tokens) else ""
    return tokens[number].word and (begins or polite) and after in _OBJECTS


def _spelled(phonemes: Iterable[str]) -> tuple[str, ...]:
    """Return g2p-en's phonemes as CMUdict has them: its network has `UW` without stress as well."""
    return tuple(
        one for one in ("UW1" if one == "UW" else one for one in phonemes) if one in PHONEMES
    )


def _s(last: str) -> tuple[str, ...]:
    """Return how `'s` is said behind a phoneme."""
    return ("IH0", "Z") if last in _HISSING else ("S",) if last in _VOICELESS else ("Z",)


def _context(tokens: Sequence[Token], number: int) -> str:
    """Return the words around one that is written `_`; marks count as words."""
    before = [token.text.lower() for token in tokens[max(0, number - NEAR) : number]]
    after = [token.text.lower() for token in tokens[number + 1 : number + 1 + NEAR]]
    return " ".join([*before, "_", *after])


@functools.cache
def pronouncer() -> Pronouncer:
    """Return the one pronouncer of this process; loading it takes seconds.

    Raises:
        Refusal: NLTK's data is missing; g2p-en would go and download it.
    """
    language_data.check()
    from g2p_en import G2p
    from nltk.tag.perceptron import PerceptronTagger

    return Pronouncer(G2p(), PerceptronTagger(), read_homographs())
