"""What every asset says about one place, in words."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from swath.view.layers import ViewLayer, layers_of
from swath.view.rasters import read_pixel
from swath.view.source import Located

Json = dict[str, Any]
#: Significant digits of a value: as many as scaled 16-bit counts hold.
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One asset at one place.

    Args:
        asset: Name.
        title: Title.
        value: Value in the asset's unit; None where there is no data.
        stored: The count in the file.
        unit: UCUM unit.
        words: Class, or names of the bits that are set.
        notes: Names of the bits that are set and say where others come from.
        colour: RRGGBB of the class.
        model: Digest of the model that made it.
    """

    asset: str
    title: str
    value: float | None
    stored: float
    unit: str = ""
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    colour: str = ""
    model: str = ""


def readings(located: Located, *, lon_deg: float, lat_deg: float) -> Json:
    """Every raster of a product at a place, JSON-able; ``inside`` is False where no raster has the place."""
    found = []
    for layer in layers_of(located.item):
        name = located.files.get(layer.name) if layer.kind in {"numbers", "classes", "bits"} else None
        pixel = None if name is None else read_pixel(name, lon_deg=lon_deg, lat_deg=lat_deg)
        if pixel is not None:
            model = located.item["assets"][layer.name].get("swath:model", "")
            found.append(_reading(layer, stored=pixel[0], valid=pixel[1], model=model))
    models = {m["digest"]: f"{m['name']} {m['version']}" for m in located.item["properties"].get("swath:models", [])}
    return {"inside": bool(found), "readings": [asdict(r) for r in found], "models": models, "trace": located.trace}


def _reading(layer: ViewLayer, *, stored: float, valid: bool, model: str) -> Reading:
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    colour = ""
    if layer.kind == "classes" and valid:
        entry = next((e for e in layer.legend if e.value == stored), None)
        words, colour = (entry.title if entry else f"class {stored:g} (not in the legend)",), entry.colour if entry else ""
    if layer.kind == "bits":
        found = [e for e in layer.legend if int(stored) >> e.value & 1]
        words, notes = (tuple(e.title for e in found if bool(e.note) is said) for said in (False, True))
    value = stored * layer.scale + layer.offset if valid and math.isfinite(stored) else None
    return Reading(
        asset=layer.name,
        title=layer.title,
        value=None if value is None else float(f"{value:.{_DIGITS}g}"),
        stored=stored,
        unit=layer.unit,
        words=words,
        notes=notes,
        colour=colour,
        model=model,
    )
