"""Sentinel-2 Level-1C: SAFE folder or zip, or a tile of the AWS open-data layout, to a Scene."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swath.errors import GeometryError, MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.files.digest import Fingerprint, combined_digest, fingerprint
from swath.readers.pixels.delivered import stored_of
from swath.readers.pixels.header import inspect
from swath.readers.pixels.same_ground import check_extents
from swath.readers.sentinel2.angles import Direction, angle_notes
from swath.readers.sentinel2.bands import NAME_BY_NATIVE, NATIVE_IDS, band_of
from swath.readers.sentinel2.granules import scene_id_of
from swath.readers.sentinel2.layout import EXPECTED_LAYOUT, SafeDelivery, find_delivery
from swath.readers.sentinel2.metadata import LEVEL, Sentinel2Metadata, check_level, read_sentinel2_metadata
from swath.readers.sentinel2.stac import stac_properties
from swath.scene import VIEW_ANGLES, Angles, Asset, Reflectance, Scene, processing_date
from swath.sensors import SENTINEL2_MSI

READER = "sentinel2"
FAMILY = SENTINEL2_MSI
INSTRUMENT = "msi"
DTYPE = "uint16"
#: Top-of-atmosphere reflectance that no ground seen through air reaches, outside of ``DARK_BANDS``.
DARKEST = 1e-3
DARK_BANDS = frozenset({"B10", "B11", "B12"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What assets are made of: where the files are, what they say, and the result of one pass over each."""

    delivery: SafeDelivery
    metadata: Sentinel2Metadata
    fingerprints: Mapping[str, Fingerprint]


def read_scene(href: str) -> Scene:
    """Read a scene's metadata and its bands' headers; digest its files.

    ``rho = (DN + RADIO_ADD_OFFSET) / QUANTIFICATION_VALUE`` is top-of-atmosphere reflectance, divided by the cosine
    of the sun's zenith angle already (ESA, Sentinel-2 Level-1C product definition).

    Args:
        href: A SAFE folder or zip, a granule's folder inside a SAFE, an AWS tile's folder or zip; here or on S3.

    Raises:
        MetadataError: Metadata missing, broken, or of Level-2A.
        MissingBandError: No band at all.
        ReadError: A raster is missing, empty, cut short, or of another type.
        GeometryError: Angles or coordinate systems make no sense; bands of different extents.
        UnsupportedSensorError: A Sentinel-2 satellite that is not in our tables.
    """
    delivery = find_delivery(href)
    metadata = read_sentinel2_metadata(delivery.metadata, level=LEVEL)
    try:
        return _scene(delivery, metadata)
    except SceneError as error:
        raise error.of(metadata.scene_id) from None


def _scene(delivery: SafeDelivery, metadata: Sentinel2Metadata) -> Scene:
    _check_usable(delivery, metadata)
    files = (*delivery.metadata.hrefs, *delivery.images.values())
    sources = _Sources(delivery=delivery, metadata=metadata, fingerprints={file: fingerprint(file) for file in files})
    assets = {NAME_BY_NATIVE[native]: _asset(native, sources=sources) for native in delivery.images}
    _check_ground(assets, delivery=delivery)
    tile = delivery.metadata.tile or ""
    return Scene(
        scene_id=scene_id_of(metadata, source=delivery.source),
        platform=metadata.platform,
        instrument=INSTRUMENT,
        family=FAMILY,
        acquired=metadata.acquired,
        assets=assets,
        angles=_angles(metadata),
        angles_href=tile if metadata.tile and metadata.tile.angles else None,
        reader=READER,
        source_href=delivery.source,
        metadata_href=delivery.metadata.product or tile,
        digest=combined_digest(
            [
                *((delivery.names[file], sources.fingerprints[file].sha256) for file in files),
                *((f"{n}{end}", d) for n, a in assets.items() for end, d in a.digests.items() if end),
            ]
        ),
        level=f"L{metadata.level}",
        processed=processing_date(metadata.product.generated if metadata.product else ""),
        baseline=metadata.baseline,
        cloud_cover_percent=metadata.cloud_cover_percent,
        properties=stac_properties(metadata),
        footprint=metadata.footprint,
        left_out=_left_out(delivery, metadata),
    )


def _check_usable(delivery: SafeDelivery, metadata: Sentinel2Metadata) -> None:
    check_level(metadata.level)
    if not delivery.images:
        raise MissingBandError(
            "the delivery has no bands",
            expected=EXPECTED_LAYOUT,
            got=_strays(delivery),
            remedy="Put the bands there, or fetch the delivery again.",
        )


