"""All metadata of a Sentinel-2 scene as one value, whichever layout it was delivered in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from swath.errors import MetadataError
from swath.grid import Grid
from swath.readers.sentinel2.angles import Direction, mean_direction, mean_of
from swath.readers.sentinel2.aws import TileListing, read_listing, read_product_name
from swath.readers.sentinel2.footprint import footprint_of_grid, footprint_of_ring
from swath.readers.sentinel2.product import (
    NODATA_DN,
    NOMINAL_QUANTIFICATION,
    SATURATED_DN,
    Footprint,
    ProductMetadata,
    offset_dn,
    read_product,
)
from swath.readers.sentinel2.tile import TileMetadata, read_tile

LEVEL = "1C"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFiles:
    """Where the documents are; at least ``product`` or ``tile``.

    Args:
        product: ``MTD_MSIL1C.xml`` (AWS layout: ``product_metadata.xml``).
        tile: ``MTD_TL.xml`` (AWS layout: ``metadata.xml``).
        tile_info: ``tileInfo.json`` of the AWS layout.
        product_info: ``productInfo.json`` of the AWS layout.
    """

    product: str | None = None
    tile: str | None = None
    tile_info: str | None = None
    product_info: str | None = None

    @property
    def hrefs(self) -> tuple[str, ...]:
        """Those that there are."""
        every = (self.product, self.tile, self.tile_info, self.product_info)
        return tuple(href for href in every if href is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinel2Metadata:
    """What product, granule and bucket say together.

    Args:
        product: The user product; None for AWS tiles without it.
        tile: The granule; None when only the product's own metadata is there.
        listing: The bucket's record of the tile, in the AWS layout.
        listed_name: The product's name by the bucket's ``productInfo.json``.

    Raises:
        MetadataError: Neither product nor tile, or they contradict each other.
    """

    product: ProductMetadata | None
    tile: TileMetadata | None
    listing: TileListing | None = None
    listed_name: str = ""

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        if self.product is None and self.tile is None:
            raise MetadataError(
                "there is no Sentinel-2 metadata",
                expected="MTD_MSIL1C.xml and MTD_TL.xml (AWS layout: metadata.xml)",
                got="neither",
                remedy="Name the SAFE folder or zip, or the AWS tile folder.",
            )
        if self.product is None or self.tile is None:
            return
        said = (self.product.platform, self.product.level)
        if said != (self.tile.platform, self.tile.level):
            raise MetadataError(
                "product and granule do not belong together",
                expected=f"{said} as the product says",
                got=f"{(self.tile.platform, self.tile.level)} of the granule {self.tile.tile_id}",
                remedy="Fetch the delivery again.",
            )

    @property
    def product_name(self) -> str:
        """Name of the product without ``.SAFE``, by the product itself or by the bucket; empty when unknown."""
        listed = self.listed_name or (self.listing.product_name if self.listing else "")
        return self.product.name if self.product else listed

    @property
    def scene_id(self) -> str:
        """The product's name, with the tile where the name does not hold it; the tile's id when there is no name."""
        if self.tile is None:
            return self.product_name
        name = self.product_name or self.tile.tile_id
        return name if f"_T{self.tile.mgrs}" in name else f"{name}_T{self.tile.mgrs}"

    @property
    def platform(self) -> str:
        """STAC platform (``sentinel-2a``)."""
        return self.product.platform if self.product else self._tile.platform

    @property
    def level(self) -> str:
        """``1C`` or ``2A``."""
        return self.product.level if self.product else self._tile.level

    @property
    def baseline(self) -> str:
        """Processing baseline (``02.06``)."""
        return self.product.baseline if self.product else self._tile.baseline

    @property
    def acquired(self) -> datetime:
        """When a catalogue dates the scene, UTC.

        A product (SAFE) is dated by the start of its data take, which its name holds; a tile of the AWS layout by its
        own sensing time: so do stactools-sentinel2 and the public catalogues, and so items stay comparable.
        """
        if self.listing:
            return self.listing.sensed
        return self.product.started if self.product else self._tile.sensed

    @property
    def quantification(self) -> float:
        """DN per unit of reflectance."""
        return self.product.quantification if self.product else NOMINAL_QUANTIFICATION

    @property
    def nodata(self) -> int:
        """The DN of no data."""
        return self.product.nodata if self.product else NODATA_DN

    @property
    def saturated(self) -> int:
        """The DN of saturation."""
        return self.product.saturated if self.product else SATURATED_DN

    @property
    def grids(self) -> Mapping[int, Grid]:
        """Nominal grid by ground sampling [m]."""
        return self._tile.grids

    @property
    def sun(self) -> Direction:
        """Mean direction to the sun."""
        return self._tile.sun

    @property
    def view(self) -> Direction | None:
        """Mean direction to the satellite over all bands; None when the granule does not say."""
        means = mean_direction(self._tile.views.values())
        if means is not None or self._tile.angles is None:
            return means
        return mean_direction(mean_of(grid) for grid in self._tile.angles.views.values())

    @property
    def cloud_cover_percent(self) -> float | None:
        """As the product assessed it, else the granule, else the bucket's listing."""
        said = (
            self.product.cloud_cover_percent if self.product else None,
            self.tile.cloud_cover_percent if self.tile else None,
            self.listing.cloud_cover_percent if self.listing else None,
        )
        return next((value for value in said if value is not None), None)

    @property
    def footprint(self) -> Footprint:
        """Ring of (longitude, latitude) [deg] around the data; of the tile when the delivery does not say where data is."""
        if self.listing and self.listing.ring:
            return footprint_of_ring(list(self.listing.ring), crs=self.listing.crs)
        if self.product and self.product.footprint:
            return self.product.footprint
        return footprint_of_grid(next(iter(self.grids.values())))

    def offset_dn(self, native_id: str) -> float:
        """What is added to a band's DN before the division; see ``sentinel2_product.offset_dn``."""
        offsets = self.product.offsets if self.product else {}
        return offset_dn(native_id, offsets=offsets, baseline=self.baseline)

    @property
    def _tile(self) -> TileMetadata:
        if self.tile is None:
            raise MetadataError(
                "the granule's metadata is missing",
                expected="MTD_TL.xml (AWS layout: metadata.xml)",
                got="only the product's",
                remedy="Fetch the delivery again.",
            )
        return self.tile


