"""Days of the catalogue are read in portions that a driver can hold."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from swath.runs.catalogue_days import _AT_ONCE, _portions

FIRST = date(2024, 1, 1)


@given(st.lists(st.integers(0, 2 * _AT_ONCE), max_size=30))
def test_each_day_is_in_one_portion_and_only_a_single_day_may_be_more_than_a_driver_holds(sizes: list[int]) -> None:
    numbers = {("ard", FIRST + timedelta(days=n)): size for n, size in enumerate(sizes)}
    portions = list(_portions(numbers))
    assert sorted(day for portion in portions for day in portion) == sorted(numbers)
    for portion in portions:
        assert len(portion) == 1 or sum(numbers[day] for day in portion) <= _AT_ONCE
