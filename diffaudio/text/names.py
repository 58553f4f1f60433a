"""Abbreviations, initials, acronyms and Roman numerals.

An abbreviation's full stop goes, unless the text ends there: then it is the sentence's as well.
Letters that are said one by one stand apart and in capitals: `BBC` is "B B C".
"""

from __future__ import annotations

import re

from diffaudio.text.numbers import cardinal, ordinal
from diffaudio.text.rules import Match, Rule, rule, words_of

__all__ = ["ABBREVIATIONS", "NAMES", "STARTERS", "TITLES", "roman"]

TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Messrs": "Messieurs", "Mme": "Madame",
    "Mlle": "Mademoiselle", "Prof": "Professor", "Rev": "Reverend", "Capt": "Captain",
    "Gen": "General", "Col": "Colonel", "Lt": "Lieutenant", "Sgt": "Sergeant", "Cpl": "Corporal",
    "Maj": "Major", "Adm": "Admiral", "Gov": "Governor", "Sen": "Senator",
    "Rep": "Representative", "Pres": "President", "Hon": "Honorable", "Dr": "Doctor",
    "Supt": "Superintendent", "Insp": "Inspector", "Bp": "Bishop", "Mt": "Mount", "Ft": "Fort",
}  # fmt: skip
"""Before a name."""

_AFTER = {
    "Jr": "Junior", "Sr": "Senior", "Esq": "Esquire", "Inc": "Incorporated", "Ltd": "Limited",
    "Co": "Company", "Corp": "Corporation", "Bros": "Brothers", "Ave": "Avenue", "Rd": "Road",
    "Blvd": "Boulevard", "Ln": "Lane", "Sq": "Square", "Hwy": "Highway", "Assn": "Association",
}  # fmt: skip
_NUMBERED = {
    "no": "number", "nos": "numbers", "vol": "volume", "vols": "volumes", "p": "page",
    "pp": "pages", "fig": "figure", "figs": "figures", "ch": "chapter", "chap": "chapter",
    "sec": "section", "par": "paragraph", "art": "article", "eq": "equation", "apt": "apartment",
    "c": "circa", "ca": "circa", "approx": "approximately",
}  # fmt: skip
_COMMON = {
    "e.g.": "for example", "eg.": "for example", "i.e.": "that is", "ie.": "that is",
    "etc.": "et cetera", "&c.": "et cetera", "vs.": "versus", "vs": "versus", "cf.": "compare",
    "viz.": "namely", "et al.": "and others", "a.k.a.": "also known as", "ibid.": "ibidem",
    "w/o": "without", "w/": "with", "dept.": "department", "Dept.": "Department",
    "govt.": "government", "Govt.": "Government", "approx.": "approximately",
    "est.": "established", "misc.": "miscellaneous", "max.": "maximum", "min.": "minimum",
    "incl.": "including", "hon.": "honorable", "Univ.": "University", "Ph.D.": "P H D",
    "PhD": "P H D", "assoc.": "associate", "tel.": "telephone", "Tel.": "Telephone",
}  # fmt: skip
_AS_WORDS = words_of(
    "NASA", "NATO", "UNESCO", "UNICEF", "AIDS", "OPEC", "RAM", "ROM", "SIM", "FIFA", "UEFA",
    "NAFTA", "ASAP", "GIF", "JPEG", "LASER", "RADAR", "SWAT", "PIN", "ZIP", "NIMBY", "SARS",
    "COVID", "FEMA", "OSHA", "HIPAA", "SAT", "ASCII", "BASIC", "CAPTCHA", "EFTA", "ESA", "TASS",
)  # fmt: skip
_STRESSED = words_of(
    "NO", "NOT", "YES", "STOP", "AND", "OR", "THE", "ALL", "NOW", "NEVER", "MUST", "ONLY", "IS",
    "IT", "YOU", "WE", "HE", "SHE", "THEY", "ME", "MY", "TO", "IN", "ON", "OF", "AT", "BY", "FOR",
    "DO", "DID", "ANY", "VERY", "THIS", "THAT", "ARE", "WAS", "WILL", "GO", "HELP", "FIRE", "WAIT",
    "OK", "OH", "AH", "SO", "IF", "BUT", "END", "NEW", "HERE", "EVER", "HIS", "HER", "CAN", "WHO",
    "WHY", "WHAT", "HOW", "DANGER", "PLEASE", "BE", "AM", "UP", "OUT", "MORE", "MOST", "LOVE",
)  # fmt: skip
STARTERS = frozenset({
    "The", "A", "An", "He", "She", "It", "They", "We", "You", "I", "In", "On", "At", "But", "And",
    "Then", "This", "That", "There", "These", "Those", "If", "When", "While", "His", "Her", "Its",
    "Their", "Our", "My", "Your", "What", "Who", "Why", "How", "Where", "No", "Not", "Yes", "So",
    "As", "For", "From", "With", "After", "Before", "Now", "Here", "Let", "One", "All", "To", "Of",
})  # fmt: skip
"""Words that begin a sentence and no name."""

