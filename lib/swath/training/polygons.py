"""Labelled polygons: where a person said what is on the ground."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import pyogrio
import shapely
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.warp import transform_geom

from swath.errors import ConfigError

_AREAS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPolygon:
    """One area of one class.

    Args:
        polygon_id: Unique in its file; training is split by it.
        label: Class name.
        geometry: GeoJSON geometry, in the coordinates of its ``Polygons``.
    """

    polygon_id: str
    label: str
    geometry: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygons:
    """Polygons in one coordinate system.

    Args:
        crs: ``EPSG:<code>`` or WKT.
        items: The polygons.

    Raises:
        ConfigError: There are none, or two share an id.
    """

    crs: str
    items: tuple[LabelledPolygon, ...]

    def __post_init__(self) -> None:
        """Refuse a set that cannot be split by polygon."""
        if not self.items:
            msg = "there are no labelled polygons"
            raise ConfigError(msg)
        if len({p.polygon_id for p in self.items}) != len(self.items):
            msg = "two polygons share an id; choose another id field, or none to number them"
            raise ConfigError(msg)

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, sorted."""
        return tuple(sorted({p.label for p in self.items}))

    def reprojected(self, crs: str) -> Self:
        """The same polygons in another coordinate system."""
        if CRS.from_user_input(crs) == CRS.from_user_input(self.crs):
            return self
        moved = transform_geom(self.crs, crs, [p.geometry for p in self.items])
        items = tuple(
            LabelledPolygon(polygon_id=p.polygon_id, label=p.label, geometry=g) for p, g in zip(self.items, moved, strict=True)
        )
        return type(self)(crs=crs, items=items)


def read_polygons(href: str, *, label_field: str = "class", id_field: str | None = None) -> Polygons:
    """Read a GeoJSON or GeoPackage file (its first layer).

    Args:
        href: Path.
        label_field: Attribute with the class name.
        id_field: Attribute with a unique id; features are numbered when None.

    Raises:
        ConfigError: The file cannot be read, lacks a field or a coordinate system, or holds something but polygons.
    """
    fields = [label_field, *([id_field] if id_field else [])]
    try:
        meta, _, wkb, values = pyogrio.raw.read(href, columns=fields)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        msg = f"{href}: the polygons cannot be read: {error}"
        raise ConfigError(msg) from error
    found = dict(zip(meta["fields"].tolist(), values, strict=True))
    for name in fields:
        if name not in found:
            known = pyogrio.read_info(href)["fields"].tolist()
            msg = f"{href}: there is no field {name!r}; its fields are {', '.join(known)}"
            raise ConfigError(msg)
    ids = found[id_field] if id_field else range(len(wkb))
    items = tuple(
        LabelledPolygon(polygon_id=str(i), label=str(label), geometry=_area(shape, href=href, polygon_id=str(i)))
        for i, label, shape in zip(ids, found[label_field], wkb, strict=True)
    )
    return Polygons(crs=_known_crs(meta["crs"], href=href), items=items)


def _area(wkb: bytes | None, *, href: str, polygon_id: str) -> Mapping[str, Any]:
    shape = None if wkb is None else shapely.from_wkb(wkb)
    if shape is None or shape.is_empty or shape.geom_type not in _AREAS:
        got = "nothing" if shape is None or shape.is_empty else shape.geom_type
        msg = f"{href}: feature {polygon_id} is {got}; training needs polygons"
        raise ConfigError(msg)
    area: Mapping[str, Any] = shapely.geometry.mapping(shapely.force_2d(shape))
    return area


def _known_crs(crs: str | None, *, href: str) -> str:
    if not crs:
        msg = f"{href}: the polygons have no coordinate system"
        raise ConfigError(msg)
    try:
        CRS.from_user_input(crs)
    except (CRSError, RasterioError) as error:
        msg = f"{href}: the coordinate system {crs!r} is unknown"
        raise ConfigError(msg) from error
    return crs
