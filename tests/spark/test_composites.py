"""Composites on Spark: only what is new is made, bad sources are left out and told, and the account balances."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from tests.conftest import Silent
from tests.stacks import CLOUD, JUDGED, Date, write_product

from swath.cli.composite import CompositeOptions, execute
from swath.cli.ledger import retry
from swath.errors import ConfigError
from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import SOURCES
from swath.runs.status import output_status
from swath.stores.registry import open_store
from swath.upkeep.mend import LOST, mend
from swath.upkeep.reconcile import compare

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.slow]
PIPELINE = """
name: small
composite: {reducer: median, bands: [red]}
grid: {tile_px: 512}
"""
Make = Callable[..., "RunSummary"]


def put(folder: Path, name: str, *, month: int, value: int, clear: bool = True, column: int = 0) -> Path:
    """A product of one value in one of two tiles beside each other."""
    shape = (100, 100)
    date = Date(
        reflectance={"red": np.full(shape, value, dtype=np.int16)},
        qa=np.full(shape, JUDGED if clear else CLOUD, dtype=np.uint16),
        day=datetime(2024, month, 5, tzinfo=UTC),
        name=name,
        left=30.0 * (512 * (40 + column) + 10),
        top=30.0 * (512 * 326 - 10),
    )
    return write_product(date, folder)


@pytest.fixture
def make(spark: "SparkSession", tmp_path: Path) -> Make:
    pipeline = tmp_path / "small.yaml"
    pipeline.write_text(PIPELINE, encoding="utf-8")

    def made(**options: Any) -> "RunSummary":
        usual: dict[str, Any] = {"inputs": (str(tmp_path / "in"),), "output": str(tmp_path / "out"), "period": "2024"}
        return execute(CompositeOptions(pipeline=str(pipeline), **{**usual, **options}), told=Silent(), spark=spark)

    return made


def read(output: Path, summary: "RunSummary", *, asset: str) -> list[float]:
    """The value of a composite's ground, for each product."""
    values = []
    for product in summary.products:
        record = next(a for a in product.assets if a.name == asset)
        with rasterio.open((output / product.item).parent / record.href) as source:
            values.append(float(source.read(1)[50, 50]))
    return values


