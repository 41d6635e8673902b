"""What `ard` publishes does not depend on how the work was cut, ordered, or repeated."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from chispa import assert_df_equality
from pyspark.sql import functions as F

from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import PRODUCTS, RUNS, TILES
from swath.runs import wave
from swath.spark.stage import run_stage
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.slow]

#: Everything that a pipeline can ask for: halos, resampling between grids, a model, classes, bits.
PIPELINE = """
name: all
title: Everything
steps: [toa, smac, qa, clouds, {landcover: {model: MODEL}}, ndvi, classes]
assets: {required: [sr, qa, ndvi, classes, landcover], optional: [toa, bt, cloud, landcover_probability]}
"""
#: Copies of a scene below each other: tall enough for several strips, narrow enough to be cheap.
LANDSAT_SIDE, LANDSAT_COPIES = 351, 6
SENTINEL_SIDE, SENTINEL_COPIES = 306, 11


@pytest.fixture(scope="module")
def landsat(tall_scene: Callable[..., Path]) -> Path:
    """A Landsat 9 scene of 2106 rows and an odd number of columns."""
    return tall_scene("landsat9", side=LANDSAT_SIDE, copies=LANDSAT_COPIES)


@pytest.fixture(scope="module")
def sentinel(tall_scene: Callable[..., Path]) -> Path:
    """A Sentinel-2 scene of 3366 rows at 10 m."""
    return tall_scene("sentinel2", side=SENTINEL_SIDE, copies=SENTINEL_COPIES)


@pytest.fixture(scope="module")
def pipeline(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pipeline") / "all.yaml"
    path.write_text(PIPELINE.replace("MODEL", str(small_model)), encoding="utf-8")
    return str(path)


Make = Callable[..., tuple["RunSummary", Path]]


@pytest.fixture(scope="module")
def make(pipeline: str, run_job: Any, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Run the pipeline into an output of its own."""

    def made(*inputs: Path, tile_size: int | None = None) -> tuple["RunSummary", Path]:
        output = tmp_path_factory.mktemp("output")
        summary: RunSummary = run_job(pipeline, *inputs, output=output, tile_size=tile_size)
        assert (summary.scenes.made, summary.balanced) == (len(inputs), True), summary.quarantine
        return summary, output

    return made


def table(spark: "SparkSession", output: Path, *, name: str) -> "DataFrame":
    schema = {"products": PRODUCTS, "tiles": TILES, "runs": RUNS}[name]
    return DeltaTables(spark, open_store(str(output))).read(name, schema)


def assets(spark: "SparkSession", output: Path) -> "DataFrame":
    """Every file of an output: its key, bytes and digest, and its statistics, from the ledger."""
    rows = table(spark, output, name="products")
    files = rows.select("product_id", "product_key", F.explode("assets").alias("asset")).select(
        "product_id", "product_key", "asset.*"
    )
    return files.orderBy("product_id", "name")


def records(spark: "SparkSession", output: Path) -> dict[str, str]:
    """Records of assets as JSON (statistics, histograms), by product."""
    return {r["product_id"]: r["records"] for r in table(spark, output, name="products").collect()}


def sums(spark: "SparkSession", output: Path) -> "DataFrame":
    """Statistics of all strips together."""
    added = [F.sum(n).alias(n) for n in ("count", "valid", "clamped", "total", "squares", "bytes")]
    ends = [F.min("minimum").alias("minimum"), F.max("maximum").alias("maximum")]
    return table(spark, output, name="tiles").groupBy("product_id", "asset").agg(*added, *ends).orderBy("product_id", "asset")


def drift(output: Path) -> dict[str, Any]:
    """What the models of each product were fed and made of it."""
    results = [json.loads(p.read_bytes()) for p in (output / "reports").glob("*.json")]
    return {p["product_id"]: p["drift"] for result in results for p in result["products"]}


def strips(spark: "SparkSession", output: Path) -> int:
    count: int = table(spark, output, name="tiles").select("product_id", "strip").distinct().count()
    return count


@pytest.fixture(scope="module")
def whole(make: Make, landsat: Path, sentinel: Path) -> Path:
    """Both scenes, each in one strip."""
    return make(landsat, sentinel, tile_size=100_000)[1]


@pytest.fixture(scope="module")
def by_2048(make: Make, landsat: Path) -> Path:
    return make(landsat, tile_size=2048)[1]


