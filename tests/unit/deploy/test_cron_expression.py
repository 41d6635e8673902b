from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.deploy.emr_on_eks.cron_expression import cron_expression
from swath.deploy.site.cron import CronTimes, cron_times
from swath.errors import ConfigError


@pytest.mark.parametrize(
    ("schedule", "expression"),
    [
        ("15 2 * * *", "cron(15 2 * * ? *)"),
        ("*/20 * * * *", "cron(0,20,40 * * * ? *)"),
        ("0 6 * * mon-fri", "cron(0 6 ? * 2-6 *)"),
        ("0 6 * * 0", "cron(0 6 ? * 1 *)"),
        ("0 6 1,15 jan,jul ?", "cron(0 6 1,15 1,7 ? *)"),
        ("0 6 */1 * 3", "cron(0 6 ? * 4 *)"),
        ("0 6 */2 * *", "cron(0 6 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * ? *)"),
    ],
)
def test_a_schedule_in_the_words_of_the_scheduler(schedule: str, expression: str) -> None:
    assert cron_expression(schedule) == expression


@pytest.mark.parametrize("schedule", ["0 6 1 * 1", "0 6 */2 * mon", "0 6 1-5 * */2"])
def test_days_of_both_kinds_are_refused(schedule: str) -> None:
    with pytest.raises(ConfigError, match=r"takes one of them. Write two jobs"):
        cron_expression(schedule)


def test_the_longest_schedule_fits() -> None:
    """Pairs with gaps of one have the longest text."""
    minutes, hours, days = (",".join(f"{n}-{n + 1}" for n in range(*ends, 3)) for ends in ((0, 60), (0, 24), (1, 30)))
    assert len(cron_expression(f"{minutes} {hours} {days} 1-2,4-5,7-8,10-11 *")) <= 256


def _numbers(text: str, *, low: int, high: int) -> set[int]:
    if text in {"*", "?"}:
        return set(range(low, high + 1))
    ends = [part.split("-") for part in text.split(",")]
    return {value for pair in ends for value in range(int(pair[0]), int(pair[-1]) + 1)}


def _scheduler_starts(expression: str, moment: datetime) -> bool:
    """What AWS documents of the six fields: all must fit; Sunday is day 1."""
    minute, hour, day, month, weekday, year = expression.removeprefix("cron(").removesuffix(")").split()
    assert (day == "?") != (weekday == "?")
    assert year == "*"
    return (
        moment.minute in _numbers(minute, low=0, high=59)
        and moment.hour in _numbers(hour, low=0, high=23)
        and moment.day in _numbers(day, low=1, high=31)
        and moment.month in _numbers(month, low=1, high=12)
        and moment.isoweekday() % 7 + 1 in _numbers(weekday, low=1, high=7)
    )


def _operator_starts(times: CronTimes, moment: datetime) -> bool:
    day = times.days is None or moment.day in times.days
    weekday = times.weekdays is None or moment.isoweekday() % 7 in times.weekdays
    both_given = times.days is not None and times.weekdays is not None
    fits = (day or weekday) if both_given else (day and weekday)
    return fits and moment.minute in times.minutes and moment.hour in times.hours and moment.month in times.months


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.integers(1, 9).map(lambda n: f"*/{n}")
    one = st.one_of(st.just("*"), number.map(str), span, step, st.builds("{}/{}".format, span, st.integers(1, 5)))
    return st.lists(one, min_size=1, max_size=3).map(",".join)


@given(
    fields=st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6)),
    minutes=st.lists(st.integers(0, 525_600 * 2), min_size=1, max_size=20),
)
def test_both_calendars_name_the_same_minutes(fields: tuple[str, ...], minutes: list[int]) -> None:
    schedule = " ".join(fields)
    try:
        expression = cron_expression(schedule)
    except ConfigError:
        return
    times = cron_times(schedule)
    for minute in minutes:
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        # the minute itself, and one that fits minute and hour of the schedule, so that days decide
        near = moment.replace(minute=min(times.minutes), hour=min(times.hours))
        for asked in (moment, near):
            assert _scheduler_starts(expression, asked) == _operator_starts(times, asked)
