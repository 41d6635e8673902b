"""What public bug reports were about: each input with its right value."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from tests.conftest import SHARED, RunJob

from swath.algo.qa import qa_flag
from swath.errors import GeometryError
from swath.readers.registry import read_scene


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


def test_an_internal_mask_is_nodata_in_every_asset(field: Path, run_job: RunJob, tmp_path: Path) -> None:
    run = run_job("ard", field / "B03-internal-mask", output=tmp_path)
    (product,) = run.products
    files = sorted((tmp_path / product.item).parent.glob("*.tif"))
    assert len(files) >= 5
    for path in files:
        with rasterio.open(path) as dataset:
            there = qa_flag(dataset.read(1), name="nodata") if ".qa." in path.name else dataset.read(1) == dataset.nodata
        assert there[:, :20].all(), path.name
        assert int(there.sum()) == 1280, path.name


@pytest.mark.parametrize(("dtype", "hole"), [("float64", np.nan), ("float32", -3.4e38), ("int32", -9999)])
def test_a_landsat_scene_of_whole_numbers_in_another_type_gives_the_same_pixels(
    field: Path, run_job: RunJob, tmp_path: Path, dtype: str, hole: float
) -> None:
    source = field / "B02b-precollection-bqa-made" / "LC80900842016021LGN00"
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in source.iterdir():
        if path.suffix != ".TIF":
            shutil.copy(path, copy)
            continue
        with rasterio.open(path) as dataset:
            values, profile = dataset.read(1), {**dataset.profile, "dtype": dtype, "nodata": hole}
        # R gives fill of the quality band away too.
        fill = 1 if path.name.endswith("BQA.TIF") else 0
        with rasterio.open(copy / path.name, "w", **profile) as dataset:
            dataset.write(np.where(values == fill, np.dtype(dtype).type(hole), values.astype(dtype)), 1)
    made = [run_job("toa", where, output=tmp_path / name).products[0] for name, where in (("a", source), ("b", copy))]
    folders = [(tmp_path / name / product.item).parent for name, product in zip("ab", made, strict=True)]
    pictures = [sorted(folder.glob("*.tif"), key=lambda p: p.name.split(".")[2]) for folder in folders]
    assert len(pictures[0]) == len(pictures[1]) >= 11
    for one, other in zip(*pictures, strict=True):
        with rasterio.open(one) as first, rasterio.open(other) as second:
            np.testing.assert_array_equal(first.read(), second.read(), err_msg=one.name)


def test_one_id_in_two_collections_is_a_clash_that_names_both(field: Path, run_job: RunJob, tmp_path: Path) -> None:
    run = run_job("toa", field / "B12-same-id-two-collections", output=tmp_path)
    assert run.balanced
    assert (run.scenes.taken_in, run.scenes.made, run.scenes.quarantined, run.scenes.skipped) == (2, 1, 1, 0)
    (entry,) = run.quarantine
    assert (entry.error, entry.stage) == ("clash", "plan")
    assert all(name in entry.message for name in ("k01-coll-a/item.json", "k01-coll-b/item.json"))
    again = run_job("toa", field / "B12-same-id-two-collections", output=tmp_path)
    assert (again.scenes.made, again.scenes.quarantined, again.scenes.skipped) == (0, 1, 1)
    loser = next(n for n in ("k01-coll-a", "k01-coll-b") if f"got {field / 'B12-same-id-two-collections' / n}" in entry.message)
    alone = run_job("toa", field / "B12-same-id-two-collections" / loser, output=tmp_path)
    assert [q.error for q in alone.quarantine] == ["clash"], "a product of an earlier run is not replaced"


def test_two_granules_of_one_tile_are_two_products(field: Path, run_job: RunJob, tmp_path: Path) -> None:
    run = run_job("toa", field / "B13-two-granules-one-tile", output=tmp_path)
    assert (run.scenes.taken_in, run.scenes.made) == (2, 2)
    ends = {p.scene_id.rpartition("_T56JMM")[2] for p in run.products}
    assert ends == {"_20160615T152456", "_20160615T170526"}


def test_two_granules_of_one_tile_in_a_zip_are_two_products(field: Path, run_job: RunJob, tmp_path: Path) -> None:
    source = next((field / "B13-two-granules-one-tile").glob("*/*.SAFE"))
    path = tmp_path / "in" / f"{source.stem}.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as packed:
        for file in source.rglob("*"):
            packed.write(file, file.relative_to(source.parent))
    run = run_job("toa", path.parent, output=tmp_path / "out")
    assert (run.scenes.taken_in, run.scenes.made) == (2, 2)
    assert {p.scene_id.rpartition("_T56JMM")[2] for p in run.products} == {"_20160615T152456", "_20160615T170526"}


def test_a_flat_download_is_told_which_layout_is_expected(field: Path) -> None:
    """The sample's bands were cropped to different ground, which no delivery's are; what a user must read is the layout."""
    with pytest.raises(GeometryError, match=r"All files are in one folder: .* keep its layout: B01 to B12 .*GRANULE/\*/IMG_DATA"):
        read_scene(str(field / "B28-flat-download" / "d01-flat-download"))


def test_two_items_of_one_id_are_both_accounted_for(field: Path, run_job: RunJob, tmp_path: Path) -> None:
    run = run_job("toa", field / "hostile" / "same-id-dropped", output=tmp_path)
    assert (run.scenes.made, run.scenes.quarantined, run.scenes.skipped) == (1, 1, 0)
    assert run.quarantine[0].error == "clash"
