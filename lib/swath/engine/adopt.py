"""Take over files that an item names but no ledger knows: read once, checked against the item, counted again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from swath.product import AssetRecord, Encoding, ModelRef, Statistics, Tally
from swath.stores.base import Store

Json = dict[str, Any]
_CHECKSUM = "1220"


def adopt(item: Mapping[str, Any], *, names: Sequence[str], folder: str, store: Store) -> list[AssetRecord]:
    """The records of an item's assets, as they were published.

    Args:
        item: The STAC item.
        names: Assets to adopt.
        folder: Folder of the item, relative to the store's root.
        store: The output.

    Returns:
        Those whose bytes are what the item says.
    """
    found: list[AssetRecord] = []
    models = {m["digest"]: ModelRef(**m) for m in item["properties"].get("swath:models", ())}
    for name in names:
        asset = item["assets"][name]
        path = f"{folder}/{href_of(asset)}"
        digest = asset["file:checksum"].removeprefix(_CHECKSUM)
        if store.size(path) != asset["file:size"] or store.digest(path)[0] != digest:
            continue
        record = AssetRecord(
            name=name,
            layer=asset["swath:layer"],
            href=href_of(asset),
            key=asset["swath:key"],
            bytes=asset["file:size"],
            digest=digest,
            statistics=_statistics(asset, path=path, store=store),
            model=models.get(asset.get("swath:model", "")),
        )
        found.append(record)
    return found


def href_of(asset: Mapping[str, Any]) -> str:
    """File name of an item's asset."""
    return str(asset["href"]).removeprefix("./")


def _statistics(asset: Mapping[str, Any], *, path: str, store: Store) -> Statistics:
    from swath.sinks.cog.stored import stored_rows  # noqa: PLC0415  the driver imports this module for names alone

    tally = Tally(_encoding(asset))
    for rows in stored_rows(path, store=store):
        tally.add(rows)
    # What was clamped cannot be seen any more; the item says it.
    return replace(tally.statistics(), clamped=asset.get("swath:clamped", 0))


def _encoding(asset: Mapping[str, Any]) -> Encoding:
    """As much of an encoding as counting needs."""
    bits = asset.get("classification:bitfields", ())
    return Encoding(
        dtype=asset["data_type"], scale=asset.get("raster:scale", 1.0), unit="1", nodata=asset.get("nodata"), lowest=0, highest=0,
        overviews="nearest", compression_level=1, predictor=1, bits=tuple(bits),
    )  # fmt: skip
