"""A STAC collection: what its items have in common, who made them, and under which terms."""

from collections.abc import Mapping, Sequence
from typing import Any

from swath.sinks.stac.extent import GLOBE, Extent
from swath.sinks.stac.item import STAC_VERSION, extensions_in

Json = dict[str, Any]
#: What an item asset definition repeats of an asset: everything that all items share.
SHARED_FIELDS = (
    *("title", "type", "roles", "data_type", "nodata", "unit", "bands"),
    *("raster:scale", "raster:offset", "raster:spatial_resolution"),
    *("classification:classes", "classification:bitfields"),
)
SUMMARISED = ("platform", "instruments", "constellation", "gsd", "processing:level")
_USGS: Json = {"name": "USGS", "roles": ["producer", "licensor"], "url": "https://www.usgs.gov/landsat-missions"}
_ESA: Json = {"name": "ESA", "roles": ["producer", "licensor"], "url": "https://sentinels.copernicus.eu"}
_COPERNICUS_TERMS = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"
_USGS_TERMS = "https://www.usgs.gov/centers/eros/data-citation"


def collection_of(
    name: str,
    *,
    items: Sequence[Json],
    before: Json | None,
    extent: Extent,
    years: Sequence[int],
    links: Sequence[Json],
) -> Json:
    """The collection's record.

    Args:
        name: Its id.
        items: Sample items; what they say is added to what the record said before.
        before: The record as it was, if there was one.
        extent: Of all items.
        years: In which items were acquired.
        links: Structural links.
    """
    known = before or {}
    record: Json = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": name,
        "title": name,
        "description": _description(name, years=years),
        "license": "other",
        "keywords": sorted({"analysis-ready", "swath", *(w for w in name.split("-") if w.isalpha())}),
        "providers": _providers(name, items=items, known=known),
        "extent": _extent(extent),
        "summaries": _summaries(items, known=known.get("summaries", {})),
        "item_assets": _item_assets(items, known=known.get("item_assets", {})),
        "links": [*links, *_terms(name)],
        "swath:extent": extent.to_json(),
    }
    record["stac_extensions"] = extensions_in(record)
    return record


def attribution(collection: str, *, years: Sequence[int]) -> str:
    """What the data's owner wants to be said, or nothing for sensors that we know no terms of."""
    listed = ", ".join(str(y) for y in sorted(set(years)))
    if "sentinel" in collection:
        return f"Contains modified Copernicus Sentinel data [{listed}]."
    if "landsat" in collection:
        return f"Landsat Level-1 data [{listed}] courtesy of the U.S. Geological Survey (public domain)."
    return ""


def _description(name: str, *, years: Sequence[int]) -> str:
    return f"Products of swath: {name}. {attribution(name, years=years)}".strip()


def _terms(name: str) -> list[Json]:
    for word, href in (("sentinel", _COPERNICUS_TERMS), ("landsat", _USGS_TERMS)):
        if word in name:
            return [{"rel": "license", "href": href, "title": "Terms of the source data"}]
    return []


def _providers(name: str, *, items: Sequence[Json], known: Mapping[str, Any]) -> list[Json]:
    owners = [p for word, p in (("sentinel", _ESA), ("landsat", _USGS)) if word in name]
    if not items and "providers" in known:
        return list(known["providers"])
    us: Json = {"name": "swath", "roles": ["processor"]}
    versions = {i["properties"]["processing:software"]["swath"] for i in items}
    if versions:
        us["processing:software"] = {"swath": max(versions)}
    return [*owners, us]


def _extent(extent: Extent) -> Json:
    bbox = list(extent.bbox or GLOBE)
    interval: list[str | None] = list(extent.interval) if extent.interval else [None, None]
    return {"spatial": {"bbox": [bbox]}, "temporal": {"interval": [interval]}}


def _summaries(items: Sequence[Json], *, known: Mapping[str, Any]) -> Json:
    found: Json = {}
    for field in SUMMARISED:
        values = set(known.get(field, []))
        for item in items:
            value = item["properties"].get(field)
            values |= set(value) if isinstance(value, list) else {value} - {None}
        if values:
            found[field] = sorted(values)
    return found


def _item_assets(items: Sequence[Json], *, known: Mapping[str, Any]) -> Json:
    found = dict(known)
    for item in items:
        for name, asset in item["assets"].items():
            found[name] = {k: asset[k] for k in SHARED_FIELDS if k in asset}
    return dict(sorted(found.items()))
