"""Core seconds by executors' own times."""

from datetime import UTC, datetime, timedelta

import pytest

from swath.spark.held import Held, core_seconds

START = datetime(2026, 1, 1, tzinfo=UTC)
T = START.timestamp()


def held(cores: int, since: float, until: float | None) -> Held:
    return Held(cores=cores, since=T + since, until=None if until is None else T + until)


@pytest.mark.parametrize(
    ("executors", "seconds"),
    [
        ([held(4, 0, None)], 400.0),
        # Dynamic allocation: two come late, one of them goes early, one was there before and one comes after the end.
        ([held(4, 30, None), held(4, 20, 60), held(2, -50, 10), held(8, 100, None)], 280.0 + 160.0 + 20.0),
        # The driver of a cluster is listed with no cores.
        ([held(0, 0, None)], 0.0),
        ([], 0.0),
    ],
)
def test_executors_cost_from_their_registration_to_their_removal(executors: list[Held], seconds: float) -> None:
    assert core_seconds(executors, since=START, until=START + timedelta(seconds=100)) == pytest.approx(seconds)
