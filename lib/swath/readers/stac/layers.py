"""The bands of an asset as a STAC item describes them: in STAC 1.0, in 1.1, or in both at once."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from swath.errors import MetadataError
from swath.readers.stac.item import JsonObject, list_of, number_in, object_of

SCALES: Final = ("raster:scale", "scale", "raster:scale_factor", "scale_factor")
OFFSETS: Final = ("raster:offset", "offset", "raster:add_offset", "add_offset")
#: Fields that may be said once for all assets, in the item's properties.
_COMMON: Final = frozenset({"raster:scale", "raster:offset", "data_type", "nodata", "unit", "gsd"})
#: What the two lists of an item that has both may not say differently: one meaning, by its names.
_NAMES: Final = ("eo:common_name", "common_name")
_ONE_MEANING: Final = (SCALES, OFFSETS, ("unit", "raster:unit"), _NAMES)
_NO_NODATA: Final = ("", "none", "null")
_RADIANCE: Final = re.compile(r"(?i)\bradiances?\b")
_REFLECTANCE: Final = re.compile(r"(?i)reflectance")


@dataclass(frozen=True, slots=True)
class JsonLayer:
    """One band as an item describes it: its own object, the asset's, and the item's, whose fields hold for all below them."""

    own: JsonObject
    asset: JsonObject
    common: JsonObject = field(default_factory=dict)

    def number(self, *names: str) -> float | None:
        """The first of these fields that is there, on the band before the asset."""
        for name in names:
            for record in self._records(name):
                value = number_in(record, name)
                if value is not None:
                    return value
        return None

    def value(self, *names: str) -> float | None:
        """The one number that fields of one meaning say.

        Raises:
            MetadataError: Two of them say different numbers.
        """
        for record in (self.own, self.asset, self.common):
            said = {name: number_in(record, name) for name in names if record is not self.common or name in _COMMON}
            told = {name: number for name, number in said.items() if number is not None}
            if len(set(told.values())) > 1:
                raise _contradiction(told)
            if told:
                return next(iter(told.values()))
        return None

    def stated(self, *names: str) -> str:
        """The first of these fields that is there as text, on the band before the asset; ``''`` when there is none."""
        found = (str(record[name]) for record in (self.own, self.asset) for name in names if record.get(name))
        common = (str(self.common[name]) for name in names if name in _COMMON and self.common.get(name))
        return next(found, "") or next(common, "")

    def text(self, *names: str) -> str:
        """The first of these fields of the band itself; ``''`` when there is none."""
        return next((str(self.own[name]) for name in names if self.own.get(name)), "")

    @property
    def nodata(self) -> float | None:
        """The number that means no data; None when the item says none.

        Raises:
            MetadataError: It is neither a number nor the name of one (``"0"``, ``nan``, ``-inf``).
        """
        value = next((r["nodata"] for r in self._records("nodata") if r.get("nodata") is not None), None)
        if isinstance(value, str) and value.strip().lower() in _NO_NODATA:
            return None
        try:
            if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)):
                return None if value is None else float(value)
        except (ValueError, OverflowError):
            pass
        raise MetadataError(
            "nodata is not a number", expected="a number, nan, inf or -inf", got=repr(value)[:60], remedy="Correct the item."
        )

    @property
    def speaks_of_radiance(self) -> bool:
        """Whether the asset is described as a radiance, and not as a reflectance."""
        told = [self.text("name", "description"), *(str(self.asset.get(name) or "") for name in ("title", "description"))]
        roles = " ".join(str(role) for role in list_of(self.asset.get("roles")))
        said = " ".join([self.text("description"), *told, roles])
        return bool(_RADIANCE.search(said)) and not _REFLECTANCE.search(said)

    def _records(self, name: str) -> tuple[JsonObject, ...]:
        return (self.own, self.asset, self.common) if name in _COMMON else (self.own, self.asset)


def layers_of(asset: JsonObject, *, common: JsonObject | None = None) -> list[JsonLayer]:
    """An asset's bands: ``bands`` (STAC 1.1), ``eo:bands`` and ``raster:bands`` (1.0), side by side.

    Args:
        asset: The asset.
        common: Properties of its item.

    Raises:
        MetadataError: The lists contradict each other.
    """
    lists = [[object_of(b) for b in list_of(asset.get(name))] for name in ("bands", "eo:bands", "raster:bands")]
    number = max(1, *(len(found) for found in lists))
    layers = zip(*(found + [{}] * (number - len(found)) for found in lists), strict=True)
    return [JsonLayer(_joined(*own), asset, common or {}) for own in layers]


def _joined(new: JsonObject, eo: JsonObject, raster: JsonObject) -> JsonObject:
    for names in _ONE_MEANING:
        told = {
            f"{place} {n}": r[n]
            for place, r in (("bands", new), ("eo:bands", eo), ("raster:bands", raster))
            for n in names
            if r.get(n) is not None
        }
        values = sorted({str(value).strip().lower() for value in told.values()}, key=len)
        # nir of eo 1.0 is nir08 of eo 2.0.
        if not all(value.startswith(values[0]) if names == _NAMES else value == values[0] for value in values):
            raise _contradiction(told)
    return {**raster, **eo, **new}


def _contradiction(told: dict[str, Any]) -> MetadataError:
    return MetadataError(
        "the item contradicts itself",
        expected="one value of what has several names",
        got=", ".join(f"{name} {value}" for name, value in told.items())[:120],
        remedy="Correct the item: leave out the one that does not hold.",
    )
