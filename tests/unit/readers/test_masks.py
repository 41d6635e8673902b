"""Validity that is not a number: every kind of mask, in every layout, against what GDAL says; whole numbers kept as floats."""

import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from swath.errors import ReadError
from swath.grid import Grid, Window
from swath.readers.pixels.bands import BandReader
from swath.readers.pixels.delivered import dn_type, stored_of
from swath.readers.pixels.header import gdal_href, inspect
from swath.readers.pixels.mask_blocks import mask_of
from swath.scene import Angles, Asset, Band, Quality, Reflectance, Scene

GRID = Grid(crs="EPSG:32633", left=0.0, top=0.0, dx=10.0, dy=10.0, width=300, height=200)
PIXELS = np.random.default_rng(0).integers(0, 12, (200, 300)).astype(np.uint16)
#: Ragged, so that no block is all of one kind.
THERE = (np.add.outer(np.arange(200) // 7, np.arange(300) // 5) % 3) != 0
LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {},
    "tiles": {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "LZW"},
    "deflated": {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "DEFLATE", "interleave": "BAND"},
}
KINDS = ("internal", "sidecar", "alpha")
WINDOWS = [Window(row, col, min(90, 200 - row), min(130, 300 - col)) for row in (0, 90, 180) for col in (0, 130, 260)]


def _write(path: Path, kind: str, *, nodata: float | None = None, values: NDArray[Any] = PIXELS, **layout: Any) -> str:
    count = 2 if kind == "alpha" else 1
    profile = {"driver": "GTiff", "height": 200, "width": 300, "count": count, "dtype": values.dtype, "crs": GRID.crs}
    options = {"GDAL_TIFF_INTERNAL_MASK": kind == "internal"}
    with (
        rasterio.Env(**options),
        rasterio.open(path, "w", **profile, nodata=nodata, transform=rasterio.Affine(*GRID.transform), **layout) as dataset,
    ):
        if kind == "alpha":
            dataset.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
        dataset.write(values, 1)
        if kind == "alpha":
            dataset.write((THERE * 255).astype(values.dtype), 2)
        elif kind != "none":
            dataset.write_mask(THERE)
    return gdal_href(str(path))


def _scene(href: str, **changes: Any) -> Scene:
    header = inspect(href)
    asset = Asset(
        band=Band(name="red", native_id="B4", resolution_m=10.0), href=href, grid=GRID, dtype=header.dtype, nodata=None,
        saturated=None, calibration=Reflectance(gain=1.0, offset=0.0, sun_normalised=True), digest="0" * 64, mask=header.mask,
    )  # fmt: skip
    return Scene(
        scene_id="S1", platform="p", instrument="i", family="f", acquired=datetime(2024, 1, 1, tzinfo=UTC),
        assets={"red": replace(asset, **changes)}, angles=Angles(sun_elevation_deg=45.0, sun_azimuth_deg=1.0), reader="t",
        source_href="", metadata_href="", digest="d",
    )  # fmt: skip


def _read(scene: Scene) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The whole scene, window by window across, then down, as a run reads it."""
    values, valid = np.zeros((200, 300), dtype=scene.assets["red"].dtype), np.zeros((200, 300), dtype=np.bool_)
    with BandReader() as reader:
        for window in WINDOWS:
            layer = reader.read(scene, "red", window)
            values[GRID.window.slices_of(window)], valid[GRID.window.slices_of(window)] = layer.values, layer.usable
    return values, valid


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_says_where_there_is_data(tmp_path: Path, kind: str, layout: str) -> None:
    scene = _scene(_write(tmp_path / "a.tif", kind, **LAYOUTS[layout]))
    mask = scene.assets["red"].mask
    assert mask is not None
    assert mask.kind == kind
    values, valid = _read(Scene.from_json(scene.to_json()))
    np.testing.assert_array_equal(valid, THERE)
    np.testing.assert_array_equal(values, PIXELS)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        np.testing.assert_array_equal(valid, dataset.dataset_mask() > 0)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_beside_a_nodata_number_joins_it(tmp_path: Path, kind: str, layout: str) -> None:
    scene = _scene(_write(tmp_path / "a.tif", kind, nodata=0, **LAYOUTS[layout]), nodata=0)
    values, valid = _read(scene)
    np.testing.assert_array_equal(valid, THERE & (PIXELS != 0))
    # Tables of DN know nodata by its number alone.
    np.testing.assert_array_equal(values, np.where(valid, PIXELS, 0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("nodata", [None, 0])
def test_a_file_without_a_mask_has_none_and_none_is_read(
    tmp_path: Path, layout: str, nodata: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = _scene(_write(tmp_path / "a.tif", "none", nodata=nodata, **LAYOUTS[layout]), nodata=nodata)
    assert scene.assets["red"].mask is None
    asked: list[Any] = []
    monkeypatch.setattr("swath.readers.pixels.bands.mask_of", lambda *given: asked.append(given))
    expected = np.ones_like(THERE) if nodata is None else np.not_equal(PIXELS, nodata)
    np.testing.assert_array_equal(_read(scene)[1], expected)
    assert not asked


def test_a_block_of_a_mask_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, seen, own = _scene(_write(tmp_path / "a.tif", "internal", **LAYOUTS["deflated"])), [], mask_of

    def counted(dataset: Any, index: int, window: Window) -> Any:
        seen.append(window)
        return own(dataset, index, window)

    monkeypatch.setattr("swath.readers.pixels.bands.mask_of", counted)
    _read(scene)
    blocks = [(w.row, col) for w in seen for col in range(w.col, w.col_stop, 64)]
    assert len(blocks) == len(set(blocks)) == 4 * 5


def test_a_mask_in_a_zip_and_the_digest_of_a_sidecar(tmp_path: Path) -> None:
    _write(tmp_path / "a.tif", "sidecar")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a.tif", "a.tif.msk"):
            archive.write(tmp_path / name, f"in/{name}")
    scene = _scene(gdal_href(str(tmp_path / "a.zip"), member="in/a.tif"))
    np.testing.assert_array_equal(_read(scene)[1], THERE)
    asset = scene.assets["red"]
    assert set(asset.digests) == {"", ".msk"}
    assert asset.digests[".msk"] == inspect(gdal_href(str(tmp_path / "a.tif"))).mask.digest  # type: ignore[union-attr]


def test_a_mask_of_another_raster_is_refused(tmp_path: Path) -> None:
    scene = _scene(_write(tmp_path / "a.tif", "sidecar"))
    profile = {"driver": "GTiff", "height": 3, "width": 3, "count": 1, "dtype": "uint8", "crs": GRID.crs}
    with rasterio.open(tmp_path / "a.tif.msk", "w", **profile, transform=rasterio.Affine(*GRID.transform)) as dataset:
        dataset.write(np.ones((3, 3), dtype=np.uint8), 1)
    with pytest.raises(ReadError, match=r"a mask does not match the raster beside it: expected 300 x 200; got .* of 3 x 3"):
        _read(scene)


def test_a_quality_band_without_data_is_fill(tmp_path: Path) -> None:
    for scheme, fill in (("landsat-c2-qa-pixel", 1), ("landsat-c1-bqa", 1), ("landsat-pre-bqa", 1), ("landsat-c2-qa-radsat", 0)):
        scene = _scene(_write(tmp_path / "a.tif", "internal"), calibration=Quality(scheme=scheme))  # type: ignore[arg-type]
        np.testing.assert_array_equal(_read(scene)[0], np.where(THERE, PIXELS, fill))


@pytest.mark.parametrize("layout", ["strips", "tiles"])
@pytest.mark.parametrize(
    ("dtype", "hole", "nodata"),
    [
        ("float32", np.nan, np.nan),
        ("float64", np.nan, None),
        ("float32", -3.4e38, -3.4e38),
        ("float64", -9999, -9999),
        ("float32", 0, None),
        ("float32", np.inf, None),
        ("int32", -2147483648, -2147483648),
        ("uint32", 4294967295, 4294967295),
        ("uint16", 65535, 65535),
    ],
)
def test_whole_numbers_in_another_type_are_dn(tmp_path: Path, dtype: str, hole: float, nodata: float | None, layout: str) -> None:
    values = np.where(THERE, PIXELS.astype(dtype), np.dtype(dtype).type(hole))
    href = _write(tmp_path / "a.tif", "none", nodata=nodata, values=values, **LAYOUTS[layout])
    header = inspect(href)
    own = dn_type(header, nodata=None)
    assert own == "uint16"
    scene = _scene(href, dtype=own, nodata=0, stored=stored_of(header, dtype=own))
    dn, valid = _read(Scene.from_json(scene.to_json()))
    assert dn.dtype == np.uint16
    np.testing.assert_array_equal(dn, np.where(THERE, PIXELS, 0))
    np.testing.assert_array_equal(valid, THERE & (PIXELS != 0))


@pytest.mark.parametrize("wrong", [0.5, -1.0, 65536.0])
def test_other_numbers_are_refused_by_name(tmp_path: Path, wrong: float) -> None:
    values = PIXELS.astype(np.float32)
    values[150, 200] = wrong
    href = _write(tmp_path / "a.tif", "none", values=values)
    scene = _scene(href, dtype="uint16", nodata=0, stored=stored_of(inspect(href), dtype="uint16"))
    match = rf"S1: band red \(B4\) does not hold digital numbers: expected whole numbers of 0 to 65535.*got {wrong:g} \(float32\)"
    with pytest.raises(ReadError, match=match):
        _read(scene)


def test_signed_dn_are_told_by_their_nodata(tmp_path: Path) -> None:
    header = inspect(_write(tmp_path / "a.tif", "none", values=PIXELS.astype(np.float32)))
    assert dn_type(header, nodata=-9999) == "int16"
    assert dn_type(header, nodata=-3.4e38) == "uint16"
    assert dn_type(replace(header, dtype="complex64"), nodata=None) is None
