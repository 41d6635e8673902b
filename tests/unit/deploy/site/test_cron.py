import pytest

from swath.deploy.site.cron import check_cron
from swath.errors import ConfigError


@pytest.mark.parametrize(
    "schedule",
    [
        "15 2 * * *", "*/10 * * * *", "0 0-6/2 1,15 jan-mar MON-fri", "59 23 31 12 6", "0 0 ? * ?", "5/20 * * * *", "0 0 29 2 *",
        "0 0 31 2 mon", "0 0 30,31 2,4 *",
    ],
)  # fmt: skip
def test_times_that_exist_are_taken(schedule: str) -> None:
    assert check_cron(schedule) == schedule


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("99 99 * * *", "minute '99' is not 0 to 59"),
        ("a b c d e", "minute 'a'"),
        ("0 24 * * *", "hour '24' is not 0 to 23"),
        ("0 0 0 * *", "day of month '0' is not 1 to 31"),
        ("0 0 * 13 *", "month '13' is not 1 to 12 or jan"),
        ("0 0 * * 7", "day of week '7' is not 0 to 6 or sun"),
        ("0 0 * * monday", "day of week 'monday'"),
        ("*/0 * * * *", "minute '\\*/0'"),
        ("1/ * * * *", "minute '1/'"),
        ("1, * * * *", "minute ''"),
        ("9-3 * * * *", "minute '9-3'"),
        ("1-2-3 * * * *", "minute '1-2-3'"),
        ("-1 * * * *", "minute '-1'"),
        ("@daily", "five fields"),
        ("0 2 * * * *", "five fields"),
        ("", "five fields"),
        ("0 0 31 2 *", "this month never has this day"),
        ("0 0 31 4,6 ?", "never start"),
    ],
)
def test_times_that_do_not_exist_are_refused(schedule: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_cron(schedule)
