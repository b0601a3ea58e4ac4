"""Times of any spelling as days since 1970 (UTC), times of day and durations as days."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

GUESS, NONE, DAY_FIRST, MONTH_FIRST = "guess", "none", "day-first", "month-first"
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?(?: ?([AaPp])\.?[Mm]\.?)?"
_ZONE = r" ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)"
_ISO = re.compile(rf"([+-]?\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?:(?:[T ]| +){_CLOCK}({_ZONE})?)?", re.IGNORECASE)
_PARTS = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}})(?:,? +{_CLOCK}({_ZONE})?)?")
_MONTH = re.compile(r"(\d{4})(?:[-/.]|-?[Mm])(\d{1,2})|(\d{1,2})[-/.](\d{4})")
_QUARTER = re.compile(r"(\d{4})[ \-/]?[Qq]([1-4])|[Qq]([1-4])[ \-/]?(\d{4})")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})(?:-?([1-7]))?")
_OF_DAY = re.compile(_CLOCK)
_LONG = re.compile(r"(-)?(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
_DURATION = re.compile(r"[+-]?P(?=[\dT]).*|-?\d+ days?(?:,? .*)?", re.IGNORECASE)
_NAMED = re.compile(r"(?=.*[A-Za-z]{3})(?=.*\d)[A-Za-z0-9 ,./:\-]+")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.]? +", re.IGNORECASE)
_FORMATS = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%Y %b %d", "%d %b %y", "%b %Y", "%B %Y", "%b %y", "%Y %b")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
_EPOCH = datetime.date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Times:
    """Texts read as times.

    Args:
        days: (n,) float64; NaN where a text is no time of the kind that most are.
        how: what was guessed, in words.
        problem: why they cannot be read although they are times.
    """

    days: np.ndarray
    how: str = ""
    problem: str | None = None


def days_of(text: str) -> float | None:
    """One time as days; ``None`` when it is none."""
    value = float(read_times([text.strip()]).days[0])
    return None if np.isnan(value) else value


def read_times(texts: Sequence[str], dates: str = GUESS) -> Times:
    """Read texts that are all times of one kind; what is not of that kind becomes NaN.

    Args:
        texts: without missing entries.
        dates: ``day-first`` or ``month-first`` for dates as 03/04/2020, a format with ``%``, ``none``, or ``guess``.
    """
    nothing = Times(np.full(len(texts), np.nan))
    if dates == NONE or not texts:
        return nothing
    if "%" in dates:
        return Times(_by_format(texts, dates), f"times as {dates} in days since 1970")
    sample = texts[:: max(1, len(texts) // 50)]
    votes = [sum(pattern.fullmatch(text) is not None for text in sample) for pattern, _ in _KINDS]
    best = int(np.argmax(votes))
    return _KINDS[best][1](texts, dates) if votes[best] else nothing


def _by_format(texts: Sequence[str], form: str) -> np.ndarray:
    import pandas as pd

    try:
        stamps = pd.to_datetime(pd.Series(list(texts), dtype=object), format=form, errors="coerce", utc=True)
    except ValueError:
        return np.full(len(texts), np.nan)
    return _since_1970(stamps)


def _since_1970(stamps: object) -> np.ndarray:
    import pandas as pd

    assert isinstance(stamps, pd.Series)
    days = (stamps - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1)
    return days.to_numpy(dtype=np.float64, na_value=np.nan)


def _each(texts: Sequence[str], pattern: re.Pattern[str], read: Callable[[re.Match[str]], float]) -> np.ndarray:
    """``read`` of each match; NaN where there is none or no such day."""
    result = np.full(len(texts), np.nan)
    for place, text in enumerate(texts):
        match = pattern.fullmatch(text)
        if match is not None:
            try:
                result[place] = read(match)
            except ValueError:
                continue
    return result


def _date(year: str | int, month: str | int, day: str | int) -> float:
    number = int(year)
    if isinstance(year, str) and len(year) == 2:  # as in POSIX: 69 … 99 lie before 2000
        number += 1900 if number >= 69 else 2000
    return float(datetime.date(number, int(month), int(day)).toordinal() - _EPOCH)


def _clock(hour: str | None, minute: str | None, second: str | None, half: str | None, zone: str | None) -> float:
    """A time of day in days; ``zone`` is subtracted."""
    if hour is None or minute is None:
        return 0.0
    hours, seconds = int(hour), float((second or "0").replace(",", "."))
    if half is not None:
        if not 1 <= hours <= 12:
            raise ValueError("no hour")
        hours = hours % 12 + (12 if half in "Pp" else 0)
    if hours > 24 or int(minute) > 59 or seconds >= 61:
        raise ValueError("no time of day")
    days = (hours * 3600 + int(minute) * 60 + seconds) / 86400
    signed = re.fullmatch(r" ?([+-])(\d{2}):?(\d{2})?", zone or "")
    if signed is None:
        return days
    offset = (int(signed[2]) * 60 + int(signed[3] or 0)) / 1440
    return days - offset if signed[1] == "+" else days + offset


def _zones(texts: Sequence[str], pattern: re.Pattern[str], group: int) -> str | None:
    """Why times with and without a zone cannot stand together."""
    found = {match.group(group) is not None for text in texts if (match := pattern.fullmatch(text)) and ":" in text}
    return "some times have a time zone and others have none" if len(found) == 2 else None


def _iso(texts: Sequence[str], dates: str) -> Times:
    days = _each(texts, _ISO, lambda m: _date(int(m[1]), m[3], m[4]) + _clock(m[5], m[6], m[7], m[8], m[9]))
    return Times(days, "times in days since 1970", _zones(texts, _ISO, 9))


def _parts(texts: Sequence[str], dates: str) -> Times:
    """Dates as 13/01/2020: which part is the day is taken from those beyond 12, and never from the letters."""
    matches = [match for text in texts if (match := _PARTS.fullmatch(text))]
    first, second = max(int(m[1]) for m in matches), max(int(m[3]) for m in matches)
    dotted = all(m[2] == "." for m in matches)
    order = dates
    if order == GUESS:
        order = DAY_FIRST if first > 12 or (dotted and second <= 12) else MONTH_FIRST if second > 12 else GUESS
    day, month = (1, 3) if order == DAY_FIRST else (3, 1)
    days = _each(texts, _PARTS, lambda m: _date(m[4], m[month], m[day]) + _clock(m[5], m[6], m[7], m[8], m[9]))
    problem = _zones(texts, _PARTS, 9)
    if order == GUESS and any(m[1] != m[3] for m in matches):
        problem = f"{matches[0][0]!r} may begin with the day or with the month: give dates=day-first or month-first"
    words = "day first" if order == DAY_FIRST else "month first"
    return Times(days, f"times, {words}, in days since 1970", problem)


def _months(texts: Sequence[str], dates: str) -> Times:
    days = _each(texts, _MONTH, lambda m: _date(int(m[1] or m[4]), m[2] or m[3], 1))
    return Times(days, "months by their first day, in days since 1970")


def _quarters(texts: Sequence[str], dates: str) -> Times:
    days = _each(texts, _QUARTER, lambda m: _date(int(m[1] or m[4]), 3 * int(m[2] or m[3]) - 2, 1))
    return Times(days, "quarters by their first day, in days since 1970")


def _weeks(texts: Sequence[str], dates: str) -> Times:
    def monday(match: re.Match[str]) -> float:
        day = datetime.date.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        return float(day.toordinal() - _EPOCH)

    return Times(_each(texts, _WEEK, monday), "weeks by their first day, in days since 1970")


def _of_day(texts: Sequence[str], dates: str) -> Times:
    days = _each(texts, _OF_DAY, lambda m: _clock(m[1], m[2], m[3], m[4], None))
    longer = _long(texts, dates) if np.isnan(days).any() else None
    if longer is not None and np.isfinite(longer.days).sum() > np.isfinite(days).sum():
        return longer  # beyond 24 hours: time spent
    return Times(days, "times of day in days")


def _long(texts: Sequence[str], dates: str) -> Times:
    def spent(match: re.Match[str]) -> float:
        seconds = int(match[2]) * 3600 + int(match[3]) * 60 + float(match[4])
        return (-seconds if match[1] else seconds) / 86400

    return Times(_each(texts, _LONG, spent), "hours:minutes:seconds in days")


def _durations(texts: Sequence[str], dates: str) -> Times:
    import pandas as pd

    spans = pd.to_timedelta(pd.Series(list(texts), dtype=object), errors="coerce")
    return Times((spans / pd.Timedelta(days=1)).to_numpy(dtype=np.float64, na_value=np.nan), "durations in days")


def _named(texts: Sequence[str], dates: str) -> Times:
    """Dates with English names of months: the format that reads most of them."""
    plain = [" ".join(re.sub(r"[-/.,]", " ", _WEEKDAY.sub("", text)).split()) for text in texts]
    best, read_by = np.full(len(texts), np.nan), ""
    for form in (form + clock for form in _FORMATS for clock in _CLOCKS):
        days = _by_format(plain, form)
        if np.isfinite(days).sum() > np.isfinite(best).sum():
            best, read_by = days, form
        if not np.isnan(days).any():
            break
    problem = None
    if read_by == "%b %y" and all(int(text.split()[-1]) <= 31 for text in plain if text.split()[-1].isdigit()):
        problem = f"{texts[0]!r} may end with a day or a year: give dates as a format, such as %b-%y, or dates=none"
    return Times(best, "times in days since 1970", problem)


_KINDS: tuple[tuple[re.Pattern[str], Callable[[Sequence[str], str], Times]], ...] = (
    (_ISO, _iso),
    (_PARTS, _parts),
    (_MONTH, _months),
    (_QUARTER, _quarters),
    (_WEEK, _weeks),
    (_OF_DAY, _of_day),
    (_LONG, _long),
    (_DURATION, _durations),
    (_NAMED, _named),
)
