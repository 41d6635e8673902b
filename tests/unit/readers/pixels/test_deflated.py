"""Blocks decoded past GDAL: the same pixels as by GDAL, and nothing but what GDAL would make of it from a damaged file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.grid import Window
from swath.readers.pixels.deflated import DeflatedBand
from swath.readers.pixels.kept_blocks import KeptBlocks

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


def _blocks(dataset: rasterio.DatasetReader, band: DeflatedBand) -> KeptBlocks:
    return KeptBlocks(
        (HEIGHT, WIDTH), dataset.block_shapes[0], dtype=np.dtype(dataset.dtypes[0]), decode=band.decode, together=False
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("halo", [0, 3, 20])
def test_windows_across_and_down_the_scene_equal_gdals(dtype: str, predictor: int, halo: int, tmp_path: Path) -> None:
    pixels = _pixels(dtype, count=2)
    with rasterio.open(_written(tmp_path / "a.tif", pixels, predictor=predictor)) as dataset:
        for index in (1, 2):
            band = DeflatedBand.of(dataset, index)
            assert band is not None
            blocks = _blocks(dataset, band)
            for row in range(0, HEIGHT, 128):
                for col in range(0, WIDTH, 100):
                    window = Window(row, col, 128, 100).pad(halo).clip(Window(0, 0, HEIGHT, WIDTH))
                    expected = pixels[index - 1, window.row : window.row_stop, window.col : window.col_stop]
                    np.testing.assert_array_equal(blocks.read(window), expected)
            band.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[Any]]:
    pixels = _pixels("uint16")
    return _written(tmp_path_factory.mktemp("deflated") / "a.tif", pixels), pixels[0]


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
        assert _blocks(dataset, band).read(Window(0, 0, 10, WIDTH)) is None
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
        assert _blocks(dataset, band).read(Window(0, 0, 64, WIDTH)) is None
        band.close()
