"""An adopted file has the record that its maker had, or is not adopted."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from swath.engine.adopt import adopt
from swath.product import PROBABILITY, REFLECTANCE, TEMPERATURE, Category, Encoding, Statistics, Tally, bit_field, class_map
from swath.stores.local import LocalStore

CATEGORY = Category(value=1, name="a", title="A")
ENCODINGS = {"sr": REFLECTANCE, "bt": TEMPERATURE, "p": PROBABILITY, "map": class_map((CATEGORY,)), "qa": bit_field((CATEGORY,))}


def published(folder: Path, encoding: Encoding, *, seed: int, clamped: int = 0) -> tuple[dict[str, Any], Statistics]:
    """A file with random values, the item that names it, and its statistics."""
    random = np.random.default_rng(seed)
    kind = np.iinfo(encoding.dtype)
    values = random.integers(kind.min, kind.max, (700, 40), dtype=encoding.dtype, endpoint=True)
    if encoding.nodata is not None:
        values[random.random(values.shape) < 0.3] = encoding.nodata
    (folder / "p").mkdir(parents=True, exist_ok=True)
    path = folder / "p" / "x.tif"
    profile = {"driver": "GTiff", "height": 700, "width": 40, "count": 1, "dtype": encoding.dtype, "nodata": encoding.nodata}
    with rasterio.open(path, "w", **profile, crs="EPSG:32633", transform=rasterio.Affine(10, 0, 0, 0, -10, 0)) as file:
        file.write(values, 1)
    data = path.read_bytes()
    asset: dict[str, Any] = {
        "href": "./x.tif", "data_type": encoding.dtype, "file:size": len(data), "swath:key": "k", "swath:layer": "l:x",
        "file:checksum": f"1220{hashlib.sha256(data).hexdigest()}", "swath:clamped": clamped, "swath:model": "m" * 64,
    }  # fmt: skip
    asset |= {"nodata": encoding.nodata} if encoding.nodata is not None else {}
    asset |= {"classification:bitfields": [{"offset": 1}]} if encoding.bits else {}
    tally = Tally(encoding)
    tally.add(values, clamped=clamped)
    models = [{"name": "m", "version": "3", "digest": "m" * 64}]
    return {"properties": {"swath:models": models}, "assets": {"x": asset}}, tally.statistics()


@pytest.mark.parametrize("kind", ENCODINGS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), clamped=st.integers(0, 99))
def test_an_adopted_record_equals_the_one_that_was_lost(
    tmp_path_factory: pytest.TempPathFactory, kind: str, seed: int, clamped: int
) -> None:
    folder = tmp_path_factory.mktemp("adopt")
    item, statistics = published(folder, ENCODINGS[kind], seed=seed, clamped=clamped)
    (record,) = adopt(item, names=["x"], folder="p", store=LocalStore(folder))
    assert record.statistics == statistics
    assert record.model is not None
    assert (record.href, record.key, record.layer, record.model.version) == ("x.tif", "k", "l:x", "3")


def test_a_file_that_is_not_what_its_item_says_is_not_adopted(tmp_path: Path) -> None:
    item, _ = published(tmp_path, REFLECTANCE, seed=1)
    path = tmp_path / "p" / "x.tif"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert adopt(item, names=["x"], folder="p", store=LocalStore(tmp_path)) == []
    path.write_bytes(data[:-1])
    assert adopt(item, names=["x"], folder="p", store=LocalStore(tmp_path)) == []
    path.unlink()
    assert adopt(item, names=["x"], folder="p", store=LocalStore(tmp_path)) == []
