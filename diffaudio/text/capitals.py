"""Capitals: which are said letter by letter, which are words; and the article that is no letter.

Letters that are said one by one stand apart: `BBC` is "B B C". An article before them is written
small, `a B B C van`, so that whoever pronounces it can tell it from the letter.
"""

from __future__ import annotations

import re

from diffaudio.text.rules import Match, Rule, rule, words_of

__all__ = ["ARTICLES", "CAPITALS", "IN_CAPITALS", "spaced"]

_AS_WORDS = (
    "NASA", "NATO", "UNESCO", "UNICEF", "AIDS", "OPEC", "RAM", "ROM", "SIM", "FIFA", "UEFA",
    "NAFTA", "ASAP", "GIF", "JPEG", "LASER", "RADAR", "SWAT", "PIN", "ZIP", "NIMBY", "SARS",
    "COVID", "FEMA", "OSHA", "HIPAA", "SAT", "ASCII", "BASIC", "CAPTCHA", "EFTA", "ESA", "TASS",
    "JSON", "WIFI", "NASDAQ",
)  # fmt: skip
_STRESSED = (
    "NO", "NOT", "YES", "STOP", "AND", "OR", "THE", "ALL", "NOW", "NEVER", "MUST", "ONLY", "IS",
    "IT", "YOU", "WE", "HE", "SHE", "THEY", "ME", "MY", "TO", "IN", "ON", "OF", "AT", "BY", "FOR",
    "DO", "DID", "ANY", "VERY", "THIS", "THAT", "ARE", "WAS", "WILL", "GO", "HELP", "FIRE", "WAIT",
    "OK", "OH", "AH", "SO", "IF", "BUT", "END", "NEW", "HERE", "EVER", "HIS", "HER", "CAN", "WHO",
    "WHY", "WHAT", "HOW", "DANGER", "PLEASE", "BE", "AM", "UP", "OUT", "MORE", "MOST", "LOVE",
    "AN", "AS", "OUR", "OFF", "TOP", "BIG", "BAD", "BUY", "GET", "ONE", "TWO", "SEE", "SAY", "LET",
    "OLD", "HOT", "LOW", "ADD", "RUN", "TRY", "HAS", "HAD", "YET", "FEW", "SIX", "TEN", "MEN",
    "MAN", "DAY", "WAY", "TOO", "USE", "OWN", "WIN", "WOW", "DIE", "EAT", "FUN", "PAY", "PUT",
    "SET", "SIT", "FAR", "ITS", "HIM", "LAW", "RED", "CAR", "AIR", "SEA", "WAR", "BOY", "GOD",
)  # fmt: skip
_SPELLED = (
    "AARP", "ACLU", "ADIDAS", "ASAP", "ICAO", "IEEE", "NYSE", "UCLA", "USDA", "USAF", "IAEA",
    "UAE", "AI", "EU", "UK", "USA", "UN", "CIA", "CEO", "COO", "CIO", "CFO", "CTO", "EPA", "FAQ",
    "ID", "IOC", "IPO", "IRS", "ISP", "IQ", "API", "ATM", "LA", "NYC", "RIP", "SOS", "UFO", "UPS",
    "USB", "VIP", "DIY", "HIV", "GOP", "ICU", "IRA", "IMF", "EMEA", "URL", "UI", "UX", "EV",
    "YMCA", "USPS",
)  # fmt: skip
"""Said letter by letter although they could be said as words."""

