"""What ESA's own metadata, named by a STAC item's assets, adds to the item: level, offsets, angles; all of it optional."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from swath.errors import ReadError, SceneError
from swath.readers.files.digest import file_digest
from swath.readers.files.href import gdal_href, open_bytes
from swath.readers.gate.gate import needs_offset
from swath.readers.gate.levels import ProcessingLevel
from swath.readers.sentinel2.angles import angle_notes
from swath.readers.sentinel2.bands import NATIVE_BY_NAME
from swath.readers.sentinel2.product import ProductMetadata, read_product
from swath.readers.sentinel2.tile import TileMetadata, read_tile
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.item import Item
from swath.sensors import SENTINEL2_MSI

FAMILY = SENTINEL2_MSI
_GRANULE_KEYS = ("granule_metadata", "granule-metadata")
_PRODUCT_KEYS = ("product_metadata", "product-metadata")
#: The root element, which a document that was cut short still has.
_ROOT = re.compile(rb"<(?:\w+:)?Level-([12])[ABC]\w*_(?:Tile_ID|User_Product)\b")
_HEAD_BYTES = 4096
_BASELINE = re.compile(r"(?:_N|^)(\d\d)\.?(\d\d)(?:_|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """ESA's metadata beside an item's bands.

    Args:
        granule_href: Href of the granule's metadata; None when the item names none that can be opened.
        granule_digest: Hex sha256 of it; empty without it.
        tile: The granule; None when there is none, or it cannot be read.
        product: The product; None likewise.
        level: Level that the granule's root element states; None without it.
        notes: Reasons why parts cannot be used, by name.
    """

    granule_href: str | None = None
    granule_digest: str = ""
    tile: TileMetadata | None = None
    product: ProductMetadata | None = None
    level: ProcessingLevel | None = None
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def angles_href(self) -> str | None:
        """Where angles per pixel are read from; None when the granule has none."""
        return self.granule_href if self.tile is not None and self.tile.angles is not None else None


def read_beside(item: Item, *, family: str) -> Beside:
    """Read what the item names of ESA's metadata; what cannot be read is a note, for the item has angles of its own.

    Args:
        item: The item.
        family: Sensor's; other families have none.
    """
    if family != FAMILY:
        return Beside()
    href, product_href = _href(item, _GRANULE_KEYS), _href(item, _PRODUCT_KEYS)
    product = _product(product_href)
    try:
        digest = file_digest(href) if href else ""
    except ReadError:
        return Beside(product=product)
    if href is None:
        return Beside(product=product)
    found = Beside(granule_href=href, granule_digest=digest, product=product, level=_level(href))
    try:
        tile = read_tile(href)
        return replace(found, tile=tile, notes=tuple(angle_notes(tile.angles, bands=()).items()))
    except SceneError as error:
        told = f"the granule's metadata cannot be used ({error.problem}); the item's own angles are used everywhere"
        return replace(found, notes=(("angles", told),))


def baseline_of(item: Item, *, beside: Beside) -> str:
    """The processing baseline (``05.09``) by the item, its names, or ESA's metadata; empty when nothing says it."""
    said = item.text("s2:processing_baseline") or item.text("sentinel:processing_baseline")
    if said:
        return said
    if beside.product is not None:
        return beside.product.baseline
    names = [item.text("processing:version"), item.text("s2:product_uri"), item.item_id]
    names += [beside.tile.tile_id] if beside.tile is not None else []
    found = next((m for name in names if (m := _BASELINE.search(name.removesuffix(".SAFE")))), None)
    return f"{found[1]}.{found[2]}" if found else ""


def with_product(bands: Mapping[str, BandCandidate], *, product: ProductMetadata | None) -> Mapping[str, BandCandidate]:
    """Bands with scale and offset of the product's metadata where the item says none."""
    if product is None:
        return bands
    return {name: _with_product(candidate, product=product) for name, candidate in bands.items()}


def _with_product(candidate: BandCandidate, *, product: ProductMetadata) -> BandCandidate:
    native = NATIVE_BY_NAME.get(candidate.band.name)
    if native is None or candidate.quality is not None or candidate.unit or candidate.offset is not None:
        return candidate
    if native not in product.offsets and needs_offset(product.baseline, acquired=product.started):
        return candidate
    gain = candidate.gain if candidate.gain is not None else 1.0 / product.quantification
    return replace(candidate, gain=gain, offset=product.offsets.get(native, 0.0) * gain)


def _href(item: Item, keys: tuple[str, ...]) -> str | None:
    """An XML file that one of these assets names."""
    named = next((item.assets[key] for key in keys if key in item.assets), {})
    href = str(named.get("href", ""))
    return gdal_href(item.resolve(href)) if href.partition("?")[0].lower().endswith(".xml") else None


def _product(href: str | None) -> ProductMetadata | None:
    try:
        return read_product(href) if href else None
    except SceneError:
        return None


def _level(href: str) -> ProcessingLevel | None:
    try:
        with open_bytes(href) as file:
            root = _ROOT.search(file.read(_HEAD_BYTES))
    except ReadError:
        return None
    return ProcessingLevel(number=int(root[1]), said=f"the granule's metadata: {root[0][1:].decode()}") if root else None