def _check_ground(assets: Mapping[str, Asset], *, delivery: SafeDelivery) -> None:
    """See ``check_extents``; in one folder the files of several deliveries may have met."""
    try:
        check_extents(assets)
    except GeometryError as error:
        if delivery.flat:
            error.remedy = f"All files are in one folder: keep those of one delivery there, or keep its layout: {EXPECTED_LAYOUT}"
        raise


def _strays(delivery: SafeDelivery) -> str:
    found = f"{len(delivery.strays)} rasters elsewhere, such as {delivery.strays[0]}," if delivery.strays else "none"
    return f"{found} in {delivery.source}"


def _asset(native: str, *, sources: _Sources) -> Asset:
    metadata = sources.metadata
    href = sources.delivery.images[native]
    header = inspect(href, known=sources.fingerprints[href])
    if header.dtype != DTYPE or header.count != 1:
        raise ReadError(
            f"{native} is of another type",
            expected=f"one band of {DTYPE}",
            got=f"{header.count} of {header.dtype} in {href}",
            remedy="Give the delivery as ESA made it.",
        )
    nominal = next(iter(metadata.grids.values()))
    if header.grid.crs != nominal.crs:
        raise GeometryError(
            f"{native} is in another coordinate system than its metadata says",
            expected=nominal.crs,
            got=f"{header.grid.crs} in {href}",
            remedy="Give the delivery as ESA made it: angle grids are in the tile's own coordinates.",
        )
    if not _meet(header.grid.bounds, nominal.bounds):
        raise MetadataError(
            f"{native} is of another place than its metadata says",
            expected=f"a part of {_edges(nominal.bounds)} by the granule's geocoding (left, bottom, right, top)",
            got=f"{_edges(header.grid.bounds)} in {href}",
            remedy="Give the delivery as ESA made it: its angles are of another place.",
        )
    stored = stored_of(header, dtype=header.dtype, told=metadata.nodata)
    return Asset(
        band=band_of(native, platform=metadata.platform),
        href=href,
        grid=header.grid,
        dtype=header.dtype,
        nodata=metadata.nodata,
        saturated=None if stored is not None and stored.nodata == metadata.saturated else metadata.saturated,
        calibration=Reflectance(
            gain=1.0 / metadata.quantification,
            offset=metadata.offset_dn(native) / metadata.quantification,
            sun_normalised=True,
        ),
        digest=sources.fingerprints[href].sha256,
        residue=_residue(native, metadata=metadata),
        stored=stored,
        mask=header.mask,
    )


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _edges(bounds: Sequence[float]) -> str:
    return ", ".join(f"{edge:.0f}" for edge in bounds)


def _residue(native: str, *, metadata: Sentinel2Metadata) -> int | None:
    """DN up to this mean no data; None where the ground itself may be as dark.

    JPEG 2000 as delivered is lossy and leaves small DN beyond the swath's edge. With an offset these represent
    reflectances near -0.1. Without one they are below ``DARKEST``: up to 945 nm the molecules above any ground scatter
    more (optical depth .011 there, Bodhaine et al. 1999; single scattering gives .002 at least), in the short-wave
    infrared and the cirrus band they do not.
    """
    if metadata.offset_dn(native) >= 0 and native in DARK_BANDS:
        return None
    return round(DARKEST * metadata.quantification)


def _angles(metadata: Sentinel2Metadata) -> Angles:
    # Without a view (``_left_out`` says so) no step that needs one makes anything.
    view = metadata.view or Direction(zenith_deg=0.0, azimuth_deg=0.0)
    return Angles(
        sun_elevation_deg=90.0 - metadata.sun.zenith_deg,
        sun_azimuth_deg=metadata.sun.azimuth_deg,
        view_zenith_deg=view.zenith_deg,
        view_azimuth_deg=view.azimuth_deg,
    )


def _left_out(delivery: SafeDelivery, metadata: Sentinel2Metadata) -> dict[str, str]:
    missing = {
        NAME_BY_NATIVE[native]: f"{native} is not in the delivery" for native in NATIVE_IDS if native not in delivery.images
    }
    notes: dict[str, str] = {}
    if metadata.product is None:
        notes["product_metadata"] = f"not delivered; {metadata.quantification:g} DN per unit of reflectance is assumed"
    if metadata.tile:
        notes |= angle_notes(metadata.tile.angles, bands=delivery.images)
        if metadata.view is None:
            notes[VIEW_ANGLES] = "the granule does not say from where the satellite looks"
    return {**delivery.left_out, **missing, **notes}
