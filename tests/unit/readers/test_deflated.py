"""Blocks read past GDAL: the same pixels as by GDAL, and nothing but what GDAL would make of it from a damaged file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.readers.deflated import DeflatedBand

HEIGHT, WIDTH = 700, 333


def _pixels(dtype: str, *, count: int = 1) -> NDArray[Any]:
    rng = np.random.default_rng(1)
    info = np.iinfo(dtype)
    waves = np.cumsum(rng.integers(-9, 10, (count, HEIGHT, WIDTH)), axis=-1) * 40
    return np.clip(waves, info.min, info.max).astype(dtype)


def _written(path: Path, pixels: NDArray[Any], **changes: Any) -> Path:
    profile = {
        "driver": "GTiff", "height": HEIGHT, "width": WIDTH, "count": len(pixels), "dtype": pixels.dtype, "compress": "DEFLATE",
        "predictor": 2, "tiled": True, "blockxsize": 128, "blockysize": 128, "crs": "EPSG:32633",
        "transform": rasterio.Affine(10, 0, 0, 0, -10, 0), "interleave": "band",
    }  # fmt: skip
    with rasterio.open(path, "w", **{**profile, **changes}) as dataset:
        dataset.write(pixels)
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("predictor", [1, 2])
def test_windows_down_the_scene_equal_gdals(dtype: str, predictor: int, tmp_path: Path) -> None:
    pixels = _pixels(dtype, count=2)
    with rasterio.open(_written(tmp_path / "a.tif", pixels, predictor=predictor)) as dataset:
        for index in (1, 2):
            band = DeflatedBand.of(dataset, index)
            assert band is not None
            for start in range(0, HEIGHT, 100):
                stop = min(start + 120, HEIGHT)
                np.testing.assert_array_equal(band.read(max(start - 20, 0), stop), pixels[index - 1, max(start - 20, 0) : stop])
            band.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[Any]]:
    pixels = _pixels("uint16")
    return _written(tmp_path_factory.mktemp("deflated") / "a.tif", pixels), pixels[0]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.integers(1, 300)), min_size=1, max_size=6))
def test_any_windows_in_any_order_equal_gdals(whole: tuple[Path, NDArray[Any]], windows: list[tuple[int, int]]) -> None:
    path, pixels = whole
    with rasterio.open(path) as dataset:
        band = DeflatedBand.of(dataset, 1)
        assert band is not None
        for start, rows in windows:
            stop = min(start + rows, HEIGHT)
            np.testing.assert_array_equal(band.read(start, stop), pixels[start:stop])
        assert band.read(0, HEIGHT + 1) is None
        band.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"compress": "LZW"},
        {"tiled": False},
        {"interleave": "pixel"},
        {"endianness": "BIG"},
        {"dtype": "float32", "predictor": 3},
        {"dtype": "uint8", "nbits": 4, "predictor": 1},
    ],
)
def test_other_layouts_are_left_to_gdal(changes: dict[str, Any], tmp_path: Path) -> None:
    pixels = np.clip(_pixels("uint8", count=2), 0, 15).astype(changes.get("dtype", "uint16"))
    with rasterio.open(_written(tmp_path / "a.tif", pixels, **changes)) as dataset:
        assert DeflatedBand.of(dataset, 1) is None


def test_absent_blocks_are_left_to_gdal(tmp_path: Path) -> None:
    with rasterio.open(_written(tmp_path / "a.tif", np.zeros((1, HEIGHT, WIDTH), np.uint16), sparse_ok=True)) as dataset:
        band = DeflatedBand.of(dataset, 1)
        assert band is not None
        assert band.read(0, 10) is None
        band.close()


@pytest.mark.parametrize("damage", ["flipped", "truncated", "other size"])
def test_damaged_blocks_are_left_to_gdal(damage: str, whole: tuple[Path, NDArray[Any]], tmp_path: Path) -> None:
    data = bytearray(whole[0].read_bytes())
    with rasterio.open(whole[0]) as dataset:
        offset, size = (int(dataset.get_tag_item(f"BLOCK_{n}_0_0", "TIFF", bidx=1)) for n in ("OFFSET", "SIZE"))
    if damage == "flipped":
        data[offset + size // 2] ^= 0x55
    elif damage == "other size":
        other = _written(tmp_path / "small.tif", _pixels("uint16"), blockxsize=64, blockysize=64).read_bytes()
        with rasterio.open(tmp_path / "small.tif") as dataset:
            at, length = (int(dataset.get_tag_item(f"BLOCK_{n}_0_0", "TIFF", bidx=1)) for n in ("OFFSET", "SIZE"))
        data[offset : offset + length] = other[at : at + length]
    (tmp_path / "b.tif").write_bytes(data)
    with rasterio.open(tmp_path / "b.tif") as dataset:
        band = DeflatedBand.of(dataset, 1)
        assert band is not None
        if damage == "truncated":
            (tmp_path / "b.tif").write_bytes(data[: offset + size // 2])
        assert band.read(0, 10) is None
        band.close()
