"""The STAC item of a composite: what it is made of, source by source, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from swath import __version__
from swath.product import AssetRecord
from swath.sensors import constellation_of
from swath.sinks.stac.assets import PictureRecord, asset_objects, projection_of
from swath.sinks.stac.footprint import footprint_of
from swath.sinks.stac.item import JSON_TYPE, STAC_VERSION, TO_ROOT, extensions_in, source_links, utc_text
from swath.sinks.stac.renders import renders_of
from swath.stack.composite import Composite

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeFiles:
    """What was published of a composite.

    Args:
        records: Files.
        pictures: Pictures.
    """

    records: tuple[AssetRecord, ...]
    pictures: tuple[PictureRecord, ...]


def composite_item(composite: Composite, files: CompositeFiles) -> Json:
    """The item; the same composite gives the same item.

    Raises:
        GeometryError: The tile has no place on the globe.
    """
    footprint = footprint_of(composite.grid)
    layers = composite.layers
    assets = asset_objects(files.records, layers=layers, reference=composite.grid, pictures=files.pictures)
    item: Json = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": composite.product_id,
        "collection": composite.collection,
        "geometry": footprint.geometry,
        "bbox": list(footprint.bbox),
        "properties": _properties(composite) | renders_of(assets),
        "links": _links(composite),
        "assets": assets,
    }
    item["stac_extensions"] = extensions_in(item)
    return item


def _properties(composite: Composite) -> Json:
    recipe, period = composite.recipe, composite.period
    start = datetime.combine(period.start, time(), tzinfo=UTC)
    stop = datetime.combine(period.stop, time(), tzinfo=UTC) - timedelta(seconds=1)
    used = [composite.sources[n] for n in composite.used]
    fields: Json = {
        "title": f"{recipe.title} of {period.start:%Y-%m-%d} to {stop:%Y-%m-%d}",
        "datetime": None,
        "start_datetime": utc_text(start),
        "end_datetime": utc_text(stop),
        "gsd": composite.grid.dx,
        "instruments": sorted({s.instrument for s in used if s.instrument}),
    }
    platforms = sorted({s.platform for s in used})
    families = {constellation_of(s.family) for s in used}
    if len(platforms) == 1:
        fields["platform"] = platforms[0]
    if len(families) == 1 and (constellation := families.pop()):
        fields["constellation"] = constellation
    licences = sorted({s.license for s in used if s.license})
    if len(licences) == 1 and all(s.license for s in used):
        fields["license"] = licences[0]
    steps = [{"name": recipe.reducer, "version": recipe.chain["composite"], "parameters": recipe.chain}]
    return {
        **fields,
        **projection_of(composite.grid),
        "processing:level": "L3",
        "processing:software": {"swath": __version__},
        "processing:lineage": f"{recipe.name} {recipe.version}: {recipe.reducer} of {len(used)} sources",
        "swath:pipeline": recipe.name,
        "swath:pipeline_version": recipe.version,
        "swath:steps": steps,
        "swath:tile": composite.tile,
        "swath:stack_digest": composite.stack_digest,
        "swath:sources": [s.scene_id for s in composite.sources],
        **_left_out(composite),
    }


def _left_out(composite: Composite) -> Json:
    if not composite.without:
        return {}
    return {"swath:sources_left_out": {composite.sources[n].scene_id: why for n, why in sorted(composite.without.items())}}


def _links(composite: Composite) -> list[Json]:
    home = f"{TO_ROOT}collections/{composite.collection}"
    return [
        {"rel": "root", "href": f"{TO_ROOT}catalog.json", "type": JSON_TYPE},
        {"rel": "collection", "href": f"{home}/collection.json", "type": JSON_TYPE},
        {"rel": "parent", "href": f"{home}/{composite.period.start:%Y/%m/%d}/catalog.json", "type": JSON_TYPE},
        *source_links(composite.references),
    ]


def left_out_of(answer: Mapping[str, str]) -> dict[int, str]:
    """Numbers of sources as JSON has them."""
    return {int(n): why for n, why in answer.items()}
