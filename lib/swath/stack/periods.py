"""Periods of composites: ``2024-01/2024-12`` whole, or in steps of days, months or years."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from swath.errors import ConfigError

_EVERY: Final = re.compile(r"([1-9]\d{0,3})([DMY])")
_PART: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """Days from ``start`` on, before ``stop`` (UTC)."""

    start: date
    stop: date

    @property
    def name(self) -> str:
        """As ids have it: first and last day."""
        return f"{self.start:%Y%m%d}-{self.stop - timedelta(days=1):%Y%m%d}"

    @property
    def middle(self) -> date:
        """The day in the middle."""
        return self.start + (self.stop - self.start) / 2

    def holds(self, moment: datetime) -> bool:
        """Whether a moment falls into it."""
        return self.start <= moment.astimezone(UTC).date() < self.stop


def periods_of(text: str, *, every: str | None = None) -> tuple[Period, ...]:
    """The periods that a user asks for.

    Args:
        text: ``2024``, ``2024-01/2024-12``, ``2024-06-01/2024-06-30``: the last day, month or year is part of it.
        every: Length of each: days, months or years (``10D``, ``1M``, ``1Y``); the last one may be shorter. None for one period.

    Raises:
        ConfigError: The text is not a period.
    """
    first, slash, last = text.partition("/")
    start, stop = _days(first, text)[0], _days(last if slash else first, text)[1]
    if stop <= start:
        msg = f"--period {text}: it ends before it begins"
        raise ConfigError(msg)
    if every is None:
        return (Period(start=start, stop=stop),)
    step = _EVERY.fullmatch(every)
    if step is None:
        msg = f"--every {every}: expected days, months or years such as 10D, 1M or 1Y"
        raise ConfigError(msg)
    return tuple(_steps(start, stop, number=int(step[1]), unit=step[2]))


def _steps(start: date, stop: date, *, number: int, unit: str) -> Iterator[Period]:
    count, here = 0, start
    while here < stop:
        count += 1
        after = start + timedelta(days=number * count) if unit == "D" else _later(start, number * count, unit=unit)
        yield Period(start=here, stop=min(after, stop))
        here = after


def _later(day: date, number: int, *, unit: str) -> date:
    """So many months or years later; the last day of a month where the day does not exist there."""
    months = day.year * _MONTHS + day.month - 1 + number * (_MONTHS if unit == "Y" else 1)
    year, month = divmod(months, _MONTHS)
    following = date(year + (month + 1) // _MONTHS, (month + 1) % _MONTHS + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def _days(part: str, text: str) -> tuple[date, date]:
    """First day of a day, month or year, and the day after it."""
    found = _PART.fullmatch(part.strip())
    msg = f"--period {text}: expected YYYY, YYYY-MM or YYYY-MM-DD, alone or as FIRST/LAST"
    if found is None:
        raise ConfigError(msg)
    try:
        year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
        first = date(year, month, day)
        if found[3]:
            return first, first + timedelta(days=1)
        return first, _later(first, 1, unit="M" if found[2] else "Y")
    except (ValueError, OverflowError) as error:
        raise ConfigError(msg) from error
