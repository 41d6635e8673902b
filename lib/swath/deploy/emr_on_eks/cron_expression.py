"""A job's schedule in the words of EventBridge Scheduler.

Source: EventBridge Scheduler, "Schedule types", cron-based schedules: six fields (minute, hour, day of month, month, day of
week with 1 for Sunday, year), of which one of the two fields of days must be ``?``.
"""

from collections.abc import Collection, Iterator
from itertools import pairwise

from swath.deploy.site.cron import cron_times
from swath.errors import ConfigError


def cron_expression(schedule: str) -> str:
    """``cron(...)`` that starts a run at exactly the times of ``schedule``.

    Raises:
        ConfigError: The schedule restricts both days of the month and days of the week: cron starts a run when one of them
            fits, and the Scheduler cannot say so.
    """
    times = cron_times(schedule)
    if times.days is not None and times.weekdays is not None:
        msg = f"schedule {schedule!r} has days of the month and of the week; EventBridge takes one of them. Write two jobs"
        raise ConfigError(msg)
    days = "?" if times.weekdays is not None else "*" if times.days is None else _text(times.days, every=31)
    weekdays = "?" if times.weekdays is None else _text([day + 1 for day in times.weekdays], every=7)
    minutes, hours = _text(times.minutes, every=60), _text(times.hours, every=24)
    # 238 characters at most, of 256 that the Scheduler takes
    return f"cron({minutes} {hours} {days} {_text(times.months, every=12)} {weekdays} *)"


def _text(values: Collection[int], *, every: int) -> str:
    """Values with commas, consecutive ones as a range; ``*`` for all that the field has."""
    if len(values) == every:
        return "*"
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in _ranges(sorted(values)))


def _ranges(values: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    low = values[0]
    for before, after in pairwise(values):
        if after != before + 1:
            yield low, before
            low = after
    yield low, values[-1]
