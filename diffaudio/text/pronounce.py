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
from diffaudio.text.homographs import Homograph, read_homographs
from diffaudio.text.lexicon import PHONEMES
from diffaudio.text.tokens import Token

__all__ = ["Pronouncer", "pronouncer"]

_BEGINS = {".", "!", "?", ":", '"', "(", "..."}  # behind them a sentence may begin
_SPLIT_OFF = re.compile(r"(?i)(?<=\w)(n't|'(?:s|re|ve|ll|d|m))$")  # as in the tagger's corpus
_HISSING = ("S", "Z", "SH", "ZH", "CH", "JH")
_VOICELESS = ("P", "T", "K", "F", "TH")
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "'ll": ("AH0", "L"), "'ve": ("AH0", "V"), "'re": ("ER0",), "'d": ("AH0", "D"),
}  # fmt: skip
_DERIVING: Mapping[str, tuple[str, ...]] = {
    "er": ("ER0",), "ing": ("IH0", "NG"), "able": ("AH0", "B", "AH0", "L"), "ed": ("D",),
}  # fmt: skip
_STEM = 4  # letters of a word that an ending is taken from: `bios` is no plural
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
        stem, ending = _apart(word)
        if ending:
            return _ended(self._listed(stem) or self._unlisted(written[: len(stem)]), ending)
        if said := self._plural(word) or self._derived(word):
            return said
        return self._in_parts(written) or self.guess(word.replace("'", ""))

    def _plural(self, word: str) -> tuple[str, ...]:
        """Return a listed word with `s`, also a verb's, or nothing."""
        if not re.search("[^su]s$", word) or len(word) <= _STEM:
            return ()
        said = self._listed(word[:-1]) or self._derived(word[:-1])
        if not said and word.endswith("es"):
            hissing = self._listed(word[:-2])
            said = hissing if hissing and hissing[-1] in _HISSING else ()
        return _ended(said, "'s") if _stressed(said) else ()

    def _derived(self, word: str) -> tuple[str, ...]:
        """Return a listed word with `er`, `ing`, `able` or `ed`, or nothing.

        It may have lost an `e` or doubled its last letter; what could be two words is neither.
        """
        ending = next((one for one in _DERIVING if word.endswith(one)), "")
        stem = word.removesuffix(ending)
        if not ending or len(stem) < _STEM:
            return ()
        stems = [stem, f"{stem}e"] + [stem[:-1]] * (stem[-1] == stem[-2])
        found = {said for one in stems if (said := self._listed(one))}
        if len(found) != 1 or not _stressed(said := found.pop()):
            return ()
        if ending == "ed" and said[-1] in ("T", "D"):
            return (*said, "IH0", "D")
        if ending == "ed" and said[-1] in (*_VOICELESS, "S", "SH", "CH"):
            return (*said, "T")
        return (*said, *_DERIVING[ending])

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


def _stressed(phonemes: Iterable[str]) -> bool:
    return any("1" in one for one in phonemes)


def _spelled(phonemes: Iterable[str]) -> tuple[str, ...]:
    """Return g2p-en's phonemes as CMUdict has them: its network has `UW` without stress as well."""
    return tuple(
        one for one in ("UW1" if one == "UW" else one for one in phonemes) if one in PHONEMES
    )


def _apart(word: str) -> tuple[str, str]:
    """Return a word without an ending that an apostrophe stands before, and the ending."""
    stem, mark, _ = word.rpartition("'")
    ending = word[len(stem) :]
    known = mark and stem and (ending == "'s" or ending in _ENDINGS)
    return (stem, ending) if known else (word, "")


def _entry(word: str, given: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return what a lexicon has: an entry `bird` is meant for `bird's`, which CMUdict has, too."""
    stem, ending = _apart(word)
    return given.get(word) or (_ended(given[stem], ending) if stem in given else ())


def _ended(said: Sequence[str], ending: str) -> tuple[str, ...]:
    """Return phonemes with an ending; `'s` is said as the sound before it wants."""
    if ending in _ENDINGS:
        return (*said, *_ENDINGS[ending])
    if said[-1] in _HISSING:
        return (*said, "IH0", "Z")
    return (*said, "S" if said[-1] in _VOICELESS else "Z")


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
