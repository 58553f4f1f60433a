"""Text to what a model of speech is told: normalised, in units, kept; nothing of diffusion.

front_end.py      FrontEnd: written text to said text to units, saved with a model
english.py        figures, money, dates, abbreviations in words: the rules in their order
rules.py          one rule; these files hold them, english.py has their order:
    symbols.py, dates.py, clock.py, telephones.py, money.py and measures.py (amounts.py,
    units_of_measure.py), capitals.py, names.py, years.py, figures.py
numbers.py        numbers in words
plain.py          quotes, dashes, accents folded
units.py          the seam: Units, and Characters
phonemes.py       Phonemes: ARPAbet with stress
tokens.py         a text as words and marks
pronounce.py      a word in its sentence to phonemes: dictionary, homographs, network
endings.py        a listed word with an ending
compounds.py      two words in one
homographs.py     words written alike and said otherwise: the table above g2p-en's
lexicon.py        readings given by hand
language_data.py  where dictionary and tagger are; refused when missing, never downloaded
pieces.py         Pieces: parts of words, learned from a corpus
cache.py          readings kept by content
readings.py       those of a corpus, for who trains on it
sentences.py      long text in sentences with pauses
paragraphs.py     wrapped lines made one; entries of lists, headings, verses
words.py          which symbols say which word
"""

from diffaudio.text.cache import Cache
from diffaudio.text.front_end import FILE, FrontEnd, Reading, held_files
from diffaudio.text.phonemes import Phonemes
from diffaudio.text.pieces import Pieces, train_pieces
from diffaudio.text.readings import FOLDER, Readings, cached
from diffaudio.text.sentences import Pauses, Sentence, split_sentences
from diffaudio.text.units import Characters, Units
from diffaudio.text.words import Word, split_words

__all__ = [
    "FILE",
    "FOLDER",
    "Cache",
    "Characters",
    "FrontEnd",
    "Pauses",
    "Phonemes",
    "Pieces",
    "Reading",
    "Readings",
    "Sentence",
    "Units",
    "Word",
    "cached",
    "held_files",
    "split_sentences",
    "split_words",
    "train_pieces",
]
