from datetime import UTC, date, datetime

import pytest

from swath.errors import ConfigError
from swath.stack.periods import Period, periods_of


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("2024", date(2024, 1, 1), date(2025, 1, 1)),
        ("2024-01/2024-12", date(2024, 1, 1), date(2025, 1, 1)),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        ("2023/2024-02-29", date(2023, 1, 1), date(2024, 3, 1)),
        ("2024-06-15", date(2024, 6, 15), date(2024, 6, 16)),
    ],
)
def test_the_last_day_is_part_of_a_period(text: str, start: date, stop: date) -> None:
    assert periods_of(text) == (Period(start=start, stop=stop),)


def test_steps_follow_the_calendar_and_the_last_may_be_shorter() -> None:
    months = periods_of("2024-01-31/2024-04-15", every="1M")
    assert [p.start for p in months] == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)]
    assert months[-1].stop == date(2024, 4, 16)
    assert len(periods_of("2024", every="10D")) == 37
    assert [p.name for p in periods_of("2023/2024", every="1Y")] == ["20230101-20231231", "20240101-20241231"]


def test_moments_belong_to_the_day_that_they_have_in_utc() -> None:
    (period,) = periods_of("2024")
    assert period.holds(datetime(2024, 12, 31, 23, 59, tzinfo=UTC))
    assert not period.holds(datetime(2025, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "2024-13", "2024-02-30", "24-01", "2024-02/2024-01", "soon", "2024/2023"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--period"):
        periods_of(text)


@pytest.mark.parametrize("every", ["0M", "1W", "M", "-1D"])
def test_what_is_no_step_is_refused(every: str) -> None:
    with pytest.raises(ConfigError, match="--every"):
        periods_of("2024", every=every)
