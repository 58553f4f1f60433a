"""Abbreviations, initials and Roman numerals.

An abbreviation's full stop goes, unless a sentence ends there: then it is the sentence's as well.
"""

from __future__ import annotations

import re

from diffaudio.text.capitals import spaced
from diffaudio.text.numbers import cardinal, ordinal
from diffaudio.text.rules import STARTERS, Match, Rule, rule, stopped, words_of

__all__ = ["ABBREVIATIONS", "NAMES", "NUMBERED", "STARTERS", "TITLES", "roman"]

TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Messrs": "Messieurs", "Mme": "Madame",
    "Mlle": "Mademoiselle", "Prof": "Professor", "Rev": "Reverend", "Capt": "Captain",
    "Gen": "General", "Col": "Colonel", "Lt": "Lieutenant", "Sgt": "Sergeant", "Cpl": "Corporal",
    "Maj": "Major", "Adm": "Admiral", "Gov": "Governor", "Sen": "Senator",
    "Rep": "Representative", "Pres": "President", "Hon": "Honorable", "Dr": "Doctor",
    "Supt": "Superintendent", "Insp": "Inspector", "Bp": "Bishop", "Mt": "Mount", "Ft": "Fort",
    "Cmdr": "Commander", "Msgr": "Monsignor", "Fr": "Father", "Drs": "Doctors",
    "Lieut": "Lieutenant", "Revd": "Reverend", "Pvt": "Private", "Det": "Detective",
    "Atty": "Attorney", "Asst": "Assistant", "Serg": "Sergeant", "Ens": "Ensign",
    "Pfc": "Private First Class", "Mmes": "Mesdames", "Rt": "Right",
    "Wm": "William",
    "Thos": "Thomas", "Chas": "Charles", "Geo": "George", "Jas": "James",
}  # fmt: skip
"""Before a name."""

_AFTER = {
    "Jr": "Junior", "Sr": "Senior", "Esq": "Esquire", "Inc": "Incorporated", "Ltd": "Limited",
    "Co": "Company", "Corp": "Corporation", "Bros": "Brothers", "Ave": "Avenue", "Rd": "Road",
    "Blvd": "Boulevard", "Ln": "Lane", "Sq": "Square", "Hwy": "Highway", "Pkwy": "Parkway",
    "Assn": "Association",
}  # fmt: skip
NUMBERED = {
    "no": "number", "nos": "numbers", "vol": "volume", "vols": "volumes", "bk": "book", "p": "page",
    "pp": "pages", "fig": "figure", "figs": "figures", "ch": "chapter", "chap": "chapter",
    "sec": "section", "par": "paragraph", "art": "article", "eq": "equation", "apt": "apartment",
    "max": "maximum", "min": "minimum", "c": "circa", "ca": "circa",
}  # fmt: skip
_COMMON = {
    "e.g.": "for example", "eg.": "for example", "i.e.": "that is", "ie.": "that is",
    "etc.": "et cetera", "&c.": "et cetera", "vs.": "versus", "vs": "versus", "cf.": "compare",
    "viz.": "namely", "et al.": "and others", "a.k.a.": "also known as", "ibid.": "ibidem",
    "w/o": "without", "w/": "with", "dept.": "department", "govt.": "government",
    "approx.": "approximately", "est.": "established", "misc.": "miscellaneous",
    "max.": "maximum", "min.": "minimum", "incl.": "including", "hon.": "honorable",
    "inst.": "instant", "ult.": "ultimo", "univ.": "university", "assoc.": "associate",
    "tel.": "telephone", "ext.": "extension",
}  # fmt: skip
_SMALL_ONLY = ("max.", "min.", "hon.", "ie.", "eg.", "vs", "inst.", "ult.", "assoc.")
"""Not with a capital: Max is a name."""

