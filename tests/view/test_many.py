"""Ten thousand products are listed from the ledger: nothing of the catalogue or of the products is read."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import BinaryIO

import pytest

from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import PRODUCTS, RUNS
from swath.stores.local import LocalStore
from swath.view.listing import Query
from swath.view.output import OutputSource

NUMBER, WAVES = 10_000, 10
START = datetime(2023, 1, 1, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Noted(LocalStore):
    """A folder that notes what is read of it."""

    seen: list[str] = field(default_factory=list)

    def read(self, path: str) -> bytes | None:
        self.seen.append(path)
        return LocalStore.read(self, path)

    def open(self, path: str) -> BinaryIO:
        self.seen.append(path)
        return LocalStore.open(self, path)


def _row(number: int) -> tuple[object, ...]:
    scene = f"LC09_L1TP_{number % 233:03d}022_{number:08d}"
    west = -180 + number % 355
    values: dict[str, object] = {
        "product_id": f"{scene}.ard",
        "scene_id": scene,
        "pipeline": "ard",
        "collection": "ard-landsat-oli",
        "item": f"products/ard-landsat-oli/x/{scene}.json",
        "bbox": [float(west), 10.0, west + 2.0, 12.0],
        "run_id": "one",
        "acquired": START + timedelta(hours=number // 5),
        "made": START,
        "records": "x" * 3000,
    }
    return tuple(values.get(name) for name in PRODUCTS.names)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("many")
    tables = DeltaTables(None, LocalStore(root))
    for wave in range(WAVES):
        rows = [_row(n) for n in range(wave * NUMBER // WAVES, (wave + 1) * NUMBER // WAVES)]
        tables.append("products", rows, schema=PRODUCTS, run_id="one", wave=wave)
        tables.append("runs", [], schema=RUNS, run_id="one", wave=wave)
    return root


def test_ten_thousand_products_are_listed_without_the_catalogue(many: Path) -> None:
    store = Noted(many)
    source = OutputSource(store)
    before = process_time()
    told, page = source.summary(), source.products(Query(first="2023-03-01", last="2023-03-02"))
    assert process_time() - before < 10  # 0.9 on two busy cores
    assert told["products"] == NUMBER
    assert sum(day["made"] for day in told["days"].values()) == NUMBER
    assert page.total == 5 * 48
    assert len(page.products) == 200
    assert {path.split("/")[0] for path in store.seen} == {"tables"}
    assert len(source.products(Query(first="2023-03-01", last="2023-03-02", offset=200)).products) == 40
