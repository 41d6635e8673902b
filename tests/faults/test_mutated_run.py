"""Mutated metadata through whole runs: whatever it says, the run goes on to its end and its account balances."""

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import RunJob
from tests.faults.mutations import spoil_text

from swath.simulator.damage import copied
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate

pytestmark = [pytest.mark.spark, pytest.mark.faults]


def renamed(scene: SimulatedScene, *, number: int, folder: Path) -> Path:
    """A copy with an id of its own: otherwise all but one would be refused as clashes before they are tried."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    rename = {
        "L": {"193022_": f"{number:06d}_"},
        "S": {"T33UVV": f"T33U{letters[number // len(letters)]}{letters[number % len(letters)]}"},
    }.get(scene.scene_id[0], {})
    return copied(scene, folder=folder / str(number), rename=rename or {scene.scene_id: f"{scene.scene_id}{number}"}).delivery


@pytest.mark.parametrize("count", [45, pytest.param(500, marks=pytest.mark.long)])
def test_no_mutation_of_metadata_ends_a_run(run_job: RunJob, tmp_path: Path, count: int) -> None:
    wholes = [simulate(kind=k, folder=tmp_path / k, size=96, truth=False) for k in ("landsat9", "sentinel2", "stac")]
    for number in range(count):
        delivery = renamed(wholes[number % 3], number=number, folder=tmp_path / "scenes")
        spoil_text(delivery, rng=np.random.default_rng([10, number]))
    summary = run_job("toa", tmp_path / "scenes", output=tmp_path / "out", internal_limit=0)
    account = summary.scenes
    assert (account.remainder, summary.assets.remainder) == (0, 0)
    # A delivery that lost its very name is none; a damaged one is not lost.
    assert account.taken_in > 0.9 * count
    # The damage is not always fatal, and not always harmless: otherwise nothing was tested.
    assert 0.05 * count < account.made < 0.95 * count
    # Nothing of it was unforeseen either.
    assert [q.message for q in summary.quarantine if q.error == "internal"] == []