def read_sentinel2_metadata(files: MetadataFiles, *, level: str = "") -> Sentinel2Metadata:
    """Read whatever documents there are.

    Args:
        files: Files of the granule.
        level: The only processing level to take (``1C``); any without one. Another level is refused before the granule is
            read: what its metadata lacks there does not matter then.

    Raises:
        MetadataError: A document is incomplete, broken or hostile, or two of them contradict each other.
    """
    product = read_product(files.product) if files.product else None
    if product is not None and level:
        try:
            check_level(product.level)
        except MetadataError as error:
            raise error.of(product.name) from None
    try:
        return Sentinel2Metadata(
            product=product,
            tile=read_tile(files.tile) if files.tile else None,
            listing=read_listing(files.tile_info) if files.tile_info else None,
            listed_name=read_product_name(files.product_info) if files.product_info else "",
        )
    except MetadataError as error:
        raise error.of(product.name if product is not None else "") from None


def check_level(level: str) -> None:
    """Refuse products that are corrected for the atmosphere already.

    Raises:
        MetadataError: The level is not 1C.
    """
    if level != LEVEL:
        corrected = level.startswith("2")
        raise MetadataError(
            f"this is a Level-{level} product" + (": its bands are surface reflectance already" if corrected else ""),
            expected="Sentinel-2 Level-1C",
            got=f"Level-{level}",
            remedy="Give the Level-1C product of the same acquisition.",
        )
