"""Sources of every kind in one stack: each by its own scale, offset, nodata, type and mask; and what cannot be a source."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.stacks import CLOUD, JUDGED, Date, write_product, write_raster

from swath.composites.plan import plan, tiling_for, usable
from swath.errors import ConfigError
from swath.grid import Window
from swath.readers.pixels.bands import BandReader
from swath.readers.sources import read_source
from swath.source import Source
from swath.stack.layers import reduced
from swath.stack.periods import periods_of
from swath.stack.reading import TileReader
from swath.stack.recipe import CompositeRecipe, GridRule
from swath.stack.spool import Spool

SIZE = (40, 50)
LEFT, TOP, PIXEL = 600_000.0, 5_000_010.0, 30.0
RECIPE = CompositeRecipe(
    name="m", title="M", version=1, reducer="median", bands=("red",), flags=("cloud", "shadow", "cirrus"),
    grid=GridRule(crs="EPSG:32633", resolution=PIXEL, origin=(LEFT, TOP), tile_px=512),
)  # fmt: skip
Values = NDArray[np.float64]


def item(folder: Path, *, item_id: str, band: dict[str, Any], mask: str, numbers: dict[str, NDArray[Any]], **said: Any) -> Source:
    """An item of others with one band and a mask."""
    home = folder / item_id
    home.mkdir()
    assets: dict[str, Any] = {"red": {"eo:bands": [{"name": "red", "common_name": "red"}], "raster:bands": [band]}, mask: {}}
    for key, values in numbers.items():
        write_raster(home / f"{key}.tif", values, left=LEFT, top=TOP, pixel=PIXEL, epsg=32633)
        assets[key] |= {"href": f"./{key}.tif", "type": "image/tiff; application=geotiff"}
    properties = {"datetime": "2024-05-01T10:30:00Z", **said}
    record = {"type": "Feature", "stac_version": "1.0.0", "id": item_id, "links": [], "properties": properties, "assets": assets}
    path = home / "item.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return read_source(str(path))


def mixed(folder: Path) -> tuple[list[Source], Values]:
    """Four sources, and what each shows of the ground [reflectance], (source, y, x), NaN where it may not be used."""
    random = np.random.default_rng(5)
    cloudy = random.random((4, *SIZE)) < 0.3
    empty = random.random((4, *SIZE)) < 0.1
    day = datetime(2024, 3, 1, tzinfo=UTC)
    own = random.integers(-500, 9000, SIZE).astype(np.int16)
    product = Date(
        reflectance={"red": np.where(empty[0], -9999, own).astype(np.int16)},
        qa=np.where(cloudy[0], CLOUD, JUDGED).astype(np.uint16),
        day=day, name="own", left=LEFT, top=TOP,
    )  # fmt: skip
    usgs = random.integers(7273, 43_636, SIZE).astype(np.uint16)
    landsat = item(
        folder, item_id="LC08_L2SP_190030_20240501_20240510_02_T1", band={"scale": 2.75e-05, "offset": -0.2, "nodata": 0},
        mask="qa_pixel",
        # Clear, and cloud of high confidence (LSDS-1618).
        numbers={"red": np.where(empty[1], 0, usgs), "qa_pixel": np.where(cloudy[1], 22_280, 21_824).astype(np.uint16)},
        platform="landsat-8", instruments=["oli"], **{"landsat:correction": "L2SP", "landsat:collection_number": "02"},
    )  # fmt: skip
    esa = random.integers(900, 12_000, SIZE).astype(np.uint16)
    sentinel = item(
        folder, item_id="S2A_33TVM_20240501_0_L2A", band={"scale": 0.0001, "offset": -0.1, "nodata": 0}, mask="scl",
        numbers={"red": np.where(empty[2], 0, esa), "scl": np.where(cloudy[2], 9, 4).astype(np.uint8)},
        platform="sentinel-2a", instruments=["msi"], **{"s2:processing_baseline": "05.10", "grid:code": "MGRS-33TVM"},
    )  # fmt: skip
    nasa = random.integers(-300, 9000, SIZE).astype(np.int16)
    hls = item(
        folder, item_id="HLS.L30.T33TVM.2024122T095000.v2.0", band={}, mask="Fmask",
        # Low aerosol (bits 6 and 7), and cloud (bit 1); 255 is fill.
        numbers={"red": np.where(empty[3], -9999, nasa).astype(np.int16), "Fmask": np.where(cloudy[3], 66, 64).astype(np.uint8)},
        platform="landsat-8", instruments=["oli"],
    )  # fmt: skip
    sources = [read_source(str(write_product(product, folder))), landsat, sentinel, hls]
    seen = np.stack([own * 1e-4, usgs * 2.75e-05 - 0.2, (esa.astype(np.float64) - 1000.0) * 1e-4, nasa * 1e-4])
    return sources, np.where(cloudy | empty, np.nan, seen)


def stacked(sources: list[Source], recipe: CompositeRecipe, scratch: Path) -> dict[str, NDArray[np.floating]]:
    """The composite of a tile's first pixels."""
    (composite,) = plan(
        sources, recipe=recipe, periods=periods_of("2024"), area=None, tiling=tiling_for(recipe, sources)
    ).composites
    window = Window(0, 0, *SIZE)
    with BandReader() as reader, Spool(window, channels=1, sources=len(sources), memory_mb=64, scratch=scratch) as spool:
        tile = TileReader(recipe=recipe, grid=composite.grid, reader=reader)
        for source in composite.sources:
            spool.put(tile.read(source, window))
        (piece,) = spool.pieces()
    numbers = list(piece.present)
    return reduced(recipe, piece.stack, days=[composite.days[n] for n in numbers], numbers=numbers)