def test_sentinel2_is_the_same_in_strips_of_3072_rows_and_whole(
    spark: "SparkSession", make: Make, sentinel: Path, whole: Path
) -> None:
    _, cut = make(sentinel, tile_size=3072)
    assert strips(spark, cut) == 2
    of_sentinel = F.col("product_id").startswith("S2")
    expected = assets(spark, whole).filter(of_sentinel)
    assert expected.count() == 31
    assert_df_equality(assets(spark, cut), expected)
    assert_df_equality(sums(spark, cut).drop("bytes"), sums(spark, whole).filter(of_sentinel).drop("bytes"))
    (product,) = records(spark, cut).items()
    assert drift(cut).items() <= drift(whole).items()
    assert product in records(spark, whole).items()


def test_landsat_is_the_same_whole(spark: "SparkSession", whole: Path, by_2048: Path) -> None:
    of_landsat = F.col("product_id").startswith("LC09")
    assert_df_equality(assets(spark, whole).filter(of_landsat), assets(spark, by_2048))
    assert drift(by_2048).items() <= drift(whole).items()


def test_the_maps_say_something(spark: "SparkSession", by_2048: Path) -> None:
    """Equal files prove little when they are empty."""
    rows = {r["asset"]: r for r in sums(spark, by_2048).collect()}
    assert {"landcover", "classes", "ndvi", "cloud", "qa", "red", "lwir11"} <= set(rows)
    for name in ("ndvi", "classes", "landcover", "red"):
        assert rows[name]["valid"] > 0.5 * rows[name]["count"], name
        assert rows[name]["maximum"] > rows[name]["minimum"], name


def test_each_pixel_that_a_model_was_fed_is_counted_once(spark: "SparkSession", by_2048: Path) -> None:
    rows = {r["asset"]: r for r in sums(spark, by_2048).collect()}
    ((told,),) = drift(by_2048).values()
    # Of the band alone: a pixel that lacks another band is counted, too.
    assert {f["layer"]: sum(f["counts"]) for f in told["features"]} == {
        f"sr:{name}": rows[name]["valid"] for name in ("blue", "green", "red", "nir08", "swir16", "swir22")
    }
    assert sum(told["classes"].values()) == told["sure"][1] == rows["landcover"]["valid"]
    assert all(f["psi"] >= 0 and 0 <= f["outside"] <= 1 for f in told["features"])


def shuffled(spark: "SparkSession", requests: Sequence[Any], *, parts: int, **options: Any) -> list[Any]:
    """A stage with its requests in another order, spread over ``parts`` tasks."""
    order = np.random.default_rng(parts).permutation(len(requests)).tolist()
    options |= {"tasks": parts, "groups": None}
    answers = run_stage(spark, [requests[i] for i in order], **options)
    back: Mapping[int, Any] = dict(zip(order, answers, strict=True))
    return [back[i] for i in range(len(requests))]


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def into(parts: int) -> None:
        monkeypatch.setattr(wave, "run_stage", partial(shuffled, parts=parts))

    return into


@pytest.mark.parametrize(("rows", "number", "parts"), [(512, 5, 7), (1024, 3, 1)])
def test_landsat_is_the_same_in_strips_of_any_legal_height_in_any_partitions_and_order_of_tasks(
    spark: "SparkSession",
    make: Make,
    landsat: Path,
    by_2048: Path,
    spread: Callable[[int], None],
    rows: int,
    number: int,
    parts: int,
) -> None:
    spread(parts)
    _, cut = make(landsat, tile_size=rows)
    assert (strips(spark, cut), strips(spark, by_2048)) == (number, 2)
    assert_df_equality(assets(spark, cut), assets(spark, by_2048))
    assert_df_equality(sums(spark, cut).drop("bytes"), sums(spark, by_2048).drop("bytes"))
    assert records(spark, cut) == records(spark, by_2048)


def test_a_repeated_run_makes_nothing_and_changes_nothing(
    spark: "SparkSession", run_job: Any, pipeline: str, landsat: Path, by_2048: Path
) -> None:
    def published() -> dict[str, tuple[int, int]]:
        found = sorted(by_2048.glob("products/**/*"))
        return {str(p): (p.stat().st_mtime_ns, p.stat().st_ino) for p in found if p.is_file()}

    before, ledger = published(), assets(spark, by_2048).collect()
    again = run_job(pipeline, landsat, output=by_2048)
    assert (again.scenes.made, again.scenes.skipped, again.balanced) == (0, 1, True)
    assert [s.reason for s in again.skipped] == ["already there"]
    assert again.products == ()
    assert published() == before
    assert assets(spark, by_2048).collect() == ledger
    assert table(spark, by_2048, name="runs").filter("wave = 0").count() == 2
