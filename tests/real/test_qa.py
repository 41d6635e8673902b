"""Quality bits of real Landsat scenes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.algo.qa import layout, qa_flag, quality_table, unpack

CODES = {"notDetermined": 0, "no": 1, "maybe": 2, "yes": 3}
NAMES = {
    "cloudConf": "cloud_confidence",
    "cloudShadowConf": "shadow_confidence",
    "snowIceConf": "snow_confidence",
    "cirrusConf": "cirrus_confidence",
    "radiometricSaturation": "saturated_bands",
    "fill": "fill",
    "terrain": "terrain_occlusion",
    "cloud": "cloud",
}
SINGLE = {"no": 0, "yes": 1}


def packed(path: Path) -> NDArray[np.uint16]:
    with rasterio.open(path) as dataset:
        values: NDArray[np.uint16] = dataset.read(1)
    assert values.dtype == np.uint16
    return values


def test_collection_1_fractions(scenes: Path, oracles: dict[str, Any]) -> None:
    told = oracles["qa_bits"][0]
    bqa = packed(scenes / told["file"])
    bits = layout("landsat-c1-bqa", instrument="oli")
    for theirs, ours in NAMES.items():
        codes = bits[ours].of(bqa)
        meaning = SINGLE if bits[ours].width == 1 else CODES
        for word, fraction in told["fractions"][theirs].items():
            assert np.mean(codes == meaning[word]) == pytest.approx(fraction, abs=told["tol"]), (theirs, word)


def test_collection_2_cloud_share_is_the_metadatas(scenes: Path) -> None:
    folder = scenes / "stactools_landsat/data-files/assets"
    pixels = packed(folder / "LC08_L2SP_005009_20150710_20200908_02_T2_QA_PIXEL.TIF")
    mtl = (folder / "LC08_L2SP_005009_20150710_20200908_02_T2_MTL.txt").read_text(encoding="ascii")
    told = float(next(line.split("=")[1] for line in mtl.splitlines() if line.strip().startswith("CLOUD_COVER =")))
    flags = unpack(pixels, scheme="landsat-c2-qa-pixel", instrument="oli")
    assert flags.cloudy is not None
    assert flags.nodata is not None
    # The raster is decimated: a sample of 155,000 pixels, so the share is met to a tenth of a percent.
    assert 100.0 * flags.cloudy[~flags.nodata].mean() == pytest.approx(told, abs=0.1)


def test_whole_scene_cloud_share_is_the_metadatas(scenes: Path, oracles: dict[str, Any]) -> None:
    told = oracles["cloud_mask"][0]
    (path,) = (scenes / "rio_tiler_pds").rglob("*016037_20170813*BQA.TIF")
    qa = np.take(quality_table("landsat-c1-bqa", instrument="oli"), packed(path))
    seen = ~qa_flag(qa, name="nodata")
    assert qa_flag(qa, name="cloud")[seen].mean() == pytest.approx(told["cloud_fraction"], abs=1e-3)
