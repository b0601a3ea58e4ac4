"""Numbers as people write them: decimal commas, thousands, percent, currencies, units, brackets for a minus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.reading.own.reading import GUESS, NONE, Reading

_CURRENCIES = [
    "EUR",
    "USD",
    "GBP",
    "CHF",
    "JPY",
    "CNY",
    "INR",
    "SEK",
    "NOK",
    "DKK",
    "AUD",
    "CAD",
    "NZD",
    "BRL",
    "RUB",
    "PLN",
    "CZK",
    "HUF",
    "ZAR",
    "KRW",
    "MXN",
    "TRY",
    "Rs",
    "kr",
]
_SIGN = r"(?:[A-Z]{0,2}[$€£¥₹₽₩₺]|" + "|".join(_CURRENCIES) + r")"
_BLANKS = " \u00a0\u202f\u2009"
_TOKEN = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[-+−])?\s*(?P<before>{_SIGN}\.?)?\s*(?P<inner>[-+−])?"
    rf"(?P<body>\d[\d.,'’_{_BLANKS}]*|[.,]\d+)(?P<power>[eEdD][-+−]?\d+)?"
    rf"(?P<after>\s*(?:[%‰]|°\s?[A-Z]?|{_SIGN})|[kKMBT]|\s+[^\W\d_][^\s\d]{{0,11}})?\s*(?P<close>\))?(?P<last>-)?"
)
_SCALES = {"": "", "k": "e3", "K": "e3", "M": "e6", "B": "e9", "T": "e12"}
_INFINITE = re.compile(r"[-+]?inf(inity)?", re.IGNORECASE)
_MINUS = str.maketrans({"−": "-", "’": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
SAMPLE = 500  # different entries among which there is a number, if the column has many
POINT, COMMA, POINT_OR_THOUSANDS, COMMA_OR_THOUSANDS, PLAIN = "point", "comma", "point?", "comma?", "plain"


class AmbiguousNumbers(ValueError):
    """Texts that are different numbers under different readings."""


@dataclass(frozen=True)
class Numbers:
    """Texts read as numbers.

    Args:
        plain: (n,) each number as Python writes it ("-1234.5"); ``None`` where a text is no number.
        like: (n,) whether it begins as a number does, with a unit or a sign of its own perhaps.
        how: what was guessed, in words.
    """

    plain: tuple[str | None, ...]
    like: tuple[bool, ...]
    how: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What the rest of the file says of its decimal sign: ``.``, ``,`` or nothing.

    Args:
        decimal: as found in columns where it is beyond doubt, ``None`` where there are none or they disagree.
        separator: between fields.
    """

    decimal: str | None = None
    separator: str | None = None


@dataclass(frozen=True)
class _Parts:
    """A token taken apart."""

    negative: bool
    body: str
    power: str
    affix: str
    scale: str = field(default="")


def read_numbers(texts: Sequence[str], reading: Reading, evidence: Evidence) -> Numbers:
    """Read different texts of one column as numbers.

    What stands before or after the digits (a currency, a percent sign, a unit) must be the same in all.

    Raises:
        AmbiguousNumbers: all are numbers, but the file does not say which.
    """
    parts = [_taken_apart(text) for text in texts[:SAMPLE]]
    if not any(parts):
        return Numbers((None,) * len(texts), (False,) * len(texts))
    parts += [_taken_apart(text) for text in texts[SAMPLE:]]
    scaled = {p.affix for p in parts if p} <= set(_SCALES)  # also where none is a number
    affix = "" if scaled else Counter(p.affix for p in parts if p).most_common(1)[0][0]
    bodies = [p.body if p and (scaled or p.affix == affix) else None for p in parts]
    decimal = _decimal(bodies, reading, evidence)
    plain: list[str | None] = []
    grouped: set[str] = set()
    for text, part, body in zip(texts, parts, bodies, strict=True):
        number = None if part is None or body is None else _normal(body, decimal, reading)
        if number is None or part is None:
            plain.append(text if _INFINITE.fullmatch(text) else None)
            continue
        digits, group = number
        grouped |= {group} - {""}
        power = part.power or (_SCALES[part.affix] if scaled else "")
        plain.append(("-" if part.negative else "") + digits + power)
    how = ["decimal comma"] if decimal == "," and any(body and "," in body for body in bodies) else []
    how += [f"{'blank' if group == ' ' else group} between thousands" for group in sorted(grouped)]
    if scaled and any(p and p.affix for p in parts):
        how.append("k, M, B for thousands, millions, billions")
    if affix:
        how.append(f"{affix} left out")
    like = tuple(part is not None and _kind(part.body) is not None for part in parts)
    return Numbers(tuple(plain), like, tuple(how))


