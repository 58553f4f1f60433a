"""English as it is said: figures, money, dates, abbreviations and symbols in words.

    It cost $3.50 in 1999.  ->  It cost three dollars and fifty cents in nineteen ninety-nine.

`RULES` is all there is, in its order. What is in words already stays as it is, with its punctuation
and its capitals, unless all are capitals. `test/text/readings.tsv` has what each rule does to which
sentence.
"""

from __future__ import annotations

import textwrap

from diffaudio.text.capitals import ARTICLES, CAPITALS, IN_CAPITALS
from diffaudio.text.clock import TIMES
from diffaudio.text.dates import DATES
from diffaudio.text.figures import FIGURES
from diffaudio.text.measures import MEASURES
from diffaudio.text.money import MONEY
from diffaudio.text.names import ABBREVIATIONS, NAMES
from diffaudio.text.plain import fold
from diffaudio.text.rules import Rule, apply
from diffaudio.text.symbols import ADDRESSES, COMPARISONS, SYMBOLS, TIDY
from diffaudio.text.telephones import TELEPHONES
from diffaudio.text.years import YEARS

__all__ = ["RULES", "normalise"]

RULES: tuple[Rule, ...] = (
    *ADDRESSES,
    *COMPARISONS,
    *DATES,
    *TIMES,
    *TELEPHONES,
    *MONEY,
    *MEASURES,
    *IN_CAPITALS,
    *ABBREVIATIONS,
    *YEARS,
    *ARTICLES,
    *NAMES,
    *CAPITALS,
    *FIGURES,
    *SYMBOLS,
    *TIDY,
)


_LONG = 2000  # characters that rules look at in one go: some take time as the square of them


def normalise(text: str, *, fired: set[str] | None = None) -> str:
    """Return `text` as it is said.

    Args:
        text: any; a sentence or a fragment of one.
        fired: takes the names of the rules that changed something.
    """
    text = fold(text)
    parts = [text] if len(text) <= _LONG else textwrap.wrap(text, _LONG, break_on_hyphens=False)
    return " ".join(apply(RULES, part, fired).strip() for part in parts)
