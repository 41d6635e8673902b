"""Sun and view of a STAC item: by the view extension, by Sentinel-2's own means, or by the granule beside it."""

from swath.errors import MetadataError
from swath.readers.sentinel2.tile import TileMetadata
from swath.readers.stac.item import Item
from swath.scene import Angles

#: The mean of a tile, and the value at its centre, differ by less.
_AGREEMENT_DEG = 3.0
_ELEVATION, _AZIMUTH = "view:sun_elevation", "view:sun_azimuth"


def angles_of(item: Item, *, tile: TileMetadata | None) -> Angles:
    """Scene-wide angles.

    Args:
        item: The item.
        tile: The granule's metadata; None when there is none.

    Raises:
        MetadataError: No field states the position of the sun.
        GeometryError: The sun is not above the horizon.
    """
    elevation, azimuth = _sun(item, tile=tile)
    if elevation is None or azimuth is None:
        missing = [name for name, value in ((_ELEVATION, elevation), (_AZIMUTH, azimuth)) if value is None]
        raise MetadataError(
            f"the item has no {' and no '.join(missing)}",
            expected="view:sun_elevation and view:sun_azimuth in degrees (STAC view extension)",
            got=f"without {', '.join(missing)}",
            remedy="Add the sun's angles to the item's properties; no correction works without them.",
        )
    _check_zenith(item, elevation_deg=elevation)
    incidence, off_nadir = item.number("view:incidence_angle"), item.number("view:off_nadir")
    return Angles(
        sun_elevation_deg=elevation,
        sun_azimuth_deg=azimuth,
        # The zenith angle at the ground; the angle at the satellite is near it for narrow swaths.
        view_zenith_deg=incidence if incidence is not None else abs(off_nadir or 0.0),
        view_azimuth_deg=item.number("view:azimuth") or 0.0,
    )


def _check_zenith(item: Item, *, elevation_deg: float) -> None:
    """Refuse an item that says the sun's height twice, and differently: one may be the other's complement."""
    zenith = item.number("s2:mean_solar_zenith")
    if zenith is not None and abs(90.0 - zenith - elevation_deg) > _AGREEMENT_DEG:
        raise MetadataError(
            "the item contradicts itself about the sun",
            expected="view:sun_elevation and s2:mean_solar_zenith that are 90 degrees together",
            got=f"{elevation_deg:g} and {zenith:g}",
            remedy="Correct the item: view:sun_elevation is the height above the horizon.",
        )


def _sun(item: Item, *, tile: TileMetadata | None) -> tuple[float | None, float | None]:
    """Elevation and azimuth [deg]; None where nothing says it."""
    elevation, azimuth = item.number(_ELEVATION), item.number(_AZIMUTH)
    if elevation is None and (zenith := item.number("s2:mean_solar_zenith")) is not None:
        elevation = 90.0 - zenith
    azimuth = item.number("s2:mean_solar_azimuth") if azimuth is None else azimuth
    if tile is not None:
        elevation = 90.0 - tile.sun.zenith_deg if elevation is None else elevation
        azimuth = tile.sun.azimuth_deg if azimuth is None else azimuth
    return elevation, azimuth
