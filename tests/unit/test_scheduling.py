"""The simulation of waves: what it must give where the answer is known, and what swath promises of a large cluster."""

import pytest
from benchmarks.scheduling import Costs, Way, share_at_work

IDLE = Costs(scene_s=10.0, spread=0.0, read_s=0.0, commit_s=0.0, driver_s=0.0, launch_s=0.0)
SWATH = Way(name="", width=None, in_flight=3)


def test_equal_scenes_without_other_costs_fill_the_cores() -> None:
    assert share_at_work(96, cores=8, way=SWATH, costs=IDLE) == pytest.approx(1.0)
    # Nine scenes on eight cores take as long as sixteen.
    assert share_at_work(9, cores=8, way=SWATH, costs=IDLE) == pytest.approx(9 / 16)


def test_a_barrier_costs_its_commit_and_what_is_read() -> None:
    costs = Costs(scene_s=10.0, spread=0.0, read_s=1.0, commit_s=4.0, driver_s=0.0, launch_s=0.0)
    barrier = Way(name="", width=8, in_flight=1)
    assert share_at_work(16, cores=8, way=barrier, costs=costs) == pytest.approx(20.0 / (2 * (1.0 + 10.0 + 4.0)))


@pytest.mark.parametrize(("driver_s", "least"), [(0.003, 0.95), (0.020, 0.90)])
def test_a_thousand_cores_are_at_work(driver_s: float, least: float) -> None:
    costs = Costs(driver_s=driver_s)
    assert share_at_work(100_000, cores=1000, way=SWATH, costs=costs) >= least
    assert share_at_work(100_000, cores=1000, way=Way(name="", width=32, in_flight=1), costs=costs) < 0.02