_VOWELS = "[AEIOUY]+"
_BEGIN = (
    r"(?:SCH|SHR|SPL|SPR|STR|THR|SQU|QU|[BCFGKPS]L|[BCDFGKPTW]R|[CGPRSTW]H|KN|GN|PS|S[CKMNPTW]|"
    r"[DT]W|[BCDFGHJKLMNPRSTVWXZ])"
)
_END = (
    r"(?:(?:GHT|NTH|RTH|RST|RLD|RCH|TCH|NCH|[CGST]H|[CRSLN]K|[CFLNPRSX]T|L[BDFLMP]|"
    r"R[BCDFGLMNPS]|M[BP]|GN|N[CDGNSTX]|SP|SS|FF|ZZ|PP|BB|DD|GG|TT|W[LNS]|[BCDFGHKLMNPRSTVWXZ])S?)"
)
_SAYABLE = re.compile(rf"{_BEGIN}?{_VOWELS}(?:{_END}?{_BEGIN}?{_VOWELS})*{_END}?")
_LETTERED = words_of(
    "Vitamin", "Grade", "Hepatitis", "Influenza", "Plan", "Type", "Group", "Class", "Section",
    "Part", "Team", "Block", "Gate", "Point", "Exhibit", "Option", "Side", "Schedule", "Appendix",
    "Level", "Series", "Serie", "Category", "Building", "Terminal", "Zone", "Line", "Figure",
    "Room", "Table", "Division", "Unit", "Bus", "Train", "Platform", "Model", "Road", "Route",
)  # fmt: skip
_LETTERS = r"(?:[A-Z]{2,5}s?\b|(?:[A-Z]\.){2,}|[A-Z]{1,4}-?\d|[A-Z]&[A-Z]|[A-Z]-[a-z])"
_WORKS_IN_IT = words_of(
    "department", "departments", "team", "teams", "support", "staff", "system", "systems",
    "manager", "managers", "security", "sector", "industry", "service", "services", "specialist",
    "consultant", "consultants", "infrastructure", "equipment", "budget", "skills", "help",
    "admin", "director", "project", "projects", "company", "companies", "professionals",
)  # fmt: skip


def spaced(letters: str) -> str:
    """Return `a.m.` as "A M"."""
    return " ".join(one.upper() for one in letters if one.isalpha())


def _is_word(letters: str) -> bool:
    """Say whether capitals are a word: one of a list, or of four letters that can be said."""
    if letters in _SPELLED:
        return False
    listed = letters in _AS_WORDS or letters in _STRESSED
    return listed or len(letters) > 3 and _SAYABLE.fullmatch(letters) is not None


def _acronym(match: Match) -> str:
    if _is_word(match["letters"]):
        return match[0]
    return spaced(match["letters"]) + ("'s" if match["end"] else "")


def _softer(match: Match) -> str:
    """Return a word of a text in capitals as it is written in others."""
    word = match[0]
    if word == "A":
        return "a"
    if word == "US":  # elsewhere it is `JOIN US`
        nation = r"(?:\W*|.*\b(?:THE|IN|A|AND|OF)\s)\Z"
        return word if re.match(nation, match.string[: match.start()]) else "Us"
    kept = word in _SPELLED or word in _AS_WORDS or not _SAYABLE.fullmatch(word)
    numeral = re.fullmatch("[IVX]{2,}", word) is not None
    return word if (kept or numeral) and len(word) < 7 else word.capitalize()


def _whole_text(match: Match) -> str:
    """Return a text in capitals in ordinary writing, where it has words enough to be one."""
    if len(re.findall(r"[A-Z]{2,}", match[0])) < 3:
        return match[0]
    return re.sub(r"[A-Z]{2,}|\bA\b(?=\s[A-Z]{2})", _softer, match[0])


IN_CAPITALS: tuple[Rule, ...] = (rule("text in capitals", r"\A[^a-z]+\Z", _whole_text),)
"""Before rules that tell names by their capitals."""

ARTICLES: tuple[Rule, ...] = (
    rule("article before letters", rf"(?<![\w.&'-])A(?=\s{_LETTERS})", "a"),
    rule("article in a title",
         rf"(?P<word>\b(?!(?:{_LETTERED})\b)[A-Z][a-z']+\s)A(?=\s[A-Z][a-z]{{2,}})", r"\g<word>a"),
)  # fmt: skip
"""While the letters behind are still together."""

CAPITALS: tuple[Rule, ...] = (
    rule("joined letters", r"\b([A-Z]{1,3})&([A-Z]{1,3})\b",
         lambda match: f"{spaced(match[1])} and {spaced(match[2])}"),
    rule("letters and figures", r"\b(?P<letters>[A-Z]{1,4})-?(?=\d)(?<!COVID-)",
         lambda match: f"{spaced(match['letters'])} "),
    rule("figures and letters", r"(?<=\d)(?P<letters>[A-Z]{1,2})\b",
         lambda match: f" {spaced(match['letters'])}"),
    rule("letters that are a word elsewhere",
         rf"(?<![\w'])(?:IT(?=\s(?:{_WORKS_IN_IT})\b)|(?<=\b[Tt]he\s)WHO\b|"
         r"AM(?=\s(?:and|or|to)\sPM\b))", lambda match: spaced(match[0])),
    rule("acronym", r"(?<![\w'])(?P<letters>[A-Z]{2,5})(?P<end>'?s)?(?!\w)", _acronym),
)  # fmt: skip
