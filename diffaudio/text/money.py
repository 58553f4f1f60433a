"""Money: signs and codes of currencies, coins, pounds, shillings and pence."""

from __future__ import annotations

import re

from diffaudio.text.amounts import AMOUNT, NUMBER, OVERS, amount, described, is_one
from diffaudio.text.numbers import cardinal, decimal
from diffaudio.text.rules import Match, Rule, rule, stopped, words_of

__all__ = ["MONEY"]

_OVER_WORDS = "hundred|thousand|million|billion|trillion|bn|tn"
_TIMES_OVER = rf"(?:\s?(?P<over>{_OVER_WORDS}|[mMkKB])\b)?"
_MONEY = {  # sign: one, many, their hundredths
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "₩": ("won", "won", "jeon", "jeon"),
    "₺": ("lira", "lira", "kurush", "kurush"),
    "₪": ("shekel", "shekels", "agora", "agorot"),
    "₿": ("bitcoin", "bitcoins", "cent", "cents"),
}
_SIGNS = "".join(_MONEY)
_NATIONS = {
    "US": "U S ", "A": "Australian ", "AU": "Australian ", "C": "Canadian ", "CA": "Canadian ",
    "NZ": "New Zealand ", "HK": "Hong Kong ",
    "S": "Singapore ", "": "",
}  # fmt: skip
_CODES = {  # of ISO 4217: nation and sign
    "USD": ("U S ", "$"), "EUR": ("", "€"), "GBP": ("", "£"), "JPY": ("", "¥"),
    "INR": ("", "₹"), "AUD": ("Australian ", "$"), "CAD": ("Canadian ", "$"),
    "NZD": ("New Zealand ", "$"), "HKD": ("Hong Kong ", "$"), "SGD": ("Singapore ", "$"),
    "RUB": ("", "₽"), "KRW": ("", "₩"), "CHF": ("", "CHF"), "SEK": ("", "SEK"),
}  # fmt: skip
_NAMES = {"CHF": ("Swiss franc", "Swiss francs"), "SEK": ("Swedish krona", "Swedish kronor")}


def _over(written: str | None) -> str:
    """Return `m` as "million"; what is a word already stays so."""
    return OVERS.get((written or "").lower(), written or "")


def _money(match: Match) -> str:
    """Return money: `$5`, `£3m`, `$80k-$100k`, `a $1.50 coffee`."""
    one, many, _, _ = _MONEY[match["sign"]]
    nation, over = _NATIONS[match["nation"] or ""], _over(match["over"])
    hundredths = re.fullmatch(r"[\d,]*\.\d\d", match["n"]) and not over and not match["last"]
    if hundredths and described(match):
        whole, _, part = match["n"].partition(".")
        return f"{cardinal(whole or 0)}-{nation}{one}-{cardinal(part)}"
    if hundredths:
        return _coins(match)
    said = decimal(match["n"])
    if match["last"]:
        apart = _over(match["k"])
        said += (f" {apart}" if apart != over else "") + f" to {decimal(match['last'])}"
    said = ("minus " if match["minus"] else "") + said
    if described(match):
        return "-".join(part for part in (said, over, nation + one) if part)
    many_of = match[0].endswith("s")
    name = one if is_one(match) and not match["last"] and not over and not many_of else many
    return " ".join(part for part in (said, over, nation + name) if part)


def _coded(match: Match) -> str:
    """Return money whose currency has the letters of its code: `5 USD`, `EUR 1,500`."""
    nation, sign = _CODES[match["before"] or match["after"]]
    one, many, *_ = _NAMES.get(sign) or _MONEY[sign]
    written = match["n"] or match["m"]
    over = _over(match["over"] or match["more"])
    name = one if written == "1" and not over else many
    return " ".join(part for part in (decimal(written), over, nation + name) if part)


