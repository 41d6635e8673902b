"""Level-2 deliveries as USGS and ESA make them: sources of composites by their own metadata, without an item."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.stacks import write_raster

from swath.errors import MetadataError, MissingBandError, ReadError
from swath.readers.discover import discover
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.readers.sources import read_source
from swath.scene import Quality, Reflectance
from swath.simulator.simulate import simulate
from swath.source import MASK
from swath.stack.composite import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

LANDSAT = "LC08_L2SP_190030_20240501_20240510_02_T1"
#: The Level-1 record repeats keys of the Level-2 groups, with other numbers.
MTL = """GROUP = LANDSAT_METADATA_FILE
  GROUP = PRODUCT_CONTENTS
    LANDSAT_PRODUCT_ID = "{name}"
    PROCESSING_LEVEL = "{level}"
    COLLECTION_NUMBER = {collection}
  END_GROUP = PRODUCT_CONTENTS
  GROUP = IMAGE_ATTRIBUTES
    SPACECRAFT_ID = "LANDSAT_8"
    SENSOR_ID = "OLI_TIRS"
    WRS_PATH = 190
    WRS_ROW = 30
    DATE_ACQUIRED = 2024-05-01
    SCENE_CENTER_TIME = "10:30:00.0000000Z"
    SUN_AZIMUTH = 150.0
    SUN_ELEVATION = 50.0
  END_GROUP = IMAGE_ATTRIBUTES
  GROUP = LEVEL2_PROCESSING_RECORD
    DATE_PRODUCT_GENERATED = 2024-05-10T01:02:03Z
  END_GROUP = LEVEL2_PROCESSING_RECORD
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
{scales}
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
  GROUP = LEVEL1_RADIOMETRIC_RESCALING
    REFLECTANCE_MULT_BAND_4 = 2.0000E-05
    REFLECTANCE_ADD_BAND_4 = -0.100000
  END_GROUP = LEVEL1_RADIOMETRIC_RESCALING
END_GROUP = LANDSAT_METADATA_FILE
END
"""
SCALES = "    REFLECTANCE_MULT_BAND_4 = 2.75e-05\n    REFLECTANCE_ADD_BAND_4 = -0.2"


def landsat(folder: Path, *, name: str = LANDSAT, dtype: str = "uint16", **said: str) -> Path:
    home = folder / name
    home.mkdir()
    values: Mapping[str, int] = {"SR_B4": 9000, "ST_B10": 30_000, "QA_PIXEL": 21_824, "SR_QA_AEROSOL": 96}
    for band, value in values.items():
        pixels = np.full((20, 20), value % 256 if dtype == "uint8" else value, dtype=dtype)
        write_raster(home / f"{name}_{band}.TIF", pixels, left=600_000.0, top=5_000_000.0, pixel=30.0, epsg=32633)
    told = {"level": "L2SP", "collection": "02", "scales": SCALES, **said}
    (home / f"{name}_MTL.txt").write_text(MTL.format(name=name, **told), encoding="ascii")
    return home


def test_a_landsat_delivery_has_the_scale_of_level_2_not_of_the_level_1_record_behind_it(tmp_path: Path) -> None:
    home = landsat(tmp_path)
    (found,) = discover([str(tmp_path)], scratch=str(tmp_path / "scratch"))
    source = read_source(found)
    assert (source.scene_id, source.bands, source.instrument) == (LANDSAT, ("red",), "oli")
    red = source.assets["red"]
    assert (red.calibration, red.nodata) == (Reflectance(gain=2.75e-05, offset=-0.2, sun_normalised=True), 0)
    assert source.assets[MASK].calibration == Quality(scheme="landsat-c2-qa-pixel")
    # As items of the same acquisition are called (test_level2).
    assert (source.acquisition, source.processed) == ("landsat-8 190030 20240501", "2024-05-10T01:02:03+00:00")
    assert read_source(str(home / f"{LANDSAT}_MTL.txt")).assets == source.assets
    with BandReader() as reader:
        assert reader.read(source, "red", red.grid.window).values[0, 0] == 9000


def test_of_two_deliveries_of_one_path_row_and_day_the_newer_counts(tmp_path: Path) -> None:
    older = read_source(str(landsat(tmp_path)))
    newer_name = LANDSAT.replace("20240510", "20240611")
    home = landsat(tmp_path, name=newer_name)
    mtl = home / f"{newer_name}_MTL.txt"
    mtl.write_text(mtl.read_text(encoding="ascii").replace("2024-05-10T", "2024-06-11T"), encoding="ascii")
    newer = read_source(str(home))
    assert in_order([newer, older]) == in_order([older, newer]) == (newer,)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"level": "L1TP"}, "a composite is made of surface reflectance.*got level L1TP"),
        ({"collection": "01"}, "a composite is made of surface reflectance.*collection 01"),
        ({"scales": "    OTHER = 1"}, "the scale of B4 is missing"),
    ],
)
def test_landsat_deliveries_that_do_not_say_what_their_numbers_are_are_refused(
    tmp_path: Path, said: dict[str, str], why: str
) -> None:
    with pytest.raises(MetadataError, match=why):
        read_source(str(landsat(tmp_path, **said)))


def test_landsat_deliveries_without_bands_or_of_another_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="QA_PIXEL is not a Level-2 raster"):
        read_source(str(landsat(tmp_path, dtype="uint8")))
    shutil.rmtree(tmp_path / LANDSAT)
    home = landsat(tmp_path)
    (home / f"{LANDSAT}_SR_B4.TIF").unlink()
    with pytest.raises(MissingBandError, match="no bands of surface reflectance"):
        read_source(str(home))


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated Level-1C product whose metadata is rewritten as Level 2A has it, with copies of bands at 20 m."""
    folder = tmp_path_factory.mktemp("safe")
    simulate(kind="sentinel2", folder=folder, size=60, truth=False)
    (level1,) = (folder / "scenes").glob("*.SAFE")
    home = folder / level1.name.replace("MSIL1C", "MSIL2A")
    shutil.copytree(level1, home)
    for path in home.rglob("*.xml"):
        text = (
            path.read_text(encoding="utf-8")
            .replace("Level-1C", "Level-2A")
            .replace("MSIL1C", "MSIL2A")
            .replace("S2MSI1C", "S2MSI2A")
        )
        text = text.replace("RADIO_ADD_OFFSET", "BOA_ADD_OFFSET").replace("_L1C_", "_L2A_")
        path.write_text(text, encoding="utf-8")
        path.rename(path.with_name(path.name.replace("MSIL1C", "MSIL2A")))
    (images,) = home.rglob("IMG_DATA")
    for path in sorted(images.glob("*.jp2")):
        native = path.stem.rpartition("_")[2]
        metres = {"B02": 10, "B03": 10, "B04": 10, "B08": 10, "B01": 60, "B09": 60, "B10": 60}.get(native, 20)
        for coarse in (metres, 60):
            place = images / f"R{coarse}m"
            place.mkdir(exist_ok=True)
            # The copy says 60 m; what the file holds does not matter to the choice.
            shutil.copy(path, place / f"{path.stem}_{coarse}m.jp2")
        path.unlink()
    first = next((images / "R20m").iterdir())
    write_raster(
        images / "R20m" / f"{first.stem.rpartition('_B')[0]}_SCL_20m.tif", np.full((30, 30), 4, dtype=np.uint8), left=600_000.0,
        top=5_000_000.0, pixel=20.0, epsg=32633,
    )  # fmt: skip
    return home


