"""A product as a STAC 1.1 item: the same product gives the same bytes, whenever and wherever it is written."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from swath.layer_name import LayerId
from swath.product import COREGISTERED, ModelRef, Product
from swath.scene import Scene
from swath.sensors import Provider, constellation_of
from swath.sinks.stac.assets import PictureRecord, assets_of, projection_of
from swath.sinks.stac.renders import RENDER_EXTENSION, renders_of
from swath.source_ref import SourceRef

STAC_VERSION = "1.1.0"
#: The extensions that items use, by the prefix of their fields.
EXTENSIONS: Mapping[str, str] = {
    "classification": "https://stac-extensions.github.io/classification/v1.1.0/schema.json",
    "eo": "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "file": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "processing": "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "proj": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "raster": "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "view": "https://stac-extensions.github.io/view/v1.1.0/schema.json",
}
#: From the folder of an item up to the output's root: products/<collection>/<yyyy>/<mm>/<dd>/<product_id>/.
TO_ROOT = "../" * 6
JSON_TYPE = "application/json"
ITEM_TYPE = "application/geo+json"
Json = dict[str, Any]
_NUMBER_LIST = re.compile(r"\[\n([-+0-9.eE,\s]+)\]")


def item_of(product: Product, *, pictures: tuple[PictureRecord, ...] = (), model_hrefs: Mapping[str, str] | None = None) -> Json:
    """The STAC item of a product.

    Args:
        product: The product, with its published assets.
        pictures: Published pictures; the one named ``thumbnail`` is the quicklook.
        model_hrefs: Addresses of the models' own records, by digest, for those that have one.

    Raises:
        GeometryError: The scene's grid has no place on the globe.
    """
    from swath.sinks.stac.footprint import footprint_of, footprint_on  # noqa: PLC0415  GDAL: the driver's catalogue does without

    on = product.grid if product.scene.reference.raw else product.scene.reference
    footprint = footprint_on(product.grid, footprint_of(on, told=product.scene.footprint))
    assets = assets_of(product, pictures=pictures)
    item: Json = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": product.product_id,
        "collection": product.collection,
        "geometry": footprint.geometry,
        "bbox": list(footprint.bbox),
        "properties": _properties(product) | renders_of(assets),
        "links": _links(product, model_hrefs=model_hrefs or {}),
        "assets": assets,
    }
    item["stac_extensions"] = extensions_in(item)
    return item


def encode(stac: Mapping[str, Any]) -> bytes:
    """A STAC object as the bytes that are written: UTF-8, two spaces, number lists on one line, keys in order, no NaN.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(stac, indent=2, ensure_ascii=False, allow_nan=False)
    # A line break never is inside a JSON string, so this touches lists alone.
    return (_NUMBER_LIST.sub(lambda m: "[" + " ".join(m[1].split()) + "]", text) + "\n").encode()


def extensions_in(stac: Mapping[str, Any]) -> list[str]:
    """The schemas of the extensions whose fields occur in an item or a collection, sorted."""
    found = {EXTENSIONS[p] for p in _prefixes(stac) if p in EXTENSIONS}
    # The render extension alone has a field without a prefix.
    return sorted(found | ({RENDER_EXTENSION} if "renders" in stac.get("properties", {}) else set()))


def model_item_path(digest: str) -> str:
    """Path of a model's own item, relative to the output's root."""
    return f"models/{digest}.json"


def utc_text(moment: datetime) -> str:
    """RFC 3339 with ``Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def models_of(product: Product) -> tuple[ModelRef, ...]:
    """The models behind a product's assets, each once, by name."""
    found = {a.model.digest: a.model for a in product.assets if a.model is not None}
    return tuple(sorted(found.values(), key=lambda m: (m.name, m.version, m.digest)))


def atmosphere_of(product: Product) -> Json:
    """The atmospheric state used, by parameter, each with its value and where it came from."""
    for facts in product.facts.values():
        if isinstance(facts, Mapping) and isinstance(facts.get("atmosphere"), Mapping):
            return dict(facts["atmosphere"])
    return {name: {"value": value, "source": "scene"} for name, value in sorted(product.scene.atmosphere.items())}


def level_of(product: Product) -> str:
    """Processing level: L2A once surface reflectance is among the layers, otherwise L1."""
    return "L2A" if any(LayerId.of(a.layer).kind == "sr" for a in product.assets) else "L1"


def _prefixes(value: object) -> set[str]:
    if isinstance(value, Mapping):
        return {k.split(":")[0] for k in value if ":" in k}.union(*(_prefixes(v) for v in value.values()))
    if isinstance(value, list):
        return set().union(*(_prefixes(v) for v in value))
    return set()