_REGNAL = words_of(
    "Henry", "Edward", "George", "William", "Charles", "James", "Richard", "Louis", "Elizabeth",
    "Mary", "Philip", "Paul", "Pius", "Leo", "Napoleon", "Frederick", "Alexander", "Peter",
    "Catherine", "Nicholas", "Francis", "Ivan", "Otto", "Ferdinand", "Alfonso", "Wilhelm",
    "Gustav", "Christian", "Olaf", "Benedict", "Gregory", "Clement", "Innocent", "Urban", "John",
    "Stephen", "Robert", "David", "Ramses", "Rameses", "Ptolemy", "Darius", "Xerxes", "Haakon",
    "Leopold", "Maximilian", "Joseph", "Edmund", "Anne", "Victoria", "Sixtus",
)  # fmt: skip
_PARTS = words_of(
    "chapter", "part", "volume", "book", "act", "scene", "section", "war", "type", "phase",
    "stage", "class", "article", "title", "canto", "appendix", "figure", "plate", "table",
    "number", "verse", "lesson", "level", "grade", "episode", "series", "season", "psalm", "bowl",
)  # fmt: skip
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ROMAN = r"(?:(?=[IVXLC]{1,9}\b)(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?![IVXLC]))"
_I_SPEAKING = r"(?!\s+(?!(?:of|and|in|to|is|was|to|had|or|by|on|at|the)\b)[a-z])(?!')"


def roman(written: str) -> int:
    """Return the value of a Roman numeral."""
    values = [_VALUES[one] for one in written.upper()]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _stop(match: Match, words: str) -> str:
    """Return `words`, with the full stop where the abbreviation ends the text."""
    last = not match.string[match.end() :].strip("\"')(")
    return words + ("." if last and match[0].rstrip().endswith(".") else "")


def _spaced(letters: str) -> str:
    return " ".join(one.upper() for one in letters if one.isalpha())


def _common(match: Match) -> str:
    words = _COMMON[match[1]]
    return _stop(match, words[0].upper() + words[1:] if match[1][0].isupper() else words)


def _numbered(match: Match) -> str:
    word = _NUMBERED[match[1].lower()]
    return word.capitalize() if match[1][0].isupper() else word


