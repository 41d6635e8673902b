"""What public bug reports were about: each input with its right value."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from tests.conftest import SHARED, RunJob

from swath.algo.qa import qa_flag


@pytest.fixture
def field() -> Path:
    """The folder of inputs, or a skip."""
    folder = SHARED / "field"
    if not folder.is_dir():
        pytest.skip("the inputs of the field (../shared/field) are not beside this checkout")
    return folder


def test_a_bqa_of_before_collections_is_read_as_such(field: Path, run_job: RunJob, tmp_path: Path) -> None:
    run = run_job("ard", field / "B02b-precollection-bqa-made", output=tmp_path)
    (product,) = run.products
    (path,) = (tmp_path / product.item).parent.glob("*.qa.*.tif")
    with rasterio.open(path) as dataset:
        qa = dataset.read(1)
    seen = ~qa_flag(qa, name="nodata")
    assert qa_flag(qa, name="cloud")[seen].mean() == pytest.approx(0.9318, abs=1e-4)
    assert qa_flag(qa, name="cloud_from_quality")[seen].all()
    assert not np.logical_or(qa_flag(qa, name="snow_from_quality"), qa_flag(qa, name="water_from_quality"))[seen].any()