def _coins(match: Match) -> str:
    """Return money with hundredths: `$3.50`, `£0.99`, `$12.00`."""
    one, many, small, smalls = _MONEY[match["sign"]]
    nation = _NATIONS[match["nation"] or ""]
    whole, _, part = match["n"].replace(",", "").partition(".")
    said = []
    if int(whole or 0) or not int(part):
        said.append(f"{cardinal(whole or 0)} {nation}{one if int(whole or 0) == 1 else many}")
    if int(part):
        said.append(f"{cardinal(part)} {small if int(part) == 1 else smalls}")
    return ("minus " if match["minus"] else "") + " and ".join(said)


def _old_coins(match: Match) -> str:
    """Return pounds, shillings and pence as before 1971: `£5 10s. 6d.`."""
    names = (("pounds", ("pound", "pounds")), ("shillings", ("shilling", "shillings")))
    said = [_counted(match[part], *forms) for part, forms in names if match[part]]
    return " ".join([*said, "and", _counted(match["pence"], "penny", "pence")])


def _pence(match: Match) -> str:
    """Return `6d.` as "six pence"; `section 6d.` is none."""
    if re.search(
        r"\b(?:(?:sub)?section|part|article|rule|para\w*|no|took|in)\.?\s$",
        match.string[: match.start()][-20:],
    ):
        return match[0]
    return stopped(match, _counted(match["n"], "penny", "pence"))


def _counted(written: str, one: str, many: str) -> str:
    return f"{cardinal(written)} {one if written == '1' else many}"


MONEY: tuple[Rule, ...] = (
    rule(
        "old coins",
        r"(?:£(?P<pounds>\d+),?\s)?(?P<shillings>\d+)s\.,?\s(?P<pence>\d+)d\.(?!\w)",
        _old_coins,
    ),
    rule(
        "shillings",
        r"(?<!the\s)(?<!his\s)(?<!her\s)(?<!their\s)(?<!my\s)(?<!took\s)(?<!early\s)(?<!late\s)(?<!in\s)"
        r"(?<![\w.,'-])(?P<n>\d{1,2})s\.(?=\s(?:a|per|an|each|for|and|or|in|to|more|the)\b|[,;])",
        lambda match: _counted(match["n"], "shilling", "shillings"),
    ),
    rule(
        "pence",
        r"(?<![\w.,'-])(?P<n>\d{1,2})d\.(?!\w)",
        _pence,
    ),
    rule(
        "money",
        r"(?P<minus>(?<![\w)])-)?(?:\b(?P<nation>US|NZ|HK|AU|CA|[ACS]))?"
        rf"(?P<sign>[{_SIGNS}])\s?(?P<n>{NUMBER})"
        rf"(?:(?P<k>[kKmM])?-[{_SIGNS}]?(?P<last>{NUMBER}))?{_TIMES_OVER}"
        r"(?:s\b|(?<=\.\d\d)p\b)?",  # $100s, £1.50p
        _money,
    ),
    rule(
        "code of a currency",
        rf"\b(?P<before>{words_of(*_CODES)})\s?(?P<n>{NUMBER}){_TIMES_OVER}|"
        rf"(?<![\w.,])(?P<m>{NUMBER})(?:\s?(?P<more>{_OVER_WORDS}|[mkK]))?"
        rf"\s?(?P<after>{words_of(*_CODES)})\b",
        _coded,
    ),
    rule(
        "rupees",
        rf"\bRs\.?\s?(?P<n>{NUMBER})(?![\w])",
        lambda match: f"{decimal(match['n'])} {_MONEY['₹'][not is_one(match)]}",
    ),
    rule(
        "coins",
        rf"(?!\d{{3,}}p){AMOUNT}\s?(?P<coin>¢|p\b(?!\.\s?\w)|"
        r"(?<=\d\d)c(?=\s(?:each|a|per|off)\b|[,;]|\.?$))",  # 1080p is a picture
        lambda match: (
            amount(match)
            + (" pence" if match["coin"] == "p" else " cent" if is_one(match) else " cents")
        ),
    ),
)