def _saint_or_street(match: Match) -> str:
    """`St. Paul` is a saint, `Bond St.` a street, as is `12 Bond St. London`."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    if re.search(r"\d\w*\s+[A-Z]\w+\s+$", before) or not re.match(r"\s+[A-Z]", after):
        return _stop(match, "Street")
    return "Saint"


def _doctor_or_drive(match: Match) -> str:
    before, after = match.string[: match.start()], match.string[match.end() :]
    named = re.search(r"\d\s+(?:[A-Z]\w+\s+)+$", before)
    return _stop(match, "Drive") if named or not re.match(r"\s+[A-Z]", after) else "Doctor"


def _initial(match: Match) -> str:
    """Return an initial without its full stop; `Plan B. Then` and `It was I. Later` have none."""
    speaking = match["letter"] == "I" and re.search(
        r"\b(?:was|is|and|than|as|it's|not|nor|or)\s$", match.string[: match.start()]
    )
    begins = match["next"] in STARTERS and not match["more"]
    return match[0] if speaking or begins else match["letter"]


def _figures(match: Match) -> str:
    """Return a Roman numeral by itself; centuries are counted."""
    counted = re.match(r"\s+centur", match.string[match.end() :])
    return (ordinal if counted else cardinal)(roman(match["n"]))


def _acronym(match: Match) -> str:
    return _spaced(match["letters"]) + ("'s" if match["end"] else "")


def _softer(match: Match) -> str:
    """Return a word of a text in capitals as it is written in others."""
    word = match[0]
    said_by_letter = not re.search(r"[AEIOUY]", word) or re.fullmatch(_AS_WORDS, word)
    return word if said_by_letter or re.fullmatch(_ROMAN, word) else word.capitalize()


def _whole_text(match: Match) -> str:
    """Return a text in capitals in ordinary writing, where it has words enough to be one."""
    words = re.findall(r"[A-Z]{2,}", match[0])
    return re.sub(r"[A-Z]{2,}", _softer, match[0]) if len(words) > 2 else match[0]


ABBREVIATIONS: tuple[Rule, ...] = (
    rule("text in capitals", r"\A[^a-z]+\Z", _whole_text),
    rule("title", rf"\b({words_of(*{*TITLES} - {'Dr', 'Ft', 'Mt'})})\.(?=\s*[\w&])",
         lambda match: TITLES[match[1]]),
    rule("title without full stop", r"\b(Mr|Mrs|Ms|Dr)(?=\s+[A-Z])",
         lambda match: TITLES[match[1]]),
    rule("mount or fort", r"\b(Mt|Ft)\.(?=\s+[A-Z])", lambda match: TITLES[match[1]]),
    rule("doctor or drive", r"\bDr\.", _doctor_or_drive),
    rule("saint or street", r"\bSt\.(?!\w)", _saint_or_street),
    rule("behind a name", rf"\b({words_of(*_AFTER)})\.",
         lambda match: _stop(match, _AFTER[match[1]])),
    rule("versus", r"(?<=[a-z]\s)v\.(?=\s[A-Z])", "versus"),
    rule("common abbreviation", rf"(?<![\w.])({words_of(*_COMMON)})(?![\w.](?!\.\.))", _common),
    rule("numbered thing",
         rf"\b({words_of(*_NUMBERED)})\.\s?(?=(?-i:[A-Z]?\d|[IVXLC]{{2,}}\b|[VX]\b))",
         lambda match: f"{_numbered(match)} ", flags=re.I),
    rule("word and figures", r"(?<=[a-zA-Z]{2})-(?=\d)", " "),
)  # fmt: skip

NAMES: tuple[Rule, ...] = (
    rule("regnal number", rf"\b(?P<name>{_REGNAL})\s+(?P<n>{_ROMAN})\b(?<!\bI)",
         lambda match: f"{match['name']} the {ordinal(roman(match['n']))}"),
    rule("the first", rf"\b(?P<name>{_REGNAL})\s+I\b{_I_SPEAKING}", r"\g<name> the first"),
    rule("numbered part", rf"\b(?P<part>(?i:{_PARTS}))\s+(?P<n>(?i:{_ROMAN}))\b(?<!\b[iI])",
         lambda match: f"{match['part']} {cardinal(roman(match['n']))}"),
    rule("part one", rf"\b(?P<part>(?=[A-Z])(?i:{_PARTS}))\s+I\b{_I_SPEAKING}", r"\g<part> one"),
    rule("Roman figures", rf"(?<![\w-])(?!XL\b)(?P<n>(?=[IVX]{{2}}){_ROMAN})(?![\w-])",
         _figures),
    rule("joined letters", r"\b([A-Z]{1,3})&([A-Z]{1,3})\b",
         lambda match: f"{_spaced(match[1])} and {_spaced(match[2])}"),
    rule("dotted letters", r"(?<![\w.])(?:[A-Z]\.){2,}|(?<![\w.])(?:[A-Z]\.)+[A-Z]\b|"
         r"(?<![\w.])(?:[a-z]\.){2,}(?!\.)",
         lambda match: _stop(match, _spaced(match[0]))),
    rule("initial", r"(?<![\w.'])(?P<letter>[A-Z])\."
         r"(?=\s+(?P<next>[A-Z]\w*)(?P<more>\.)?)",
         _initial),
    rule("letters and figures", r"\b(?P<letters>[A-Z]{1,4})-?(?=\d)(?<!COVID-)",
         lambda match: f"{_spaced(match['letters'])} "),
    rule("figures and letters", r"(?<=\d)(?P<letters>[DGKXMB]{1,2})\b",
         lambda match: f" {_spaced(match['letters'])}"),
    rule("acronym", rf"(?<![\w'])(?!(?:{_AS_WORDS}|{_STRESSED})\b)"
         r"(?P<letters>[A-Z]{2,5})(?P<end>'?s)?(?!\w)",
         _acronym),
)  # fmt: skip
