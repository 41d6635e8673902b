"""STAC properties of a Sentinel-2 delivery, as stactools-sentinel2 names them."""

from swath.readers.sentinel2.metadata import Sentinel2Metadata

Property = str | int | float


def stac_properties(metadata: Sentinel2Metadata) -> dict[str, Property]:
    """What of the delivery is worth keeping: ``s2:``, ``sat:``, ``mgrs:`` and ``grid:code``."""
    return {**_of_product(metadata), **_of_tile(metadata)}


def _of_product(metadata: Sentinel2Metadata) -> dict[str, Property]:
    product = metadata.product
    if product is None:
        return {
            "s2:processing_baseline": metadata.baseline,
            "s2:product_type": f"S2MSI{metadata.level}",
        }
    stated: dict[str, Property | None] = {
        "s2:product_uri": f"{product.name}.SAFE",
        "s2:product_type": product.product_type,
        "s2:processing_baseline": product.baseline,
        "s2:generation_time": product.generated,
        "s2:datatake_id": product.datatake_id or None,
        "s2:datatake_type": product.datatake_type or None,
        "s2:reflectance_conversion_factor": product.reflectance_conversion,
        "s2:degraded_msi_data_percentage": product.degraded_percent,
        "sat:orbit_state": product.orbit_state,
        "sat:relative_orbit": product.relative_orbit,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _of_tile(metadata: Sentinel2Metadata) -> dict[str, Property]:
    tile = metadata.tile
    if tile is None:
        return {}
    stated: dict[str, Property] = {
        "grid:code": f"MGRS-{tile.mgrs}",
        "mgrs:utm_zone": int(tile.mgrs[:2]),
        "mgrs:latitude_band": tile.mgrs[2],
        "mgrs:grid_square": tile.mgrs[3:],
        "s2:tile_id": tile.tile_id,
        **{f"s2:{name}": value for name, value in tile.shares.items()},
    }
    return {**stated, "s2:datastrip_id": tile.datastrip_id} if tile.datastrip_id else stated
