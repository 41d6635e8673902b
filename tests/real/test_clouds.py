"""The spectral cloud mask against masks that came with real scenes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import resolve
from swath.engine.supplies import Supplies
from swath.grid import Window
from swath.pipeline import AssetRule, Layer, Pipeline
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.steps.clouds import Clouds
from swath.steps.toa import Toa

FOLDERS = {
    "LC08_L1TP_016037_20170813": "rio_tiler_pds/landsat-pds/c1/L8/016/037/LC08_L1TP_016037_20170813_20170814_01_RT",
    "LC08_L1TP_090084_20160121": "eodatasets/LC08_L1TP_090084_20160121_20170405_01_T1",
}
CLOUD_BIT = 4


@pytest.mark.parametrize(("scene_id", "least"), [("LC08_L1TP_016037_20170813", 0.65), ("LC08_L1TP_090084_20160121", 0.90)])
def test_the_mask_agrees_with_the_delivered_one(scenes: Path, oracles: dict[str, Any], scene_id: str, least: float) -> None:
    assert any(scene_id in o["scene"] for o in oracles["cloud_mask"])
    scene = read_scene(str(scenes / FOLDERS[scene_id]))
    pipeline = Pipeline(name="c", title="c", steps=(Toa(), Clouds(by="rule")), assets=(AssetRule(layers="cloud", required=True),))
    reader = BandReader()

    def read(band: str, window: Window) -> Layer:
        return reader.read(scene, band, window)

    window = scene.reference.window
    found = evaluate(resolve(pipeline, scene), {"cloud": window}, read=read, supplies=Supplies(), clock=Clock())["cloud"]
    delivered = (read("bqa", window).values >> CLOUD_BIT) & 1 == 1
    cloud = found.values == 1
    both = np.count_nonzero(cloud & delivered & found.usable)
    either = np.count_nonzero((cloud | delivered) & found.usable)
    assert both / either >= least