def test_a_safe_of_level_2a_has_the_bands_of_its_own_sampling_its_offset_and_its_mask(safe: Path) -> None:
    level1 = read_scene(str(next((safe.parent / "scenes").glob("*.SAFE"))))
    source = read_source(str(safe))
    assert source.assets[MASK].calibration == Quality(scheme="sentinel2-scl")
    assert source.assets["red"].href.endswith("_B04_10m.jp2")
    assert (source.assets["red"].band.resolution_m, source.assets["swir16"].band.resolution_m) == (10.0, 20.0)
    offset = level1.assets["red"].calibration.offset  # type: ignore[union-attr]
    assert offset == pytest.approx(-0.1), "the simulator's baseline has one"
    assert source.assets["red"].calibration == Reflectance(gain=1e-4, offset=offset, sun_normalised=True)
    assert source.acquisition.startswith(f"{level1.platform} MGRS-")
    assert list(discover([str(safe)], scratch=str(safe.parent / "scratch"))) == [str(safe)]


def test_a_safe_without_its_offsets_or_of_level_1_is_refused(safe: Path, tmp_path: Path) -> None:
    level1 = next((safe.parent / "scenes").glob("*.SAFE"))
    with pytest.raises(MetadataError, match=r"a composite is made of surface reflectance.*Level 1C"):
        read_source(str(level1))
    bare = tmp_path / safe.name
    shutil.copytree(safe, bare)
    product = bare / "MTD_MSIL2A.xml"
    product.write_text(product.read_text(encoding="utf-8").replace("BOA_ADD_OFFSET", "OTHER"), encoding="utf-8")
    with pytest.raises(MetadataError, match="the radiometric offsets are missing"):
        read_source(str(bare))


def aws_tile(safe: Path, home: Path, *, with_product: bool = True) -> Path:
    """The same product as the public bucket has its tile: ``R10m/B04.jp2`` beside ``metadata.xml`` and ``tileInfo.json``."""
    home.mkdir()
    (tile,) = safe.rglob("MTD_TL.xml")
    shutil.copy(tile, home / "metadata.xml")
    if with_product:
        shutil.copy(safe / "MTD_MSIL2A.xml", home / "product_metadata.xml")
    told = {"timestamp": "2024-08-06T10:20:31.024Z", "productName": safe.name.removesuffix(".SAFE"), "cloudyPixelPercentage": 6.0}
    (home / "tileInfo.json").write_text(json.dumps(told), encoding="utf-8")
    for path in safe.rglob("IMG_DATA/R*/*"):
        native, metres = path.stem.split("_")[-2:]
        place = home / f"R{metres}"
        place.mkdir(exist_ok=True)
        shutil.copy(path, place / f"{native}{path.suffix}")
    return home


def test_a_tile_of_the_aws_layout_is_the_same_source_as_its_safe(safe: Path, tmp_path: Path) -> None:
    home = aws_tile(safe, tmp_path / "0")
    assert list(discover([str(home)], scratch=str(tmp_path / "scratch"))) == [str(home)]
    tile, whole = read_source(str(home)), read_source(str(safe))
    assert tile.assets.keys() == whole.assets.keys()
    assert {n: (a.calibration, a.band, a.grid, a.digest) for n, a in tile.assets.items()} == {
        n: (a.calibration, a.band, a.grid, a.digest) for n, a in whole.assets.items()
    }
    assert tile.assets["red"].href.endswith("R10m/B04.jp2")
    assert (tile.acquisition, tile.processed) == (whole.acquisition, whole.processed)
    bare = aws_tile(safe, tmp_path / "1", with_product=False)
    with pytest.raises(MetadataError, match="the radiometric offsets are missing"):
        read_source(str(bare))
