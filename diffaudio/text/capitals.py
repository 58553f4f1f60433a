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
    "NAFTA", "GIF", "JPEG", "LASER", "RADAR", "SWAT", "PIN", "ZIP", "NIMBY", "SARS", "COVID",
    "FEMA", "OSHA", "HIPAA", "SAT", "ASCII", "BASIC", "EFTA", "ESA", "TASS", "JSON", "WIFI",
    "NASDAQ",
)  # fmt: skip
_STRESSED = (
    "NO", "NOT", "YES", "AND", "OR", "THE", "ALL", "NOW", "IS", "IT", "YOU", "WE", "HE", "SHE",
    "ME", "MY", "TO", "IN", "ON", "OF", "AT", "BY", "FOR", "DO", "DID", "ANY", "ARE", "WAS",
    "GO", "OK", "OH", "AH", "SO", "IF", "BUT", "END", "NEW", "HIS", "HER", "CAN", "WHO", "WHY",
    "HOW", "BE", "AM", "UP", "OUT", "AN", "AS", "OUR", "OFF", "TOP", "BIG", "BAD", "BUY", "GET",
    "ONE", "TWO", "SEE", "SAY", "LET", "OLD", "HOT", "LOW", "ADD", "RUN", "TRY", "HAS", "HAD",
    "YET", "FEW", "SIX", "TEN", "MEN", "MAN", "DAY", "WAY", "TOO", "USE", "OWN", "WIN", "WOW",
    "DIE", "EAT", "FUN", "PAY", "PUT", "SET", "SIT", "FAR", "ITS", "HIM", "LAW", "RED", "CAR",
    "AIR", "SEA", "WAR", "BOY", "GOD", "MAD", "DAD", "MOM", "MUM", "HEY", "TEA", "BOX", "BUS",
    "KEY", "TAX", "OIL", "MAX", "MIX", "ACT", "GOT", "MAP", "APP", "HAT", "ICE", "BED", "BIT",
    "CUT", "CUP", "DOG", "CAT", "EAR", "EYE", "FIX", "FLY", "FOX", "GAS", "GUN", "GUY", "HIT",
    "JOB", "JOY", "KID", "LEG", "LIE", "LOT", "MAY", "NOR", "ODD", "PAN", "PEN", "PET", "PIE",
    "RAW", "RAT", "ROW", "SAD", "SIN", "SIR", "SKY", "SON", "SUN", "TIE", "TOY", "VAN", "VIA",
    "WET", "WON", "AGE", "AGO", "ARM", "ART", "ASK", "BAG", "BAR", "BAT", "BEE", "BET", "BOW",
    "BUG", "CAP", "COP", "COW", "CRY", "DIG", "DRY", "EGG", "FAT", "FED", "FEE", "FIT", "GAY",
    "HEN", "HOP", "JAM", "JET", "KIT", "LAB", "LAP", "LED", "LIP", "LOG", "MUD", "NET", "NUT",
    "OAK", "OWE", "PIG", "POP", "POT", "RAN", "RIB", "RID", "ROB", "ROD", "RUB", "SHY", "SKI",
    "SUM", "TAP", "TIN", "TIP", "TOE", "TON", "WAX", "WEB", "ZOO",
)  # fmt: skip
"""Of one to three letters: too short to tell from others by how they are said."""

_SPELLED = (
    "AARP", "ACLU", "ADIDAS", "ASAP", "ICAO", "IEEE", "NYSE", "UCLA", "USDA", "USAF", "IAEA",
    "UAE", "AI", "EU", "UK", "USA", "UN", "CIA", "CEO", "COO", "CIO", "CFO", "CTO", "EPA", "FAQ",
    "ID", "IOC", "IPO", "IRS", "ISP", "IQ", "API", "ATM", "LA", "NYC", "RIP", "SOS", "UFO", "UPS",
    "USB", "VIP", "DIY", "HIV", "GOP", "ICU", "IRA", "IMF", "EMEA", "URL", "UI", "UX", "EV",
    "YMCA", "USPS", "UUID", "AFAIK", "ACPI", "AAAA", "IDNA", "OAEP", "CEST", "YYYY", "SEIU",
    "YWCA", "IMHO", "ASPCA", "EEOC", "AAUP", "AAAS", "AAAI", "ASME", "ASCE", "BYOB", "IIUC",
    "ICYMI", "AEST", "RAAF",
)  # fmt: skip
"""Said letter by letter although they could be said as words."""