def signs_of(texts: Sequence[str]) -> Counter[str]:
    """How many texts have a decimal point, a comma, or what may be either; nothing, if they are no numbers."""
    parts = [_taken_apart(text) for text in texts]
    kinds = Counter(_kind(part.body) if part else None for part in parts)
    if kinds[None] > 0.1 * len(parts):
        return Counter()
    return Counter({kind: count for kind, count in kinds.items() if kind is not None})


def _taken_apart(text: str) -> _Parts | None:
    match = _TOKEN.fullmatch(text.strip().translate(_MINUS))
    if match is None or (match["open"] is None) != (match["close"] is None):
        return None
    signs = [match[name] for name in ("minus", "inner", "last") if match[name]]
    if len(signs) > 1 or (signs and match["open"]):
        return None
    power = (match["power"] or "").lower().replace("d", "e").replace("+", "")
    affix = (match["before"] or "").strip() + _singular((match["after"] or "").strip())
    return _Parts(bool(match["open"]) or signs == ["-"], match["body"].strip(), power, affix)


def _singular(unit: str) -> str:
    """A unit without the s of a plural: 1 room and 2 rooms are numbers of one kind."""
    return unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit


def _kind(body: str) -> str | None:
    """Which sign a number shows; ``None`` where no reading makes one of it."""
    plain = re.sub(r"(?<=\d)[ '_](?=\d{3}(?!\d))", "", body)
    points, commas = plain.count("."), plain.count(",")
    if not re.fullmatch(r"[\d.,]+", plain):
        return None
    if points and commas:
        decimal = POINT if plain.rfind(".") > plain.rfind(",") else COMMA
        return decimal if _grouping(plain, "." if decimal == POINT else ",") else None
    if points > 1 or commas > 1:
        decimal = COMMA if points else POINT
        return decimal if _grouping(plain, "." if decimal == POINT else ",") else None
    if not points and not commas:
        return PLAIN
    doubtful = re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", plain) is not None
    if points:
        return POINT_OR_THOUSANDS if doubtful else POINT
    return COMMA_OR_THOUSANDS if doubtful else COMMA


def _decimal(bodies: Sequence[str | None], reading: Reading, evidence: Evidence) -> str:
    """The decimal sign of a column.

    Raises:
        AmbiguousNumbers: nothing in the column or the file decides.
    """
    if reading.decimal != GUESS:
        return reading.decimal
    if reading.thousands in (",", "."):
        return "." if reading.thousands == "," else ","
    if reading.thousands != GUESS and evidence.decimal is None:
        evidence = Evidence(".", evidence.separator)
    kinds = Counter(_kind(body) for body in bodies if body is not None)
    point, comma = kinds[POINT], kinds[COMMA]
    if point or comma:
        return "." if point >= comma else ","
    if not kinds[POINT_OR_THOUSANDS] and not kinds[COMMA_OR_THOUSANDS]:
        return evidence.decimal or "."
    if evidence.decimal is not None:
        return evidence.decimal
    example = next(body for body in bodies if body and _kind(body) in (POINT_OR_THOUSANDS, COMMA_OR_THOUSANDS))
    sure = evidence.separator in (",", "|", " ", None)
    if sure and not (kinds[POINT_OR_THOUSANDS] and kinds[COMMA_OR_THOUSANDS]):
        return "."  # such files write 1,234 for a thousand, and 1.234 for little more than one
    other = "," if "." in example else "."
    raise AmbiguousNumbers(
        f"{example!r} is {example.replace(',', '').replace('.', '')} or {example.replace(',', '.')}: "
        f"nothing in the file says which: give decimal=. or decimal={other if other == ',' else ','}"
    )


def _grouping(body: str, decimal: str) -> str | None:
    """The sign between groups of digits ("" for none); ``None`` where the digits are not grouped rightly."""
    whole, _, fraction = body.partition(decimal)
    if not fraction.isdigit() and fraction:
        return None
    if whole.isdigit() or (not whole and fraction):
        return ""
    group = next((sign for sign in whole if not sign.isdigit()), "")
    return (
        group if re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{2,3}})*{re.escape(group)}\d{{3}}", whole) else None
    )


def _normal(body: str, decimal: str, reading: Reading) -> tuple[str, str] | None:
    """A number as Python writes it, and the sign between its groups of digits."""
    group = _grouping(body, decimal)
    if group is None:
        return None
    allowed = {GUESS: ",.' _", NONE: "", "space": " "}.get(reading.thousands, reading.thousands)
    if group and group not in allowed:
        return None
    return body.replace(group, "").replace(decimal, ".") if group else body.replace(decimal, "."), group