_COMMON |= {one.capitalize(): words for one, words in _COMMON.items() if one not in _SMALL_ONLY}
_COMMON |= {"Ph.D.": "P H D", "PhD": "P H D"}
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
_ROMAN = r"(?:(?=[IVXLC]{2,9}\b|[IVX]\b)(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?![IVXLC]))"
_OF_KINGS = (
    "of|and|in|to|is|was|had|or|by|on|at|the|ruled|reigned|died|became|succeeded|ascended|"
    "abdicated|inherited"
)
_I_SPEAKING = rf"(?!\s+(?!(?:{_OF_KINGS})\b)[a-z])(?!')"
_STOP = r"(?:\.(?=\s[a-z]|,))?"  # of a numeral, in old books: `Henry VIII. was king`
_WITH_I = (
    "am|was|have|had|want|need|like|love|will|would|can|could|do|did|think|know|see|saw|got|use"
)


def roman(written: str) -> int:
    """Return the value of a Roman numeral."""
    values = [_VALUES[one] for one in written.upper()]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _common(match: Match) -> str:
    words = _COMMON[match[1]]
    return stopped(match, words[0].upper() + words[1:] if match[1][0].isupper() else words)


def _numbered(written: str) -> str:
    word = NUMBERED[written.lower()]
    return word.capitalize() if written[0].isupper() else word


def _title(match: Match) -> str:
    """Return a title in words, apart from a name that is written right behind it."""
    follows = match.string[match.end() : match.end() + 1]
    return TITLES[match[1]] + (" " if follows.isalpha() else "")


def _saint_or_street(match: Match) -> str:
    """`St. Paul` is a saint, `Bond St.` a street, as are `12 Bond St. London` and `Wall St.`."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    street = re.search(r"(?:\d\w*\s+[A-Z]\w+|\b(?:Wall|Main|High)|\d(?:st|nd|rd|th))\s+$", before)
    name = re.match(r"\s+(?P<name>[A-Z]\w*)", after)
    if not street and name and name["name"] not in STARTERS:
        return "Saint"
    named = "." in match[0] or re.search(r"[A-Z]\w+\s+$", before)
    return stopped(match, "Street") if street or named else match[0]


def _doctor_or_drive(match: Match) -> str:
    """`Dr. Smith` is a doctor, and so is `the Dr.`; `Elm Dr.` is a drive."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    if after[:1].isalpha():
        return "Doctor "
    numbered = re.search(r"\d\s+(?:[A-Z]\w+\s+)+$", before)
    named = re.search(r"\b(?!The\b|A\b|My\b)[A-Z]\w+\s+$", before)
    street = numbered or named and not re.match(r"\s+[A-Z]", after)
    ends = not after.strip("\"') ")  # `Dr. Who` does not
    return stopped(match, "Drive") if street else "Doctor" + "." * ends


def _behind_a_name(match: Match) -> str:
    return stopped(match, _AFTER[match["dotted"] or match["plain"]])


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


