"""Time of a plan, by this machine's own speed."""

import pytest

from swath.runs import calibration
from swath.runs.calibration import slowness
from swath.runs.estimate import Estimate, totals

ONE = Estimate(product_id="p", strips=2, assets=3, pixels=100_000_000, raw_bytes=200_000_000, peak_mb=300.0)


def test_a_machine_that_takes_twice_as_long_is_planned_twice_the_time() -> None:
    here, there = (totals([ONE, ONE], cores=2, slower=s) for s in (1.0, 2.0))
    assert here["megapixels"] == there["megapixels"] == 200.0
    assert there["cpu_s"] == 2 * here["cpu_s"]
    assert there["wall_s"] == 2 * here["wall_s"]
    # 200 megapixels at 0.09 s, and 6 s that one core does alone.
    assert (here["cpu_s"], here["wall_s"]) == (24, 15)


def test_slowness_is_the_best_of_some_tries_over_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = iter((9.0, 2.0, 4.0, 3.0, 5.0))

    def once(plain: bytes) -> float:
        assert len(plain) == 2 * 512 * 2560
        return next(taken) * calibration.REFERENCE_S

    monkeypatch.setattr(calibration, "_once", once)
    assert slowness() == pytest.approx(2.0)


def test_this_machine_is_one_of_our_time() -> None:
    assert 0.05 < slowness() < 50.0
