"""How words are said in their sentence: dictionary, homographs by part of speech, then a network.

In this order: the lexicon that is given, homographs.tsv, g2p-en's own homographs, CMUdict; a word
that nobody lists is one of these with an ending, of parts with capitals (`OpenAI`), two words of
CMUdict in one, or left to g2p-en's network. That is an argmax in numpy: the same word always gives
the same phonemes.

Sources: g2p-en (Park and Kim 2019); CMUdict; the averaged perceptron tagger (Honnibal 2013).
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diffaudio.text import language_data
from diffaudio.text.compounds import Compounds
from diffaudio.text.endings import apart, derived, ended, plural
from diffaudio.text.homographs import Homograph, read_homographs
from diffaudio.text.lexicon import PHONEMES
from diffaudio.text.tokens import Token

__all__ = ["Pronouncer", "pronouncer"]

_BEGINS = {".", "!", "?", ":", '"', "(", "..."}  # behind them a sentence may begin
_SPLIT_OFF = re.compile(r"(?i)(?<=\w)(n't|'(?:s|re|ve|ll|d|m))$")  # as in the tagger's corpus
_OBJECTS = {
    "the", "a", "an", "this", "these", "those", "your", "my", "his", "her", "our", "their", "its",
    "it", "them", "me", "us", "him", "all", "every", "each", "yourself",
}  # fmt: skip
"""Behind a verb that begins a sentence: `Record your voice`."""

_BUTTONS = {"record", "import", "export", "permit", "insert", "convert", "extract", "reject"}
_PRESSED = {"press", "tap", "click", "pressing", "tapping", "clicking"}
_BEHIND_BUTTONS = {"", ".", ",", "!", "?", ";", '"', ")", "to", "and", "or", "when", "if", "button"}
_BEHIND_OBJECTS = _BEHIND_BUTTONS - {"button"} | {"from", "into", "as", "with", "now"}
_BARE_OBJECTS = {
    "data", "access", "files", "photos", "pictures", "images", "videos", "video", "audio", "sound",
    "contacts", "messages", "calls", "settings", "coins", "text", "cookies", "pages", "bookmarks",
}  # fmt: skip
"""Behind the verb of a button, `Import data.`; other words may be nouns there: `Project data.`."""

_OF_NAMES = {"Mc", "Mac", "De", "Di", "Du", "La", "Le"}  # McKee is no two words
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
        self.compounds = Compounds(g2p.cmu)
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
            if entry := _entry(word, given):
                return entry
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
        return self._unlisted(written.strip("'"))

    def _unlisted(self, written: str) -> Sequence[str]:
        """Return a word that is not in the dictionary: one with an ending, of parts, a guess."""
        word = written.lower()
        stem, ending = apart(word)
        if ending:
            return ended(self._listed(stem) or self._unlisted(written[: len(stem)]), ending)
        if said := plural(word, self._listed) or derived(word, self._listed):
            return said
        return self._in_parts(written) or self.guess(word.replace("'", ""))

    def _listed(self, word: str) -> tuple[str, ...]:
        """Return a word as it is said whatever its sentence, or nothing."""
        rows = self.homographs.get(word, ())
        always = [row.phonemes for row in rows if row.fits(word, "", "")]
        return always[0] if always else tuple(self.g2p.cmu.get(word, [()])[0])

    def _in_parts(self, written: str) -> tuple[str, ...]:
        """Return a word with capitals inside, `OpenAI`, as words and letters, or nothing."""
        parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]", written)
        if not re.search("[a-z][A-Z]", written) or parts[0] in _OF_NAMES:
            return ()
        said = [self._letter(one) if len(one) == 1 else self._listed(one.lower()) for one in parts]
        return tuple(itertools.chain(*said)) if all(said) else ()

    def _letter(self, letter: str) -> tuple[str, ...]:
        """Return the name of a letter; CMUdict's first `a` is the article."""
        return tuple(self.g2p.cmu[letter.lower()][-1])

    def _guess(self, word: str) -> tuple[str, ...]:
        """Return a word as two, else ask the network; one that it is silent on is spelled."""
        said = self.compounds.say(word) or _spelled(self.g2p.predict(word))
        return said or tuple(itertools.chain(*map(self._letter, word)))


def _commanded(tokens: Sequence[Token], number: int) -> bool:
    """Say whether a word commands: taggers take it for a noun at the beginning of a sentence.

    It has an object there, `Record your voice`, or is the name of a button: `Press record.`.
    """
    word, *after = [token.text.lower() for token in tokens[number : number + 3]] + ["", ""]
    before = tokens[number - 1].text.lower() if number else "."
    begins = before in _BEGINS or before == "please"
    if not tokens[number].word or word not in _BUTTONS:
        return tokens[number].word and begins and after[0] in _OBJECTS
    pressed = before in _PRESSED and after[0] in _BEHIND_BUTTONS
    bare = after[0] in _BARE_OBJECTS and after[1] in _BEHIND_OBJECTS
    return pressed or begins and (after[0] in _OBJECTS or bare)


def _spelled(phonemes: Iterable[str]) -> tuple[str, ...]:
    """Return g2p-en's phonemes as CMUdict has them: its network has `UW` without stress as well."""
    return tuple(
        one for one in ("UW1" if one == "UW" else one for one in phonemes) if one in PHONEMES
    )


def _entry(word: str, given: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return what a lexicon has: an entry `bird` is meant for `bird's`, which CMUdict has, too."""
    stem, ending = apart(word)
    return given.get(word) or (ended(given[stem], ending) if stem in given else ())


def _context(tokens: Sequence[Token], number: int) -> str:
    """Return the words around one that is written `_`; marks count as words."""
    inside = _inserted(tokens, number)
    before = [token.text.lower() for token in tokens[max(0, number - NEAR) : number - inside]]
    after = [token.text.lower() for token in tokens[number + 1 + inside : number + 1 + NEAR]]
    return " ".join([*before, "_", *after])


def _inserted(tokens: Sequence[Token], number: int) -> bool:
    """Say whether an article is an editor's: `(A) rare movie`, not `(A) First` or `(A) the first`.

    Its brackets are then no context: in `panel (A) shows` a word stands before the letter.
    """
    around = [token.text for token in tokens[max(0, number - 1) : number + 3]]
    if len(around) < 4 or around[:3] != ["(", "A", ")"]:
        return False
    return around[3].islower() and around[3] not in _OBJECTS


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
