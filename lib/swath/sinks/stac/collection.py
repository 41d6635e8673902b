"""A STAC collection: what its items have in common, who made them, and under which terms."""

from collections.abc import Mapping, Sequence
from typing import Any

from swath.sensors import OTHER_LICENSE, Sensor, sensor_of_constellations
from swath.sinks.stac.extent import GLOBE, Extent
from swath.sinks.stac.item import STAC_VERSION, extensions_in, provider_json

Json = dict[str, Any]
#: What an item asset definition repeats of an asset: everything that all items share.
SHARED_FIELDS = (
    *("title", "type", "roles", "data_type", "nodata", "unit", "bands"),
    *("raster:scale", "raster:offset", "raster:spatial_resolution"),
    *("classification:classes", "classification:bitfields"),
)
SUMMARISED = ("platform", "instruments", "constellation", "gsd", "processing:level")
#: Our own name among providers.
_US = "swath"


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
        name: Id.
        items: Sample items; what they say is added to what the record said before.
        before: The record as it was, if there was one.
        extent: Extent of all items.
        years: Years in which items were acquired.
        links: Structural links.
    """
    known = before or {}
    sensor = _sensor(items, known=known)
    record: Json = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": name,
        "title": name,
        "description": _description(name, sensor=sensor, years=years),
        "license": _license(items, known=known, sensor=sensor),
        "keywords": sorted({"analysis-ready", "swath", *(w for w in name.split("-") if w.isalpha())}),
        "providers": _providers(items, known=known, sensor=sensor),
        "extent": _extent(extent),
        "summaries": _summaries(items, known=known.get("summaries", {})),
        "item_assets": _item_assets(items, known=known.get("item_assets", {})),
        "links": [*links, *_terms(sensor)],
        "swath:extent": extent.to_json(),
    }
    record["stac_extensions"] = extensions_in(record)
    return record


def attribution(sensor: Sensor | None, *, years: Sequence[int]) -> str:
    """What the data's owner wants to be said, or nothing for a sensor of the user's own."""
    return "" if sensor is None else sensor.attribution.format(years=", ".join(str(y) for y in sorted(set(years))))


def _sensor(items: Sequence[Json], *, known: Mapping[str, Any]) -> Sensor | None:
    """The sensor, by what readers found in the deliveries: a collection's name begins with one that a user chose."""
    before = known.get("summaries", {}).get("constellation", [])
    return sensor_of_constellations([*before, *(i["properties"].get("constellation", "") for i in items)])


def _description(name: str, *, sensor: Sensor | None, years: Sequence[int]) -> str:
    return f"Products of swath: {name}. {attribution(sensor, years=years)}".strip()


def _license(items: Sequence[Json], *, known: Mapping[str, Any], sensor: Sensor | None) -> str:
    """Licence of the sensor; else the one that all items name."""
    if sensor is not None:
        return sensor.license
    said = {i["properties"].get("license", OTHER_LICENSE) for i in items} | ({known["license"]} if "license" in known else set())
    return str(said.pop()) if len(said) == 1 else OTHER_LICENSE


def _terms(sensor: Sensor | None) -> list[Json]:
    return [] if sensor is None else [{"rel": "license", "href": sensor.terms, "title": "Terms of the source data"}]


def _providers(items: Sequence[Json], *, known: Mapping[str, Any], sensor: Sensor | None) -> list[Json]:
    if not items and "providers" in known:
        return list(known["providers"])
    us: Json = {"name": _US, "roles": ["processor"]}
    versions = {i["properties"]["processing:software"]["swath"] for i in items}
    if versions:
        us["processing:software"] = {"swath": max(versions)}
    return [*(_owners(items, known=known) if sensor is None else [provider_json(p) for p in sensor.providers]), us]


def _owners(items: Sequence[Json], *, known: Mapping[str, Any]) -> list[Json]:
    """Providers that the items of a user's own sensor name, each once."""
    before = [p for p in known.get("providers", []) if p["name"] != _US]
    named = [p for i in items for p in i["properties"].get("providers", [])]
    return list({p["name"]: p for p in (*before, *named)}.values())


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
