"""Tiles in the AWS open-data layout."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from swath.errors import MetadataError, MissingBandError
from swath.readers.sentinel2.scene import read_scene
from swath.scene import Reflectance

WriteSafe = Callable[..., Path]


def images_of(safe: Path) -> Path:
    return next(safe.glob("GRANULE/*/IMG_DATA"))


@pytest.fixture
def aws_tile(write_safe: WriteSafe, tmp_path: Path) -> Path:
    safe = write_safe()
    tile = tmp_path / "tile"
    tile.mkdir()
    for image in images_of(safe).iterdir():
        shutil.copy(image, tile / image.name[-7:])
    shutil.copy(next(safe.glob("GRANULE/*/MTD_TL.xml")), tile / "metadata.xml")
    shutil.copy(safe / "MTD_MSIL1C.xml", tile / "product_metadata.xml")
    listing: dict[str, Any] = {"timestamp": "2025-06-01T10:12:13.500Z", "productName": safe.stem}
    (tile / "tileInfo.json").write_text(json.dumps(listing))
    return tile


def test_an_aws_tile_is_the_same_scene_dated_by_the_tile(aws_tile: Path) -> None:
    scene = read_scene(str(aws_tile))
    assert len(scene.assets) == 13
    assert scene.scene_id == "S2C_MSIL1C_20250601T101041_N0511_R022_T32TQM_20250601T120000"
    assert scene.acquired == datetime(2025, 6, 1, 10, 12, 13, 500000, tzinfo=UTC)
    assert isinstance(scene.assets["coastal"].calibration, Reflectance)
    assert scene.assets["coastal"].calibration.offset == -0.1


def test_an_aws_tile_of_baseline_4_needs_the_products_metadata(aws_tile: Path) -> None:
    (aws_tile / "product_metadata.xml").unlink()
    with pytest.raises(MetadataError, match=r"offsets are missing.*product_metadata\.xml"):
        read_scene(str(aws_tile))


def test_an_aws_tile_without_a_product_name_is_named_by_its_tile(aws_tile: Path) -> None:
    (aws_tile / "product_metadata.xml").unlink()
    metadata = aws_tile / "metadata.xml"
    metadata.write_text(metadata.read_text().replace("_N05.11", "_N02.06"))
    (aws_tile / "tileInfo.json").write_text('{"timestamp": "2025-06-01T10:12:13.500Z"}')
    scene = read_scene(str(aws_tile))
    assert scene.scene_id == "S2C_OPER_MSI_L1C_TL_2CPS_20250601T120000_A003901_T32TQM_N02.06"
    assert "10000 DN" in scene.left_out["product_metadata"]


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"timestamp": "yesterday"}'])
def test_broken_json_is_a_metadata_error(aws_tile: Path, text: str) -> None:
    (aws_tile / "tileInfo.json").write_text(text)
    with pytest.raises(MetadataError, match=r"JSON|empty|not a time"):
        read_scene(str(aws_tile))


def test_bands_of_level_2a_beside_those_of_level_1c_do_not_win(aws_tile: Path) -> None:
    expected = read_scene(str(aws_tile)).digest
    for name in ("R10m/B02.jp2", "R10m/B04.jp2", "R20m/B8A.jp2", "R60m/B01.jp2", "preview/B01.jp2", "qi/metadata.xml"):
        (aws_tile / name).parent.mkdir(exist_ok=True)
        (aws_tile / name).write_bytes(b"another file of the same name")
    assert read_scene(str(aws_tile)).digest == expected


def test_bands_in_folders_of_level_2a_alone_are_told_the_layout(aws_tile: Path) -> None:
    (aws_tile / "R10m").mkdir()
    for image in aws_tile.glob("B*.jp2"):
        image.rename(aws_tile / "R10m" / image.name)
    with pytest.raises(
        MissingBandError, match=r"no bands: expected B01 to B12 .* beside tileInfo\.json \(AWS\).* such as R10m/B01\.jp2, in"
    ):
        read_scene(str(aws_tile))
