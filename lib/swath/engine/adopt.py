"""Take over files that an item names but no ledger knows: read once, checked against the item, counted again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from swath.product import AssetRecord, Encoding, ModelRef, Statistics, Tally
from swath.stores.base import Store

Json = dict[str, Any]
_CHECKSUM = "1220"
#: Files that are read whole [bytes].
_AT_ONCE = 32 << 20


def adopt(item: Mapping[str, Any], *, names: Sequence[str], folder: str, store: Store) -> list[AssetRecord]:
    """The records of an item's assets, as they were published.

    Args:
        item: The STAC item.
        names: Assets to adopt.
        folder: Folder of the item, relative to the store's root.
        store: The output.

    Returns:
        The files whose bytes match the item.
    """
    found: list[AssetRecord] = []
    models = {m["digest"]: ModelRef(**m) for m in item["properties"].get("swath:models", ())}
    for name in names:
        asset = item["assets"][name]
        path = f"{folder}/{href_of(asset)}"
        digest = asset["file:checksum"].removeprefix(_CHECKSUM)
        data = store.read(path) if asset["file:size"] <= _AT_ONCE else None
        if not _is(data, path=path, size=asset["file:size"], digest=digest, store=store):
            continue
        record = AssetRecord(
            name=name,
            layer=asset["swath:layer"],
            href=href_of(asset),
            key=asset["swath:key"],
            bytes=asset["file:size"],
            digest=digest,
            statistics=_statistics(asset, data, path=path, store=store),
            model=models.get(asset.get("swath:model", "")),
        )
        found.append(record)
    return found


def href_of(asset: Mapping[str, Any]) -> str:
    """File name of an item's asset."""
    return str(asset["href"]).removeprefix("./")


def _is(data: bytes | None, *, path: str, size: int, digest: str, store: Store) -> bool:
    """Whether a file has the bytes that an item states.

    Args:
        data: All bytes; None of a file that is large, or not there.
        path: The file.
        size: Its size [bytes].
        digest: Its sha256.
        store: The output.
    """
    if data is not None:
        return len(data) == size and sha256(data).hexdigest() == digest
    return size > _AT_ONCE and store.size(path) == size and store.digest(path)[0] == digest


def _statistics(asset: Mapping[str, Any], data: bytes | None, *, path: str, store: Store) -> Statistics:
    from swath.sinks.cog.stored import rows_of, stored_rows  # noqa: PLC0415  the driver imports this module for names alone

    tally = Tally(_encoding(asset))
    plain = rows_of(data) if data is not None else None
    for rows in stored_rows(path, store=store) if plain is None else plain:
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