def _properties(product: Product) -> Json:
    scene = product.scene
    # What the delivery said comes first, so that our own fields win.
    fields: Json = dict(sorted(scene.properties.items()))
    fields |= {
        "title": f"{product.pipeline} of {scene.scene_id}",
        "datetime": utc_text(scene.acquired),
        "platform": scene.platform,
        "instruments": [scene.instrument],
    }
    if constellation := constellation_of(scene.family):
        fields["constellation"] = constellation
    fields |= _ownership(scene)
    fields["gsd"] = _gsd_m(scene)
    if scene.cloud_cover_percent is not None:
        fields["eo:cloud_cover"] = scene.cloud_cover_percent
    return fields | _view(scene) | projection_of(product.grid) | _processing(product) | _own(product)


def _ownership(scene: Scene) -> Json:
    """Licence and providers as the delivery of a user's own sensor says; others have the collection's."""
    said: Json = {"license": scene.license, "providers": [provider_json(p) for p in scene.providers]}
    return {name: value for name, value in said.items() if value}


def provider_json(provider: Provider) -> Json:
    """A provider as STAC writes it."""
    said: Json = {"name": provider.name, "roles": list(provider.roles), "url": provider.url}
    return {name: value for name, value in said.items() if value}


def _gsd_m(scene: Scene) -> float:
    bands = [a.band for n, a in scene.assets.items() if n != "pan" and a.calibration.kind != "quality"]
    return min((b.resolution_m for b in bands), default=scene.reference.dx)


def _view(scene: Scene) -> Json:
    angles = scene.angles
    # The zenith of the view at the ground is the incidence angle; readers that know no better take the other for it.
    return {
        "view:sun_elevation": angles.sun_elevation_deg,
        "view:sun_azimuth": round(angles.sun_azimuth_deg % 360.0, 9),
        "view:off_nadir": round(angles.view_zenith_deg, 9),
        "view:incidence_angle": round(angles.view_zenith_deg, 9),
        "view:azimuth": round(angles.view_azimuth_deg % 360.0, 9),
    }


def _processing(product: Product) -> Json:
    steps = ", ".join(f"{s.name} {s.version}" for s in product.steps)
    return {
        "processing:level": level_of(product),
        "processing:software": {"swath": product.code},
        "processing:lineage": f"{product.pipeline} {product.pipeline_version} of {product.scene.scene_id}: {steps}",
    }


def _own(product: Product) -> Json:
    scene = product.scene
    fields: Json = {
        "swath:pipeline": product.pipeline,
        "swath:pipeline_version": product.pipeline_version,
        "swath:steps": [{"name": s.name, "version": s.version, "parameters": _canonical(s.parameters)} for s in product.steps],
        "swath:models": [{"name": m.name, "version": m.version, "digest": m.digest} for m in models_of(product)],
        "swath:atmosphere": atmosphere_of(product),
        "swath:clouds": dict(product.facts.get("clouds", {})),
        "swath:left_out": dict(sorted(product.left_out.items())),
        **({"swath:coregistration": product.facts[COREGISTERED]} if COREGISTERED in product.facts else {}),
        **{f"swath:{name}": found for name, found in product.checked.items()},
        "swath:scene_id": scene.scene_id,
        "swath:scene_digest": scene.digest,
        **({"swath:tile": scene.tile} if scene.tile else {}),
        "swath:scene_baseline": scene.baseline,
        "swath:scene_left_out": dict(sorted(scene.left_out.items())),
        "swath:reader": scene.reader,
    }
    return {k: v for k, v in fields.items() if v not in ({}, [], "")}


def _canonical(parameters: Mapping[str, Any]) -> Json:
    """Parameters with sorted keys at every depth, as plain JSON values."""
    plain: Json = json.loads(json.dumps(dict(parameters), sort_keys=True))
    return plain


def _links(product: Product, *, model_hrefs: Mapping[str, str]) -> list[Json]:
    # No self link: it would have to be absolute, and a catalogue that moves between sites is self-contained.
    day = product.scene.acquired.astimezone(UTC)
    home = f"{TO_ROOT}collections/{product.collection}"
    models = [
        {"rel": "mlm:model", "href": model_hrefs[m.digest], "type": ITEM_TYPE, "title": f"{m.name} {m.version}"}
        for m in models_of(product)
        if m.digest in model_hrefs
    ]
    return [
        {"rel": "root", "href": f"{TO_ROOT}catalog.json", "type": JSON_TYPE},
        {"rel": "collection", "href": f"{home}/collection.json", "type": JSON_TYPE},
        {"rel": "parent", "href": f"{home}/{day:%Y/%m/%d}/catalog.json", "type": JSON_TYPE},
        *source_links(product.sources),
        *models,
    ]


def source_links(sources: Iterable[SourceRef]) -> list[Json]:
    """A link ``derived_from`` to each source whose pixels went in."""
    return [
        {"rel": "derived_from", "href": s.href, "title": s.title, **({"type": ITEM_TYPE} if s.item else {})}
        for s in sources
        if s.used
    ]
