"""What a driver holds of a wave stays small: products of twelve assets wait packed, and are written in pieces."""

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyspark.sql import Row
from pyspark.sql.pandas.types import to_arrow_schema

from swath.engine.message import Packed, pack
from swath.engine.messages import Counted, ProductMade, Published, kept_records
from swath.engine.spool import AnswerSpool
from swath.ledger.delta_rows import write_rows
from swath.ledger.schemas import QUARANTINE
from swath.product import AssetRecord
from swath.runs.work import ProductWork
from swath.statistics import SUMS, Statistics
from swath.stores.local import local_store

ASSETS, WORKS = 12, 64


def _made(number: int) -> ProductMade:
    rng = np.random.default_rng(number)
    records = tuple(
        AssetRecord(
            name=f"asset{n}", layer=f"sr:asset{n}", href=f"LC09.{number}.asset{n}.tif", key=rng.bytes(32).hex(),
            bytes=int(rng.integers(10**7)), digest=rng.bytes(32).hex(),
            statistics=Statistics(histogram={bin_: int(rng.integers(10**5)) for bin_ in range(150)}),
        )
        for n in range(ASSETS)
    )  # fmt: skip
    published = Published(
        item=f"products/{number}.json", bbox=[0.0, 1.0, 2.0, 3.0], pictures={}, collection="c", left_out={}, facts={},
        acquired="2024-07-15T10:00:00+00:00", platform="landsat-9", reduced={}, shares={"valid": 1.0},
    )  # fmt: skip
    sums = tuple(int(rng.integers(10**9)) for _ in SUMS)
    tiles = tuple(Counted(asset=r.name, strip=0, sums=sums, bytes=r.bytes) for r in records)
    return ProductMade(
        linked=(), records=tuple(r.bare() for r in records), ledger=kept_records(records), tiles=tiles, seconds={"read": 1.0},
        published=published,
    )  # fmt: skip


def _row(number: int) -> Row:
    scene = json.dumps(np.random.default_rng(number).random(400).tolist())
    return Row(n=number, scene=scene, product_id=f"LC09.{number}.sr", assets=ASSETS)


def _bytes_of(make: Callable[[], Any]) -> tuple[Any, int]:
    """What a function makes, and the memory that it holds."""
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        gc.collect()
        return made, tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_product_that_waits_is_small_and_is_what_it_was() -> None:
    answers = [json.dumps(_made(n).to_plain()) for n in range(WORKS)]

    def wave() -> list[ProductWork]:
        spool, works = AnswerSpool(most=0), [ProductWork.of(_row(n)) for n in range(WORKS)]
        for work, answer in zip(works, answers, strict=True):
            work.made = Packed(data=spool.keep(pack(answer)), reader=ProductMade.from_plain)
        return works

    works, held = _bytes_of(wave)
    assert len(answers[0]) > 20_000
    # Three waves of 4,096 such products are 100 MB of a driver that may have 400.
    assert held / WORKS < 8_000, f"{held / WORKS:.0f} bytes for a product"
    found, expected = works[5].finished(), _made(5)
    assert found is not None
    assert (found.records, found.ledger, found.published) == (expected.records, expected.ledger, expected.published)
    assert works[5].scene_json == _row(5)["scene"]


def test_rows_that_are_given_one_by_one_are_never_all_in_memory(tmp_path: Path) -> None:
    rows, text = 2000, "x" * 50_000

    def given() -> Iterator[tuple[Any, ...]]:
        for n in range(rows):
            told = {"run_id": "r", "wave": n, "attempts": 1, "message": f"{n}{text}"}
            yield tuple(told.get(name) for name in QUARANTINE.names)

    tracemalloc.start()
    try:
        add = write_rows(given, to_arrow_schema(QUARANTINE), store=local_store(tmp_path), folder="t")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < rows * len(text) / 4
    file = pq.ParquetFile(tmp_path / "t" / add["path"])
    assert (file.metadata.num_rows, file.metadata.num_row_groups > 5) == (rows, True)
    stats = json.loads(add["stats"])
    assert (stats["numRecords"], stats["minValues"]["wave"], stats["maxValues"]["wave"]) == (rows, 0, rows - 1)
    assert "message" not in stats["minValues"]
    assert stats["nullCount"]["href"] == rows
