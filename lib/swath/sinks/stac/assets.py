"""The assets of a STAC 1.1 item: one object a published file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swath.grid import Grid
from swath.product import AssetRecord, Category, Encoding, LayerSpec, Product, Statistics
from swath.scene import Band

COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
PNG_TYPE = "image/png"
#: Common names of the eo extension 2.0; other names are the asset's own.
COMMON_NAMES = frozenset(
    [
        *("pan", "coastal", "blue", "green", "green05", "yellow", "red"),
        *("rededge", "rededge071", "rededge075", "rededge078", "nir", "nir08", "nir09"),
        *("cirrus", "swir16", "swir22", "lwir", "lwir11", "lwir12"),
    ]
)
#: Units in the UCUM spelling that STAC recommends.
UCUM = {"percent": "%"}
#: Metres in a degree of the equator (WGS 84), for grids in degrees.
METRES_PER_DEGREE = 111_319.49
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRecord:
    """A published picture of a product.

    Args:
        href: Relative to the item.
        bytes: Size of the file.
        digest: Hex sha256 of the file.
        title: Human-readable title.
        name: STAC asset key.
    """

    href: str
    bytes: int
    digest: str
    title: str = "Quicklook"
    name: str = "thumbnail"


def assets_of(product: Product, *, pictures: tuple[PictureRecord, ...] = ()) -> Json:
    """All asset objects of a product, by asset key: the files in their order, then the pictures."""
    return asset_objects(product.assets, layers=product.layers, reference=product.grid, pictures=pictures)


def asset_objects(
    records: Iterable[AssetRecord],
    *,
    layers: Mapping[str, LayerSpec],
    reference: Grid,
    pictures: tuple[PictureRecord, ...] = (),
) -> Json:
    """Asset objects by asset key.

    Args:
        records: The published files, in their order.
        layers: Layers by asset key.
        reference: The grid that the item's own properties tell.
        pictures: Published pictures.
    """
    home = projection_of(reference)
    assets = {a.name: _asset(a, layer=layers[a.name], home=home) for a in records}
    return assets | {p.name: _picture(p) for p in pictures}


def projection_of(grid: Grid) -> Json:
    """The ``proj:`` fields (v2.0.0) of a grid; WKT2 when the CRS has no code."""
    fields: Json = {"proj:code": grid.crs}
    if not grid.crs.upper().startswith("EPSG:"):
        from rasterio.crs import CRS  # noqa: PLC0415  GDAL: the driver's catalogue does without

        fields = {"proj:code": None, "proj:wkt2": CRS.from_string(grid.crs).to_wkt(version="WKT2_2019")}
    return fields | {
        "proj:shape": [grid.height, grid.width],
        "proj:transform": list(grid.transform),
        "proj:bbox": list(grid.bounds),
    }


def statistics_object(statistics: Statistics, *, encoding: Encoding) -> Json:
    """The STAC 1.1 statistics of the *stored* values (before scale and offset), from exact integer sums.

    Classes and bits have no mean; only their counts mean something.
    """
    share = 100.0 * statistics.valid / statistics.count if statistics.count else 0.0
    found: Json = {"count": statistics.count, "valid_percent": round(share, 6)}
    if not statistics.valid or encoding.categories or encoding.bits:
        return found
    return {
        "minimum": statistics.minimum,
        "maximum": statistics.maximum,
        "mean": _rounded(statistics.mean),
        "stddev": _rounded(statistics.standard_deviation),
    } | found


def class_percents(encoding: Encoding, *, statistics: Statistics) -> dict[str, float]:
    """Share of each class in the valid pixels [percent], by class name; empty for other encodings."""
    if not encoding.categories or not statistics.valid:
        return {}
    return {c.name: round(100.0 * statistics.histogram.get(c.value, 0) / statistics.valid, 4) for c in encoding.categories}


def bit_percents(encoding: Encoding, *, statistics: Statistics) -> dict[str, float]:
    """Share of all pixels in which each bit is set [percent], by bit name; empty for other encodings."""
    if not encoding.bits or not statistics.count:
        return {}
    return {
        b.name: round(100.0 * sum(n for v, n in statistics.histogram.items() if v >> b.value & 1) / statistics.count, 4)
        for b in encoding.bits
    }


def colour_hint(category: Category) -> str:
    """RRGGBB."""
    return "".join(f"{v:02x}" for v in category.rgb)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _asset(record: AssetRecord, *, layer: LayerSpec, home: Mapping[str, Any]) -> Json:
    encoding = layer.encoding
    fields: Json = {
        "href": f"./{record.href}",
        "type": COG_TYPE,
        "title": layer.title,
        "roles": list(layer.roles),
        "data_type": encoding.dtype,
        "raster:spatial_resolution": _resolution_m(layer),
        "statistics": statistics_object(record.statistics, encoding=encoding),
    }
    if encoding.nodata is not None:
        fields["nodata"] = encoding.nodata
    fields |= _values(encoding)
    fields |= {k: v for k, v in projection_of(layer.grid).items() if home.get(k) != v}
    if layer.band is not None:
        fields["bands"] = [_band(layer.band)]
    if shares := class_percents(encoding, statistics=record.statistics):
        fields["swath:class_percent"] = shares
    if shares := bit_percents(encoding, statistics=record.statistics):
        fields["swath:bit_percent"] = shares
    fields |= {"file:checksum": f"1220{record.digest}", "file:size": record.bytes}
    fields |= {"swath:key": record.key, "swath:layer": record.layer, "swath:clamped": record.statistics.clamped}
    if layer.accuracy:
        fields["swath:accuracy"] = layer.accuracy
    if record.model is not None:
        fields["swath:model"] = record.model.digest
    return fields


def _values(encoding: Encoding) -> Json:
    """How stored numbers are to be understood: scaled, as classes, or as bits."""
    if encoding.categories:
        return {"classification:classes": [_class(c) for c in encoding.categories]}
    if encoding.bits:
        return {"classification:bitfields": [_bit(b) for b in encoding.bits]}
    return {
        "unit": UCUM.get(encoding.unit, encoding.unit),
        "raster:scale": encoding.scale,
        "raster:offset": 0.0,
    }


def _class(category: Category) -> Json:
    return {
        "value": category.value,
        "name": category.name,
        "description": category.title,
        "color_hint": colour_hint(category),
    }


def _bit(bit: Category) -> Json:
    return {
        "offset": bit.value,
        "length": 1,
        "name": bit.name,
        "description": bit.title,
        "classes": [
            {"value": 0, "name": f"not_{bit.name}", "description": f"not: {bit.title}"},
            {"value": 1, "name": bit.name, "description": bit.title, "color_hint": colour_hint(bit)},
        ],
    }


def _band(band: Band) -> Json:
    fields: Json = {"name": band.name, "description": f"band {band.native_id} of the sensor"}
    if band.name in COMMON_NAMES:
        fields["eo:common_name"] = band.name
    if band.centre_um is not None:
        fields["eo:center_wavelength"] = band.centre_um
    if band.fwhm_um is not None:
        fields["eo:full_width_half_max"] = band.fwhm_um
    return fields


def _resolution_m(layer: LayerSpec) -> float:
    from rasterio.crs import CRS  # noqa: PLC0415  the same

    if not CRS.from_string(layer.grid.crs).is_geographic:
        return layer.grid.dx
    return round(layer.grid.dx * METRES_PER_DEGREE, 3)


def _picture(picture: PictureRecord) -> Json:
    return {
        "href": f"./{picture.href}",
        "type": PNG_TYPE,
        "title": picture.title,
        "roles": ["overview", "thumbnail"] if picture.name == "thumbnail" else ["overview"],
        "file:checksum": f"1220{picture.digest}",
        "file:size": picture.bytes,
    }
