"""The outbox of an output in a bucket."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from swath.errors import CatalogueError
from swath.sinks.served.delivery import CatalogueDelivery, CatalogueSession, DeliveryOutcome
from swath.sinks.served.outbox import OutboxEntry
from swath.stores.registry import open_store


class Shelf:
    """A catalogue in memory."""

    def __init__(self) -> None:
        self.hrefs: dict[str, str] = {}
        self.down = True

    @contextmanager
    def session(self) -> Iterator[CatalogueSession]:
        if self.down:
            raise CatalogueError("nobody answers", down=True)
        yield self

    def upsert(self, items: Sequence[dict[str, Any]], *, base: str) -> None:
        self.hrefs |= {i["id"]: i["assets"]["red"]["href"] for i in items}

    def known(self, *, base: str) -> dict[tuple[str, str], str]:
        return {}

    def remove(self, names: Sequence[tuple[str, str]]) -> None: ...


def test_an_outbox_in_a_bucket_survives_an_outage(bucket: Any) -> None:
    store, shelf = open_store(f"s3a://{bucket.name}/out"), Shelf()
    path = "products/c/2024/05/01/a/a.json"
    store.write(path, json.dumps({"id": "a", "collection": "c", "links": [], "assets": {"red": {"href": "./a.tif"}}}).encode())
    delivery = CatalogueDelivery(store, shelf)
    delivery.note("r.000000", [OutboxEntry(collection="c", product_id="a", item=path)])
    assert delivery.deliver().pending == 1
    assert list(store.list("outbox")) == ["outbox/r.000000.ndjson"]
    shelf.down = False
    assert delivery.deliver() == DeliveryOutcome(items=1)
    assert list(store.list("outbox")) == []
    assert shelf.hrefs == {"a": f"s3://{bucket.name}/out/products/c/2024/05/01/a/a.tif"}