ABBREVIATIONS: tuple[Rule, ...] = (
    rule("title", rf"\b({words_of(*{*TITLES} - {'Dr', 'Ft', 'Mt'})})\.(?=\s*[\w&])"
         rf"(?:(?<!\b(?:Rt|Fr)\.)(?<!\b(?:Det|Ens|Geo)\.)|(?=\s[A-Z]))", _title),
    rule("title without full stop",
         r"\b(Mr|Mrs|Ms|Dr|Prof|Sgt|Capt|Lt)(?=\s+(?:[A-Z]|and\s[A-Z]|&))",
         lambda match: TITLES[match[1]]),
    rule("mount or fort", r"(?<!\d\s)\b(Mt|Ft)\.?(?=\s+[A-Z])", lambda match: TITLES[match[1]]),
    rule("doctor or drive", r"\bDr\.|(?<=[a-z]\s)Dr(?=[,;)]|$)", _doctor_or_drive),
    rule("saint or street", r"\bSt(?:\.(?!\w)|(?![\w.'-]))", _saint_or_street),
    rule("behind a name",
         rf"\b(?P<dotted>{words_of(*_AFTER)})\.|(?<=[a-z]\s)(?P<plain>Jr|Sr|Esq|Inc|Ltd|Corp)\b",
         _behind_a_name),
    rule("road behind a name",
         r"(?P<name>\b(?:[A-Z][a-z]+|\d+(?:st|nd|rd|th))\s)(?P<kind>Ave|Rd|Blvd|Ln|Hwy|Pkwy)"
         r"(?=\s[a-z\d]|\s[NSEW]{1,2}\b|[,;:)!?]|\.?$)",
         lambda match: match["name"] + _AFTER[match["kind"]]),
    rule("versus", r"(?<=[a-z]\s)v\.(?=\s[A-Z])", "versus"),
    rule("common abbreviation", rf"(?<![\w.])({words_of(*_COMMON)})(?![\w.](?!\.\.))", _common),
    rule("first volume", r"\b(vol|chap|ch|fig|bk)\.\s?(?-i:I)\b(?!')(?:\.(?=\s[a-z]|,))?",
         lambda match: f"{_numbered(match[1])} one", flags=re.I),
    rule("numbered thing",
         rf"(?<![\w.])(?:({words_of(*NUMBERED)})\.\s?|(vols?|pp|fig|(?-i:Apt|Figs|Chap))\s)"
         r"(?=(?-i:[A-Z]?\d|[IVXLC]{2,}\b|[VX]\b))",
         lambda match: f"{_numbered(match[1] or match[2])} ", flags=re.I),
    rule("world war", r"\bWW(?=I{1,2}\b)", "World War "),
    rule("word and figures", r"(?<=[a-zA-Z]{2})-(?=\d)", " "),
)  # fmt: skip

NAMES: tuple[Rule, ...] = (
    rule("regnal number", rf"\b(?P<name>{_REGNAL})\s+(?P<n>{_ROMAN})\b(?<!\bI){_STOP}",
         lambda match: f"{match['name']} the {ordinal(roman(match['n']))}"),
    rule("the first", rf"\b(?P<name>{_REGNAL})\s+I\b{_I_SPEAKING}(?!\.\s[A-Z])",
         r"\g<name> the first"),
    rule("numbered part",
         rf"\b(?!(?i:type|class|series)\s+X\b)(?P<part>(?i:{_PARTS}))\s+(?P<n>(?i:{_ROMAN}))\b"
         rf"(?<!\b[iI]){_STOP}",
         lambda match: f"{match['part']} {cardinal(roman(match['n']))}"),
    rule("always one",
         rf"\b(?P<part>World\ War|Phase|Stage|Division|Type|Class|Level|Act)\s+I\b(?!')"
         rf"(?!\s+(?:{_WITH_I})\b){_STOP}", r"\g<part> one"),
    rule("crowned",
         rf"\b(?P<name>(?:Queen|King|Emperor|Tsar|Pope)\s+(?:{_REGNAL}))\s+I\b(?!')",
         r"\g<name> the first"),
    rule("part one", rf"\b(?P<part>(?=[A-Z])(?i:{_PARTS}))\s+I\b{_I_SPEAKING}{_STOP}",
         r"\g<part> one"),
    rule("Roman figures", rf"(?<![\w-])(?!XL\b)(?P<n>(?=[IVX]{{2}}){_ROMAN})(?![\w-])"
         rf"(?!\s(?:drip|line|fluids?|therapy|bag|pole|antibiotics)\b){_STOP}",
         _figures),
    rule("dotted letters", r"(?<![\w.])(?:[A-Z]\.){2,}|(?<![\w.])(?:[A-Z]\.)+[A-Z]\b|"
         r"(?<![\w.])(?:[a-z]\.){2,}(?!\.)",
         lambda match: stopped(match, spaced(match[0]))),
    rule("initial", r"(?<![\w.'])(?P<letter>[A-Z])\."
         r"(?=\s+(?P<next>[A-Z]\w*)(?P<more>\.)?)",
         _initial),
)  # fmt: skip