_VOWELS = "[AEIOUY]+"
_BEGIN = (
    r"(?:CHR|SCH|SHR|SPL|SPR|STR|THR|SQU|QU|[BCFGKPS]L|[BCDFGKPTW]R|[CGPRSTW]H|KN|GN|PS|S[CKMNPTW]|"
    r"[DT]W|[BCDFGHJKLMNPRSTVWXZ])"
)
_END = (
    r"(?:(?:GHT|[FLNPR]TH|RST|RLD|RCH|TCH|NCH|[CGST]H|HN|[CRSLNW]K|[BCFLNPRSX]T|L[BDFLMP]|"
    r"R[BCDFGLMNPS]|M[BP]|GN|N[CDGNSTX]|SP|SS|FF|ZZ|PP|BB|DD|GG|TT|W[DLNS]|[BCDFGHKLMNPQRSTVWXZ])"
    r"S?)"
)
_SAYABLE = re.compile(rf"{_BEGIN}?{_VOWELS}(?:{_END}?{_BEGIN}{_VOWELS})*{_END}?")
_LETTERED = words_of(
    "Vitamin", "Grade", "Hepatitis", "Influenza", "Plan", "Type", "Group", "Class", "Section",
    "Part", "Team", "Block", "Gate", "Point", "Exhibit", "Option", "Side", "Schedule", "Appendix",
    "Level", "Series", "Serie", "Category", "Building", "Terminal", "Zone", "Line", "Figure",
    "Room", "Table", "Division", "Unit", "Bus", "Train", "Platform", "Model", "Road", "Route",
)  # fmt: skip
_LETTERS = r"(?:[A-Z]{2,5}s?\b|(?:[A-Z]\.){2,}|[A-Z]{1,4}-?\d|[A-Z]&[A-Z]|[A-Z]-[a-z])"
_BEFORE_NAMES = {"MR", "MRS", "MS", "DR", "ST"}
_DOTTED = {"JR", "SR", "VOL", "CHAP", "CH", "FIG", "PROF", "REV", "CAPT", "GEN", "COL", "LT"}
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


def _letters(written: str) -> str:
    """Return the letters of a code: `SAVE20` begins with a word, `B12` does not."""
    return written if len(written) > 3 and _is_word(written) else spaced(written)


def _softer(match: Match) -> str:
    """Return a word of a text in capitals as it is written in others."""
    word = match[0]
    if word == "A":
        return "a"
    if word == "US":  # elsewhere it is `JOIN US`
        nation = r"(?:\W*|.*\b(?:THE|IN|A|AND|OF)\s)\Z"
        return word if re.match(nation, match.string[: match.start()]) else "Us"
    dotted = word in _DOTTED and match.string[match.end() :][:1] == "."
    if len(word) > 6 or word in _BEFORE_NAMES or dotted:
        return word.capitalize()
    kept = word in _SPELLED or word in _AS_WORDS or not _SAYABLE.fullmatch(word)
    numeral = re.fullmatch("[IVX]{2,}", word) is not None
    return word if kept or numeral else word.capitalize()


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
    rule("joined letters", r"\b([A-Z]{1,3})&([A-Z]{1,3})(s?)\b",
         lambda match: f"{spaced(match[1])} and {spaced(match[2])}" + "'s" * bool(match[3])),
    rule("letters and figures", r"\b(?P<letters>[A-Z]{1,4})-?(?=\d)",
         lambda match: f"{_letters(match['letters'])} "),
    rule("figures and letters", r"(?<=\d)(?P<letters>[A-Z]{1,2})\b",
         lambda match: f" {spaced(match['letters'])}"),
    rule("letters that are a word elsewhere",
         rf"(?<![\w'])(?:IT(?=\s(?:{_WORKS_IN_IT})\b)|(?<=\b[Ii]n\s)IT(?=\s(?:and|for|at)\b|[,;.!?)]|$)|"
         r"(?<=\b[Tt]he\s)WHO\b|"
         r"AM(?=\s(?:and|or|to)\sPM\b))", lambda match: spaced(match[0])),
    rule("acronym", r"(?<![\w'])(?P<letters>[A-Z]{2,5})(?P<end>'?s)?(?!\w|'(?:T|LL|RE|VE|D|M)\b)",
         _acronym),
)  # fmt: skip
