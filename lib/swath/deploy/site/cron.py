"""A schedule in cron's five fields, as the operator reads them: what would be refused or never start is refused here.

Source: robfig/cron v3 ``ParseStandard``, which the Spark Operator calls.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swath.errors import ConfigError

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_LONGEST_MONTH = {month: 30 if month in {4, 6, 9, 11} else 29 if month == 2 else 31 for month in range(1, 13)}
_PART = re.compile(r"(?P<any>[*?])|(?P<low>\w+)(-(?P<high>\w+))?")


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five.

    Args:
        name: Name for messages.
        low: Smallest value.
        high: Largest value.
        words: Names that represent values.
    """

    name: str
    low: int
    high: int
    words: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronTimes:
    """The times that a schedule names: minutes of hours of days, in UTC.

    Args:
        minutes: 0 to 59.
        hours: 0 to 23.
        days: Days of the month; None for a field that begins with ``*``, which leaves the choice to the weekdays.
        months: 1 to 12.
        weekdays: 0 (Sunday) to 6; None as for days. Where both are given, either of them is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None


def check_cron(text: str) -> str:
    """Give ``text`` back when it names times that exist.

    Raises:
        ConfigError: Not five fields, a value out of its field's range, or a date that no year has.
    """
    cron_times(text)
    return text


def cron_times(text: str) -> CronTimes:
    """The times that ``text`` names.

    Raises:
        ConfigError: Not five fields, a value out of its field's range, or a date that no year has.
    """
    words = text.split()
    if len(words) != len(_FIELDS):
        msg = f"schedule {text!r}: write the five fields of cron in UTC, for example '15 3 * * *'"
        raise ConfigError(msg)
    values = [_values(word, field=field, schedule=text) for word, field in zip(words, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = values
    if _open(words[4]) and all(min(days) > _LONGEST_MONTH[month] for month in months):
        msg = f"schedule {text!r}: this month never has this day, so it would never start"
        raise ConfigError(msg)
    return CronTimes(
        minutes=minutes,
        hours=hours,
        days=None if _open(words[2]) else days,
        months=months,
        weekdays=None if _open(words[4]) else weekdays,
    )


def _open(word: str) -> bool:
    """Whether a field of days restricts nothing: robfig/cron then asks for both fields of days, otherwise for one of them."""
    return any(part.partition("/")[0] in {"*", "?"} and part.partition("/")[2] in {"", "1"} for part in word.split(","))


def _values(word: str, *, field: _Field, schedule: str) -> frozenset[int]:
    """All values that a field names.

    Raises:
        ConfigError: The field names no value, or one out of range.
    """
    return frozenset(value for part in word.split(",") for value in _range(part, field=field, schedule=schedule))


def _range(part: str, *, field: _Field, schedule: str) -> Iterator[int]:
    """Values of ``*``, ``a``, ``a-b``, each with ``/step``; ``a/step`` goes on to the field's end."""
    span, slash, step_text = part.partition("/")
    match = _PART.fullmatch(span)
    step = int(step_text) if step_text.isdecimal() else 0
    if match is None or (slash and not step):
        raise _wrong(part, field=field, schedule=schedule)
    if match["any"]:
        return iter(range(field.low, field.high + 1, step or 1))
    low = _number(match["low"], field=field)
    high = _number(match["high"], field=field) if match["high"] else field.high if slash else low
    if low is None or high is None or low > high:
        raise _wrong(part, field=field, schedule=schedule)
    return iter(range(low, high + 1, step or 1))


def _number(word: str, *, field: _Field) -> int | None:
    """A value of the field, or None for what is none."""
    value = int(word) if word.isascii() and word.isdecimal() else field.words.get(word.lower(), -1)
    return value if field.low <= value <= field.high else None


def _wrong(part: str, *, field: _Field, schedule: str) -> ConfigError:
    names = f" or {', '.join(field.words)}" if field.words else ""
    return ConfigError(f"schedule {schedule!r}: {field.name} {part!r} is not {field.low} to {field.high}{names}")
