"""Products of swath: their items say everything, so that no file is opened to plan with them."""

from typing import Any, Final

from swath.errors import MetadataError
from swath.grid import Grid
from swath.readers.files.digest import sha256_of_multihash
from swath.readers.level2.judged import unjudged
from swath.readers.pixels.header import gdal_href
from swath.readers.stac.item import Item, JsonObject, list_of, object_of
from swath.scene import Asset, Band, Calibration, Quality, Reflectance
from swath.source import MASK

_PIPELINE: Final = "swath:pipeline"
#: Kinds of layers that are reflectance: at the surface, and at the top of the atmosphere.
SURFACE: Final = "sr"
TOP: Final = "toa"
_QA: Final = "qa"


def is_own(item: Item) -> bool:
    """Whether swath made the item."""
    return bool(item.text(_PIPELINE)) and any("swath:layer" in asset for asset in item.assets.values())


def reflectance_kind(item: Item) -> str:
    """The kind of reflectance in which an item is compared with others: at the surface where it has that."""
    kinds = {str(asset.get("swath:layer", "")).partition(":")[0] for asset in item.assets.values()}
    return TOP if TOP in kinds and SURFACE not in kinds else SURFACE


def own_assets(item: Item, *, masked: bool, reflectance: str = SURFACE) -> dict[str, Asset]:
    """Reflectance by band, and ``qa`` as the mask where it judges clouds.

    Args:
        item: Item of a product.
        masked: Whether the mask is wanted.
        reflectance: Kind of the layers that are taken, ``SURFACE`` or ``TOP``.

    Raises:
        MetadataError: The item was changed: something that swath writes is missing. Or its ``qa`` judges no cloud.
    """
    assets: dict[str, Asset] = {}
    for key, asset in item.assets.items():
        kind, _, band = str(asset.get("swath:layer", "")).partition(":")
        if kind == reflectance and band:
            scale = Reflectance(gain=_number(asset, "raster:scale"), offset=0.0, sun_normalised=True)
            assets[band] = _asset(item, key, name=band, calibration=scale)
        elif kind == _QA and not band and masked:
            if why := unjudged(asset):
                raise MetadataError(
                    "the product's qa does not judge clouds",
                    expected="cloud_from_quality or cloud_from_model in swath:bit_percent of qa",
                    got=why,
                    remedy="Make the product with a pipeline that finds clouds (ard, clouds), or set composite.mask: none.",
                )
            assets[MASK] = _asset(item, key, name=MASK, calibration=Quality(scheme="swath-qa"))
    return assets


def _asset(item: Item, key: str, *, name: str, calibration: Calibration) -> Asset:
    asset = item.assets[key]
    described = object_of(next(iter(list_of(asset.get("bands"))), {}))
    grid = _grid(item, asset)
    nodata = asset.get("nodata")
    return Asset(
        band=Band(
            name=name,
            native_id=str(described.get("name") or key),
            resolution_m=grid.dx,
            centre_um=described.get("eo:center_wavelength"),
            fwhm_um=described.get("eo:full_width_half_max"),
        ),
        href=gdal_href(item.resolve(str(asset["href"]))),
        grid=grid,
        dtype=str(asset.get("data_type", "")),
        nodata=int(nodata) if nodata is not None else None,
        saturated=None,
        calibration=calibration,
        digest=_digest(asset),
    )


def _grid(item: Item, asset: JsonObject) -> Grid:
    said: dict[str, Any] = {**item.properties, **asset}
    height, width = said.get("proj:shape") or (0, 0)
    crs = str(said.get("proj:code") or said.get("proj:wkt2") or "")
    return Grid.from_transform(tuple(said.get("proj:transform") or (0.0,) * 6), crs=crs, width=int(width), height=int(height))


def _digest(asset: JsonObject) -> str:
    found = sha256_of_multihash(str(asset.get("file:checksum") or ""))
    if not found:
        raise _changed("file:checksum", asset)
    return found


def _number(asset: JsonObject, name: str) -> float:
    value = asset.get(name, object_of(next(iter(list_of(asset.get("bands"))), {})).get(name))
    if not isinstance(value, int | float) or not value:
        raise _changed(name, asset)
    return float(value)


def _changed(name: str, asset: JsonObject) -> MetadataError:
    return MetadataError(
        f"an asset of a product of swath has no {name}",
        expected="the item as swath wrote it",
        got=str(asset.get("href", ""))[:120],
        remedy="Restore the item (swath reconcile), or make the product again.",
    )
