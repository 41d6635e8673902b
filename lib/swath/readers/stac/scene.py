"""Any sensor by a STAC item whose assets are GeoTIFFs with scale, offset and common names, to a Scene.

What the item must say is in docs/inputs.md: id, time, level, the sun's angles; of each band a common name, the scale, and
where it applies offset, unit and nodata. Reflectance is taken as divided by the cosine of the sun's zenith angle; an item,
asset or band that has ``swath:sun_normalised: false`` says otherwise. A ``file:checksum`` is verified once, when
the file is digested.
"""

from hashlib import sha256

from swath.errors import SceneError
from swath.readers.files.digest import combined_digest
from swath.readers.gate.gate import APPLIED, check_level
from swath.readers.gate.hints import check_hints
from swath.readers.gate.levels import stated_level
from swath.readers.stac.angles import angles_of
from swath.readers.stac.band_files import band_files
from swath.readers.stac.item import Item, list_of, read_item
from swath.readers.stac.ownership import license_of, providers_of
from swath.readers.stac.platform import platform_of
from swath.readers.stac.raw import rpc_beside
from swath.readers.stac.sentinel2 import baseline_of, read_beside
from swath.readers.stac.usable import usable_bands
from swath.scene import Scene, processing_date
from swath.sensors import SENSORS

READER = "stac"
#: Properties that tell when a delivery was made, the most telling first.
_PROCESSED = ("processing:datetime", "s2:generation_time", "updated", "created")
_ATMOSPHERE = ("aot550", "ozone_atm_cm", "water_vapour_g_cm2", "pressure_hpa")
#: Properties of the delivery worth keeping, by prefix.
_KEPT = ("grid:", "mgrs:", "s2:", "sat:", "landsat:", *APPLIED)


def read_scene(href: str) -> Scene:
    """Read an item and its bands' headers.

    Args:
        href: ``item.json``, or ``collection.json#<item id>``.

    Raises:
        MetadataError: Not an item, or it lacks something that a correction needs; names what.
        MissingBandError: No asset is a usable band; says why for each.
        ReadError: A raster is missing, empty, cut short, or not of integers.
        GeometryError: Angles or coordinate systems make no sense.
    """
    item = read_item(href)
    try:
        return _scene(item, source=href)
    except SceneError as error:
        raise error.of(item.item_id) from None


def _scene(item: Item, *, source: str) -> Scene:
    # A wrong level is the first cause that matters: whatever else such an item lacks need not be corrected.
    stated = stated_level(item.properties, collection=item.named_collection, item_id=item.item_id)
    check_level(stated)
    instruments = tuple(str(i).lower() for i in list_of(item.properties.get("instruments")))
    platform = platform_of(item.text("platform") or item.text("constellation") or item.text("mission"), instruments=instruments)
    beside = read_beside(item, family=platform.family)
    check_level(beside.level)
    level = stated or beside.level
    if level is None:
        named = any(item.text(n) for n in ("platform", "constellation")) or bool(instruments) or bool(item.named_collection)
        check_hints(item.properties, assets=item.assets, named=named)
    angles = angles_of(item, tile=beside.tile)
    rpc = rpc_beside(item)
    usable = usable_bands(item, platform=platform, beside=beside, level=level)
    files = band_files(usable.candidates, item=item, platform=platform, rpc=rpc)
    digests = [*files.digests, *([("granule_metadata", beside.granule_digest)] if beside.granule_digest else [])]
    known = platform.family in SENSORS
    return Scene(
        scene_id=item.item_id,
        platform=platform.name,
        instrument=platform.instrument,
        family=platform.family,
        acquired=item.acquired,
        assets=files.assets,
        angles=angles,
        angles_href=beside.angles_href,
        reader=READER,
        source_href=source,
        metadata_href=item.href,
        digest=combined_digest([*digests, ("item", sha256(item.canonical()).hexdigest())]),
        level=f"L{level.number}" if level else "",
        processed=processing_date(*(item.text(name) for name in _PROCESSED)),
        baseline=baseline_of(item, beside=beside),
        cloud_cover_percent=item.number("eo:cloud_cover"),
        atmosphere=_atmosphere(item),
        properties={**_kept(item), **usable.facts, **files.facts},
        left_out={**usable.left_out, **dict(beside.notes), **usable.unchecked, **files.wrong},
        license="" if known else license_of(item),
        providers=() if known else providers_of(item),
    )


def _kept(item: Item) -> dict[str, str | int | float]:
    return {k: v for k, v in item.properties.items() if k.startswith(_KEPT) and isinstance(v, str | int | float)}


def _atmosphere(item: Item) -> dict[str, float]:
    said = {name: item.number(f"swath:{name}") for name in _ATMOSPHERE}
    return {name: value for name, value in said.items() if value is not None}
