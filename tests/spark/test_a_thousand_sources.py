"""One corrupt source among a thousand: it is left out, told and counted, and the product says so; ``--strict`` refuses."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from tests.conftest import Silent
from tests.stacks import JUDGED, Date, write_product

from swath.account import Count
from swath.cli.composite import CompositeOptions, execute
from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import SOURCES
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.long]
MANY, BAD = 1000, 617
PIPELINE = "name: many\ncomposite: {reducer: median, bands: [red]}\ngrid: {tile_px: 512}\n"
Make = Callable[..., "RunSummary"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A thousand dates of 4 x 4 pixels; the value of each is its number, and one file is cut off."""
    for number in range(MANY):
        day = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=8 * number)
        values, qa = np.full((4, 4), number, dtype=np.int16), np.full((4, 4), JUDGED, dtype=np.uint16)
        date = Date(reflectance={"red": values}, qa=qa, day=day, name=f"d{number:04d}", left=614_700.0, top=5_007_060.0)
        write_product(date, tmp_path / "in")
    path = tmp_path / "in" / f"d{BAD:04d}" / f"d{BAD:04d}.red.tif"
    path.write_bytes(path.read_bytes()[:400])
    return tmp_path / "in"


@pytest.fixture
def make(spark: "SparkSession", folder: Path, tmp_path: Path) -> Make:
    (tmp_path / "many.yaml").write_text(PIPELINE, encoding="utf-8")

    def made(output: Path, **options: Any) -> "RunSummary":
        asked = CompositeOptions(
            pipeline=str(tmp_path / "many.yaml"), inputs=(str(folder),), output=str(output), period="2024", **options
        )
        return execute(asked, told=Silent(), spark=spark)

    return made


def test_a_corrupt_source_among_a_thousand_is_left_out_and_told_and_strict_refuses(
    make: Make, spark: "SparkSession", tmp_path: Path
) -> None:
    summary = make(tmp_path / "out")
    assert [(q.scene_id, q.error) for q in summary.quarantine] == [(f"d{BAD:04d}", "read")]
    assert summary.scenes == Count(taken_in=1, made=1)
    assert summary.edges == Count(taken_in=MANY, made=MANY - 1, quarantined=1)
    assert summary.balanced
    (product,) = summary.products
    home = (tmp_path / "out" / product.item).parent
    item = json.loads((tmp_path / "out" / product.item).read_text(encoding="utf-8"))
    assert list(item["properties"]["swath:sources_left_out"]) == [f"d{BAD:04d}"]
    assert len([link for link in item["links"] if link["rel"] == "derived_from"]) == MANY - 1
    found = {}
    for record in product.assets:
        with rasterio.open(home / record.href) as source:
            values = source.read(1)
            found[record.name] = values[values != source.nodata]
    kept = [n for n in range(MANY) if n != BAD]
    assert (found["count"][found["count"] > 0] == MANY - 1).all()
    assert (found["red"] == np.median(kept)).all()
    rows = DeltaTables(spark, open_store(str(tmp_path / "out"))).read("sources", SOURCES).collect()
    assert [r["scene_id"] for r in rows if not r["used"]] == [f"d{BAD:04d}"]
    assert len(rows) == MANY
    strict = make(tmp_path / "strict", strict=True)
    assert (strict.scenes, strict.products) == (Count(taken_in=1, quarantined=1), ())
    assert f"d{BAD:04d}" in strict.quarantine[-1].message
    assert "--strict" in strict.quarantine[-1].message
