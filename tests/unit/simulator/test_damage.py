from collections.abc import Callable
from pathlib import Path

import pytest

from swath.errors import ReadError
from swath.readers.landsat.scene import read_scene
from swath.simulator.damage import copied, truncate
from swath.simulator.scene_files import SimulatedScene

RENAME = {"20240806": "20240822", "20240805": "20240821", "2024-08-05": "2024-08-21"}


def test_a_copy_is_a_whole_scene_with_another_name(clear_landsat: SimulatedScene, tmp_path: Path) -> None:
    copy = copied(clear_landsat, folder=tmp_path, rename=RENAME)
    scene = read_scene(str(copy.delivery))
    assert scene.scene_id == copy.scene_id == "LC09_L1TP_193022_20240821_20240822_02_T1"
    assert f"{scene.acquired:%Y-%m-%d}" == "2024-08-21"


def test_truncating_a_copy_leaves_the_original_alone(
    clear_landsat: SimulatedScene, tmp_path: Path, files_below: Callable[[Path], dict[str, bytes]]
) -> None:
    before = files_below(clear_landsat.delivery)
    broken = truncate(copied(clear_landsat, folder=tmp_path, rename=RENAME), band="nir08")
    assert files_below(clear_landsat.delivery) == before
    with pytest.raises(ReadError, match="truncated"):
        read_scene(str(broken.delivery))
