"""Blocks read past GDAL: the same pixels as by GDAL, and nothing but what GDAL would make of it from a damaged file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.grid import Window
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
@pytest.mark.parametrize("halo", [0, 3, 20])
def test_windows_across_and_down_the_scene_equal_gdals(dtype: str, predictor: int, halo: int, tmp_path: Path) -> None:
    pixels = _pixels(dtype, count=2)
    with rasterio.open(_written(tmp_path / "a.tif", pixels, predictor=predictor)) as dataset:
        for index in (1, 2):
            band = DeflatedBand.of(dataset, index)
            assert band is not None
            for row in range(0, HEIGHT, 128):
                for col in range(0, WIDTH, 100):
                    window = Window(row, col, 128, 100).pad(halo).clip(Window(0, 0, HEIGHT, WIDTH))
                    expected = pixels[index - 1, window.row : window.row_stop, window.col : window.col_stop]
                    np.testing.assert_array_equal(band.read(window), expected)
            band.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[Any]]:
    pixels = _pixels("uint16")
    return _written(tmp_path_factory.mktemp("deflated") / "a.tif", pixels), pixels[0]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, 300), st.integers(1, 300)),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_any_windows_in_any_order_equal_gdals(whole: tuple[Path, NDArray[Any]], windows: list[tuple[int, int, int, int]]) -> None:
    path, pixels = whole
    with rasterio.open(path) as dataset:
        band = DeflatedBand.of(dataset, 1)
        assert band is not None
        for asked in windows:
            window = Window(*asked).clip(Window(0, 0, HEIGHT, WIDTH))
            expected = pixels[window.row : window.row_stop, window.col : window.col_stop]
            np.testing.assert_array_equal(band.read(window), expected)
        assert band.read(Window(0, 0, HEIGHT + 1, 1)) is None
        assert band.read(Window(0, WIDTH - 1, 1, 2)) is None
        band.close()


@pytest.mark.parametrize(("halo", "most"), [(0, 0), (2, WIDTH * 64)])
def test_between_rows_of_windows_only_what_the_next_asks_for_is_kept(
    whole: tuple[Path, NDArray[Any]], halo: int, most: int
) -> None:
    with rasterio.open(whole[0]) as dataset:
        band = DeflatedBand.of(dataset, 1)
        assert band is not None
        for row in range(0, 512, 128):
            for col in range(0, WIDTH, 128):
                band.read(Window(row, col, 128, 128).pad(halo).clip(Window(0, 0, HEIGHT, WIDTH)))
            # Blocks at the right edge are as wide as others.
            assert band.kept_pixels <= most * 384 / WIDTH
        band.close()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    data = DeflatedBand._data

    def told(self: DeflatedBand, row: int, column: int) -> bytes | None:
        found.append((row, column))
        return data(self, row, column)

    monkeypatch.setattr(DeflatedBand, "_data", told)
    return found


@pytest.mark.parametrize("tall", [128, 64])
def test_no_block_is_decoded_twice(whole: tuple[Path, NDArray[Any]], decoded: list[tuple[int, int]], tall: int) -> None:
    with rasterio.open(whole[0]) as dataset:
        band = DeflatedBand.of(dataset, 1)
        assert band is not None
        for row in range(0, HEIGHT, tall):
            for col in range(0, WIDTH, 100):
                band.read(Window(row, col, tall, 100).clip(Window(0, 0, HEIGHT, WIDTH)))
        band.close()
    assert sorted(decoded) == [(row, column) for row in range(6) for column in range(3)]


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
        assert band.read(Window(0, 0, 10, WIDTH)) is None
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
        assert band.read(Window(0, 0, 64, WIDTH)) is None
        band.close()