def test_sources_of_different_scale_offset_nodata_type_and_mask_make_one_median(tmp_path: Path) -> None:
    sources, seen = mixed(tmp_path)
    kinds = {(s.assets["red"].dtype, s.assets["red"].nodata, s.assets["red"].calibration.offset) for s in sources}  # type: ignore[union-attr]
    assert len(kinds) == 4 - 1, "two have one type and nodata, and different masks"
    found = stacked(sources, RECIPE, tmp_path)
    count = np.isfinite(seen).sum(axis=0)
    assert np.array_equal(found["count"], count)
    some = count > 0
    with np.errstate(all="ignore"):
        expected = np.nanmedian(np.where(some, seen, 0.0), axis=0)
    np.testing.assert_allclose(found["red"][some], expected[some], rtol=0, atol=1e-7)
    assert np.isnan(found["red"][~some]).all()


def test_all_pixels_cloudy_are_nodata_with_count_0(tmp_path: Path) -> None:
    shape = (30, 30)
    date = Date(
        reflectance={"red": np.full(shape, 1000, dtype=np.int16)}, qa=np.full(shape, CLOUD, dtype=np.uint16),
        day=datetime(2024, 5, 1, tzinfo=UTC), name="cloudy", left=LEFT, top=TOP,
    )  # fmt: skip
    found = stacked([read_source(str(write_product(date, tmp_path)))], RECIPE, tmp_path)
    assert not found["count"].any()
    assert np.isnan(found["red"]).all()


def test_an_item_without_its_mask_or_a_band_is_left_out_and_says_why(tmp_path: Path) -> None:
    sources, _ = mixed(tmp_path)
    bare = replace(sources[1], assets={"red": sources[1].assets["red"]})
    why = usable(bare, recipe=RECIPE)
    assert why is not None
    assert "the item has no mask; expected qa of swath, qa_pixel, SCL or Fmask; got none" in why.message
    assert usable(bare, recipe=replace(RECIPE, flags=None)) is None, "masks are not looked at"
    missing = usable(sources[1], recipe=replace(RECIPE, bands=("red", "nir08")))
    assert missing is not None
    assert "a band is missing; expected red, nir08; got red" in missing.message


def test_periods_and_areas_without_a_source_plan_nothing_and_no_source_at_all_is_refused(tmp_path: Path) -> None:
    sources, _ = mixed(tmp_path)
    tiling = tiling_for(RECIPE, sources)
    none = plan(sources, recipe=RECIPE, periods=periods_of("2021"), area=None, tiling=tiling)
    assert (none.composites, none.outside) == ([], len(sources))
    far = {"type": "Polygon", "coordinates": [[[-60, -30], [-59, -30], [-59, -29], [-60, -30]]]}
    assert plan(sources, recipe=RECIPE, periods=periods_of("2024"), area=far, tiling=tiling).composites == []
    with pytest.raises(ConfigError, match="none of the inputs can be a source"):
        tiling_for(RECIPE, [])


def test_a_withdrawn_a_new_and_a_reprocessed_source_change_the_key_and_a_moved_one_does_not(tmp_path: Path) -> None:
    sources, _ = mixed(tmp_path)

    def key(given: list[Source]) -> str:
        planned = plan(given, recipe=RECIPE, periods=periods_of("2024"), area=None, tiling=tiling_for(RECIPE, given))
        return planned.composites[0].product_key

    red = sources[0].assets["red"]
    changed = replace(sources[0], assets={**sources[0].assets, "red": replace(red, digest="0" * 64)})
    moved = replace(
        sources[0], source_href="/elsewhere.json", assets={n: replace(a, href="/x.tif") for n, a in sources[0].assets.items()}
    )
    newer = replace(changed, processed=(datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=1)).isoformat())
    assert len({key(sources), key(sources[1:]), key([changed, *sources[1:]])}) == 3
    assert key([moved, *sources[1:]]) == key(sources[::-1]) == key(sources)
    assert key([*sources, newer]) == key([changed, *sources[1:]]), "the newest version of an acquisition counts"
