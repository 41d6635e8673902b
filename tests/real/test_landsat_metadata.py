"""Every Landsat metadata file that we have, against what their owners say of them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from swath.errors import MetadataError, UnsupportedSensorError
from swath.readers.landsat.mtl import Mtl, read_mtl
from swath.readers.landsat.scene import read_scene

pytestmark = pytest.mark.real

FILES = 54
FOLDERS = {"mss", "tm", "etm", "oli-tirs"}
TIMES = {
    # stactools-landsat and eodatasets print the scene centre of these
    "LC08_L1TP_092084_20201029_20201106_02_T1_MTL.txt": "2020-10-29T00:02:59.026835+00:00",
    "LC80400282014193LGN00_MTL.txt": "2014-07-12T18:18:49.957693+00:00",
    "L71090081_08120090415_MTL.txt": "2009-04-15T23:39:26.931462+00:00",
}


def _all(scenes: Path) -> list[Path]:
    return sorted(p for p in scenes.rglob("*") if p.is_file() and p.stem.upper().endswith("_MTL"))


def test_all_metadata_files_parse(scenes: Path) -> None:
    files = _all(scenes)
    assert len(files) >= FILES
    for path in files:
        mtl = read_mtl(str(path))
        assert 1 <= mtl.spacecraft <= 9, path
        assert mtl.acquired.year >= 1972, path
        assert any(b.radiance for b in mtl.bands.values()), path
        assert all(0 < b.radiance.gain < 10 for b in mtl.bands.values() if b.radiance), path


@pytest.mark.parametrize("name", TIMES)
def test_the_scene_centre_is_the_known_one(scenes: Path, name: str) -> None:
    (path,) = scenes.rglob(name)
    assert read_mtl(str(path)).acquired == datetime.fromisoformat(TIMES[name])


def test_text_json_and_xml_of_one_product_say_the_same(scenes: Path) -> None:
    spellings: dict[str, list[Mtl]] = {}
    for path in _all(scenes):
        if "stactools_landsat" in str(path) or "LC08_L1TP_092084" in path.name:
            spellings.setdefault(path.stem, []).append(read_mtl(str(path)))
    several = [mtls for mtls in spellings.values() if len(mtls) > 1]
    assert len(several) >= 5
    for first, *others in several:
        assert all(other == first for other in others)


def test_gains_computed_from_ranges_agree_with_the_later_processing(scenes: Path) -> None:
    # the same two acquisitions, processed in 2012 (LMAX/LMIN) and after 2014 (RADIANCE_MULT); USGS changed no range of L7
    old = read_mtl(str(scenes / "wagl/mtl/L71090081_08120090415_MTL.txt"))
    new = read_mtl(str(scenes / "wagl/mtl/LE70900812009105ASA00_MTL.txt"))
    assert old.acquired == new.acquired
    for native_id, band in old.bands.items():
        mine, theirs = band.radiance, new.bands[native_id].radiance
        assert mine is not None
        assert theirs is not None
        assert (mine.gain, mine.offset) == pytest.approx((theirs.gain, theirs.offset), abs=1e-4)


def test_the_values_of_stac_items_are_those_of_the_metadata(scenes: Path) -> None:
    records = sorted((scenes / "stactools_landsat/examples").glob("*/*/L*.json"))
    assert len(records) == 9
    for record in records:
        told: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))["properties"]
        (path,) = (p for p in _all(scenes) if _item_id(p) == record.stem and p.suffix == ".xml" and p.parent.name in FOLDERS)
        mtl = read_mtl(str(path))
        assert mtl.acquired == datetime.fromisoformat(told["datetime"])
        assert f"landsat-{mtl.spacecraft}" == told["platform"]
        assert mtl.sun_elevation_deg == told["view:sun_elevation"]
        assert mtl.sun_azimuth_deg % 360 == pytest.approx(told["view:sun_azimuth"], abs=1e-9)
        assert (f"{mtl.wrs_path:03d}", f"{mtl.wrs_row:03d}") == (told["landsat:wrs_path"], told["landsat:wrs_row"])
        assert (mtl.scene_id, mtl.level) == (told["landsat:scene_id"], told["landsat:correction"])
        assert (mtl.collection, mtl.category) == (told["landsat:collection_number"], told["landsat:collection_category"])
        assert (mtl.cloud_cover_percent, mtl.cloud_cover_land_percent) == (
            told["eo:cloud_cover"],
            told["landsat:cloud_cover_land"],
        )


def _item_id(path: Path) -> str:
    """The product id without its processing date, as stactools names items."""
    parts = path.stem.split("_")
    return "_".join((*parts[:4], *parts[5:7])) if len(parts) == 8 else ""


def test_level_2_and_mss_are_refused_with_a_remedy(scenes: Path) -> None:
    folder = scenes / "stactools_landsat/data-files"
    with pytest.raises(MetadataError, match=r"LC08_L2SP_.*not Level 1: .* got L2SP\. Give the Level-1 product"):
        read_scene(str(folder / "assets"))
    mss = next((folder / "mss").glob("LM01*_MTL.xml"))
    with pytest.raises(UnsupportedSensorError, match=r"LM01_.* got MSS of Landsat 1\. Take the scene out"):
        read_scene(str(mss))