def test_only_tiles_and_periods_with_something_new_are_made(make: Make, spark: "SparkSession", tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    for month, value in ((1, 1000), (2, 3000)):
        put(folder, f"west{month}", month=month, value=value)
        put(folder, f"east{month}", month=month, value=value, column=1)
    first = make(every="6M")
    assert (first.scenes.made, first.scenes.skipped, first.balanced) == (2, 0, True)
    assert read(output, first, asset="red") == [2000.0, 2000.0]
    events = (output / "reports" / f"{first.run_id}.openlineage.jsonl").read_text(encoding="utf-8").splitlines()
    start, complete = map(json.loads, events)
    assert (start["eventType"], complete["eventType"], complete["job"]["name"]) == ("START", "COMPLETE", "composite.small")
    assert complete["outputs"][0]["name"] == f"{output}/collections/small-composite"
    assert make(every="6M").scenes.skipped == 2
    put(folder, "east3", month=3, value=5000, column=1)
    put(folder, "east9", month=9, value=700, column=1)
    third = make(every="6M")
    assert (third.scenes.made, third.scenes.skipped) == (2, 1)
    assert read(output, third, asset="red") == [3000.0, 700.0]
    assert read(output, third, asset="count") == [3.0, 1.0]
    item = json.loads((output / third.products[0].item).read_text(encoding="utf-8"))
    assert item["properties"]["swath:sources"] == ["east1", "east2", "east3"]
    assert [link["title"] for link in item["links"] if link["rel"] == "derived_from"] == ["east1", "east2", "east3"]
    assert (output / "collections" / "small-composite" / "collection.json").is_file()
    (folder / "east9" / "east9.json").unlink()
    put(folder, "west1", month=1, value=2000)
    fourth = make(every="6M")
    assert (fourth.scenes.made, fourth.scenes.skipped) == (1, 1)
    assert read(output, fourth, asset="red") == [2500.0]
    rows = DeltaTables(spark, open_store(str(output))).read("sources", SOURCES).collect()
    assert sum(row["used"] for row in rows) == len(rows) == 2 + 2 + 3 + 1 + 2


def test_bad_sources_are_left_out_and_told_and_refused_when_strict(make: Make, tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    for month in (1, 2, 3):
        put(folder, f"good{month}", month=month, value=1000 * month)
    corrupt = put(folder, "corrupt", month=4, value=9000)
    raster = corrupt.parent / "corrupt.red.tif"
    raster.write_bytes(raster.read_bytes()[:400])
    bare = json.loads(put(folder, "bare", month=5, value=9000).read_text(encoding="utf-8"))
    del bare["assets"]["qa"]
    (folder / "bare" / "bare.json").write_text(json.dumps(bare), encoding="utf-8")
    summary = make()
    assert (summary.scenes.taken_in, summary.scenes.made, summary.scenes.quarantined, summary.balanced) == (2, 1, 1, True)
    assert read(output, summary, asset="red") == [2000.0]
    assert read(output, summary, asset="count") == [3.0]
    told = {q.scene_id: q for q in summary.quarantine}
    assert set(told) == {"corrupt", "bare"}
    assert "no mask" in told["bare"].message
    assert told["corrupt"].error == "read"
    item = json.loads((output / summary.products[0].item).read_text(encoding="utf-8"))
    assert list(item["properties"]["swath:sources_left_out"]) == ["corrupt"]
    with pytest.raises(ConfigError, match=r"1 items cannot be sources \(--strict\): bare"):
        make(strict=True, output=str(tmp_path / "other"))
    (folder / "bare" / "bare.json").unlink()
    strict = make(strict=True, output=str(tmp_path / "other"))
    assert (strict.scenes.made, strict.scenes.quarantined) == (0, 1)
    assert "--strict" in strict.quarantine[-1].message


def test_a_cloudy_period_is_nodata_and_one_without_sources_ends_the_run(make: Make, tmp_path: Path) -> None:
    put(tmp_path / "in", "cloudy", month=1, value=8000, clear=False)
    summary = make()
    assert (summary.scenes.made, summary.balanced) == (1, True)
    assert read(tmp_path / "out", summary, asset="red") == [-9999.0]
    assert read(tmp_path / "out", summary, asset="count") == [0.0]
    assert read(tmp_path / "out", summary, asset="source") == [-1.0]
    with pytest.raises(ConfigError, match="none of 1 sources was acquired from 2023-01-01"):
        make(period="2023")
    with pytest.raises(ConfigError, match="none of 1 sources touches a tile of the area"):
        make(aoi="-60,-30,-59,-29")
    assert make(aoi="15,44,17,46", output=str(tmp_path / "area")).scenes.made == 1


def test_a_retry_makes_again_what_lacks_a_source_or_a_file_and_nothing_else(
    make: Make, spark: "SparkSession", tmp_path: Path
) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    for month in (1, 2):
        put(folder, f"west{month}", month=month, value=1000 * month)
        put(folder, f"east{month}", month=month, value=1000 * month, column=1)
    raster = put(folder, "west3", month=3, value=6000).parent / "west3.red.tif"
    whole = raster.read_bytes()
    raster.write_bytes(whole[:400])
    item = folder / "east2" / "east2.json"
    bare = item.read_text(encoding="utf-8")
    item.write_text(bare.replace('"file:checksum"', '"other"'), encoding="utf-8")
    first = make()
    assert (first.scenes.made, read(output, first, asset="red")) == (2, [1500.0, 1000.0])
    store, tables = open_store(str(output)), DeltaTables(spark, open_store(str(output)))
    standing = {("small", "read"): 1, ("small", "metadata"): 1}
    assert output_status(tables).quarantine == standing
    (again,) = retry(spark, store, errors=("read",), run_id="again", told=Silent())
    assert (again.scenes.made, again.scenes.skipped, again.quarantine[-1].scene_id) == (1, 1, "west3")
    assert output_status(tables).quarantine == standing, "it stands until it is used"
    raster.write_bytes(whole)
    item.write_text(bare, encoding="utf-8")
    (both,) = retry(spark, store, run_id="both", told=Silent())
    assert (both.scenes.made, read(output, both, asset="red")) == (2, [2000.0, 1500.0])
    assert output_status(tables).quarantine == {}
    assert retry(spark, store, run_id="nothing", told=Silent()) == []
    # The newest: files of earlier versions are beside it, and their names come in any order.
    max((output / "products").rglob("*x40y*.red.*.tif"), key=lambda path: path.stat().st_mtime_ns).unlink()
    mend(spark, tables, store, found=compare(tables, store), run_id="mend")
    (lost,) = retry(spark, store, errors=(LOST,), run_id="lost", told=Silent())
    assert (lost.scenes.made, lost.scenes.skipped) == (1, 1)
    # Files of earlier versions are the janitor's.
    assert {f.kind for f in compare(tables, store).findings} == {"orphan-file"}
    assert retry(spark, store, run_id="last", told=Silent()) == []
