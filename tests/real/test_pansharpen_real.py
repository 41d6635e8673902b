"""Pan-sharpening of a real scene through a run, against GDAL: its pan grid starts 7.5 m west and south of the others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.conftest import SHARED

pytestmark = [pytest.mark.real, pytest.mark.spark, pytest.mark.slow]
_REFERENCE = SHARED / "science" / "pansharpen_gdal_LC08_195025.npz"
_SCENE = "satellite_r/inst/extdata/LC08_L1TP_195025_20130707_20170503_01_T1_MTL.txt"
PIPELINE = """
name: sharp
steps:
  - toa
  - pansharpen: {step}
assets: {{required: [sharp]}}
"""


@pytest.fixture
def sharpened(scenes: Path, run_job: Any, tmp_path: Path) -> Any:
    """Pixels and transforms of what a pipeline makes, by asset."""

    def make(step: str) -> dict[str, Any]:
        pipeline = tmp_path / "sharp.yaml"
        pipeline.write_text(PIPELINE.format(step=step), encoding="utf-8")
        output = tmp_path / "out"
        (product,) = run_job(str(pipeline), scenes / _SCENE, output=output, run_id=None).products
        found = {}
        for name, href in product.to_contract()["assets"].items():
            with rasterio.open(output / href) as source:
                found[name] = (source.read(1).astype(np.int64), source.transform)
        return found

    return make


def test_it_is_gdals_over_the_window_that_gdal_takes(sharpened: Any) -> None:
    if not _REFERENCE.is_file():
        pytest.skip("the reference numbers (../shared/science) are not beside this checkout")
    made = sharpened("{of: dn, weights: {red: 0.333333, green: 0.333333, blue: 0.333333}, fit: gdal}")
    with np.load(_REFERENCE) as reference:
        for theirs, band in zip(reference["rgb"], ("red", "green", "blue"), strict=True):
            assert np.abs(made[f"sharp_{band}"][0] - theirs).max() <= 1


def test_by_the_ground_bands_stay_where_they_are(sharpened: Any, scenes: Path) -> None:
    """The weighted sum of the bands is the pan band, and where GDAL ends its window with the bands, ours has no data."""
    made = sharpened("{}")
    assert sorted(made) == ["sharp_blue", "sharp_green", "sharp_red"]
    with rasterio.open(scenes / _SCENE.replace("MTL.txt", "B8.TIF")) as source:
        assert all(transform == source.transform for _, transform in made.values())
    for values, _ in made.values():
        # The last 7.5 m of the pan band are beyond the bands: the centres of its last row are on their edge.
        assert (values[-1] == -9999).all()
        assert (values[:-1] > 0).all()
