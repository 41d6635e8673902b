"""What a Sentinel-2 granule says of itself: ``MTD_TL.xml`` (``metadata.xml`` in the AWS layout)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from swath.errors import MetadataError
from swath.grid import Grid
from swath.readers.sentinel2.angles import AngleGrids, Direction, angle_grids, mean_directions
from swath.readers.sentinel2.fields import Fields, number_of, read_fields
from swath.readers.sentinel2.product import checked_baseline

#: Shares [%] that the granule reports, as elements; their STAC names are ``s2:`` and the same in lower case.
_SHARES = (
    "CLOUD_SHADOW_PERCENTAGE",
    "DARK_FEATURES_PERCENTAGE",
    "DEGRADED_MSI_DATA_PERCENTAGE",
    "HIGH_PROBA_CLOUDS_PERCENTAGE",
    "MEDIUM_PROBA_CLOUDS_PERCENTAGE",
    "NODATA_PIXEL_PERCENTAGE",
    "NOT_VEGETATED_PERCENTAGE",
    "SATURATED_DEFECTIVE_PIXEL_PERCENTAGE",
    "SNOW_ICE_PERCENTAGE",
    "THIN_CIRRUS_PERCENTAGE",
    "UNCLASSIFIED_PERCENTAGE",
    "VEGETATION_PERCENTAGE",
    "WATER_PERCENTAGE",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMetadata:
    """One granule.

    Args:
        tile_id: ``S2A_OPER_MSI_L1C_TL_EPAE_20180629T012042_A015757_T56JMM_N02.06``.
        datastrip_id: Id of the datastrip that the tile was cut from; empty if not stated.
        level: ``1C`` or ``2A``.
        sensed: Sensing time of this tile, UTC.
        grids: Nominal grid by ground sampling [m]; the rasters' own grids may differ (decimated deliveries).
        sun: Mean direction to the sun [deg].
        views: Mean direction to the satellite by native band id [deg]; bands may be missing.
        angles: Directions on the 5 km grid; None when the granule has none.
        cloud_cover_percent: None when not assessed.
        shares: Shares of pixels [%] by STAC name without prefix (``water_percentage``).
    """

    tile_id: str
    datastrip_id: str
    level: str
    sensed: datetime
    grids: Mapping[int, Grid]
    sun: Direction
    views: Mapping[str, Direction]
    angles: AngleGrids | None
    cloud_cover_percent: float | None
    shares: Mapping[str, float]

    @property
    def crs(self) -> str:
        """``EPSG:<code>``."""
        return next(iter(self.grids.values())).crs

    @property
    def mgrs(self) -> str:
        """The MGRS tile (``56JMM``)."""
        return self.tile_id.split("_T")[-1][:5]

    @property
    def baseline(self) -> str:
        """The baseline that the tile id ends in (``02.06``)."""
        return checked_baseline(self.tile_id.rpartition("_N")[2], source=self.tile_id)

    @property
    def platform(self) -> str:
        """STAC platform by the tile id (``sentinel-2a``)."""
        return f"sentinel-{self.tile_id[1:3].lower()}"


def read_tile(href: str) -> TileMetadata:
    """Parse a granule's metadata.

    Raises:
        MetadataError: Not such a document, or something in it is missing or no number.
    """
    fields = read_fields(href)
    if not fields.kind.endswith("_Tile_ID"):
        raise MetadataError(
            "this is not the metadata of a Sentinel-2 granule",
            expected="a root element Level-1C_Tile_ID",
            got=f"{fields.kind} in {href}",
            remedy="Name the SAFE folder or zip.",
        )
    grids = _grids(fields)
    views = mean_directions(fields)
    return TileMetadata(
        tile_id=_tile_id(fields),
        datastrip_id=fields.optional("DATASTRIP_ID"),
        level=fields.kind.removeprefix("Level-")[:2],
        sensed=fields.time("SENSING_TIME"),
        grids=grids,
        sun=_sun(fields),
        views=views,
        angles=angle_grids(fields, origin=next(iter(grids.values())), views=views),
        cloud_cover_percent=fields.optional_number("CLOUDY_PIXEL_PERCENTAGE"),
        shares=_shares(fields),
    )


def _tile_id(fields: Fields) -> str:
    tile_id = fields.text("TILE_ID", "TILE_ID_2A")
    if not tile_id.startswith("S2") or "_T" not in tile_id or "_N" not in tile_id:
        raise MetadataError(
            "the tile id is unreadable",
            expected="S2?_OPER_MSI_L1C_TL_..._T<tile>_N<baseline>",
            got=f"{tile_id[:80]!r} in {fields.source}",
            remedy="Fetch the delivery again.",
        )
    return tile_id


def _grids(fields: Fields) -> dict[int, Grid]:
    crs = fields.text("HORIZONTAL_CS_CODE")
    sizes = {e.get("resolution", ""): Fields(e, fields.source) for e in fields.every("Size")}
    corners = {e.get("resolution", ""): Fields(e, fields.source) for e in fields.every("Geoposition")}
    if not sizes or set(sizes) != set(corners):
        raise MetadataError(
            "the tile's geocoding is incomplete",
            expected="a Size and a Geoposition for 10, 20 and 60 m",
            got=f"{sorted(sizes)} and {sorted(corners)} in {fields.source}",
            remedy="Fetch the delivery again.",
        )
    grids: dict[int, Grid] = {}
    for text in sorted(sizes, key=lambda r: number_of(r, name="resolution", source=fields.source)):
        size, corner = sizes[text], corners[text]
        grids[int(text)] = Grid(
            crs=crs.upper(),
            left=corner.number("ULX"),
            top=corner.number("ULY"),
            dx=corner.number("XDIM"),
            dy=-corner.number("YDIM"),
            width=int(size.number("NCOLS")),
            height=int(size.number("NROWS")),
        )
    return grids


def _sun(fields: Fields) -> Direction:
    element = fields.first("Mean_Sun_Angle")
    if element is None:
        raise MetadataError(
            "the mean sun angles are missing",
            expected="Mean_Sun_Angle",
            got=f"none in {fields.source}",
            remedy="Fetch the delivery again.",
        )
    inside = Fields(element, fields.source)
    return Direction(zenith_deg=inside.number("ZENITH_ANGLE"), azimuth_deg=inside.number("AZIMUTH_ANGLE"))


def _shares(fields: Fields) -> dict[str, float]:
    found = {name.lower(): fields.optional_number(name) for name in _SHARES}
    return {name: value for name, value in found.items() if value is not None}
