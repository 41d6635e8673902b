"""The radiometric guard over every real Level-1 scene at hand: no false alarm, and every injected offset found."""

from pathlib import Path

import pytest
from benchmarks.guard import AS_DELIVERED, INJECTED, OFFSET_FAMILIES, judged, level1_scenes

pytestmark = pytest.mark.long
#: Scenes at hand whose cirrus band the guard reads, and scenes in all.
LEAST_WITH_CIRRUS, LEAST_SCENES = 8, 15


def test_no_real_scene_is_an_alarm_and_every_injected_offset_is_found(scenes: Path) -> None:
    found = [j for j in map(judged, level1_scenes([str(scenes), str(scenes.parent / "field")])) if j is not None]
    assert len(found) >= LEAST_SCENES
    assert [j.scene_id for j in found if j.verdicts[AS_DELIVERED].outcome == "contradicts"] == []
    able = [j for j in found if j.sensor in OFFSET_FAMILIES]
    cirrus = [j for j in able if j.cirrus]
    assert len(cirrus) >= LEAST_WITH_CIRRUS
    for name in INJECTED:
        assert [j.scene_id for j in cirrus if j.verdicts[name].outcome != "contradicts"] == [], name
    # Without that band too: nothing is darker than the air.
    assert [j.scene_id for j in able if j.verdicts["doubled or false"].outcome != "contradicts"] == []
