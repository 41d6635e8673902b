"""The ``grid`` of a pipeline file: what a user writes, checked and made a ``GridChoice``."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, cast

from swath.errors import ConfigError, SceneError
from swath.grid import Grid
from swath.grid_choice import DISTORTION_PERCENT, GridChoice, Interpolation
from swath.mapping import crs_of
from swath.readers.files.href import gdal_href
from swath.suggestion import did_you_mean
from swath.tile_sets import FileTiles
from swath.tiling_choice import FILE, MGRS, TilingChoice
from swath.tilings import mgrs_tile

_KEYS: Final = (
    "crs", "resolution_m", "resolution_deg", "origin", "like", "tile", "tiling", "interpolation", "distortion_percent"
)  # fmt: skip
_FORMS: Final = (
    "native, utm, EPSG:<code>, or a mapping with crs (and resolution_m or resolution_deg, origin), like: FILE, tile: NAME "
    "or tiling: NAME"
)
#: Nobody has pixels of a millimetre; degrees given for metres are that small.
_LEAST_M: Final = 0.01


def grid_settings(said: object) -> dict[str, Any]:
    """What a pipeline file says of its grid, as a mapping; empty for ``native``.

    Raises:
        ConfigError: The value is neither a name nor a mapping.
    """
    if said is None or said == "native":
        return {}
    if isinstance(said, str | int) and not isinstance(said, bool):
        return {"crs": said}
    if isinstance(said, Mapping) and all(isinstance(k, str) for k in said):
        return dict(said)
    msg = f"grid: expected {_FORMS}; got {said!r}"
    raise ConfigError(msg)


def grid_choice(said: object) -> GridChoice | None:
    """The choice that a pipeline file makes; None for ``native``.

    Raises:
        ConfigError: An unknown key or system, a resolution in another unit than the system's, or a raster to be like that
            cannot be read.
    """
    settings = grid_settings(said)
    if not settings or settings == {"crs": "native"}:
        return None
    for key in settings:
        if key not in _KEYS:
            msg = f"grid: unknown key {key!r}{did_you_mean(key, _KEYS)} (known: {', '.join(_KEYS)})"
            raise ConfigError(msg)
    usual: dict[str, Any] = {k: settings[k] for k in ("interpolation", "distortion_percent") if k in settings}
    if "like" in settings:
        beside = sorted(set(settings) - {"like", *usual})
        if beside:
            msg = f"grid: like names the whole grid; leave out {', '.join(beside)}"
            raise ConfigError(msg)
        fixed = _like(str(settings["like"]))
        return _choice(fixed.crs, usual, fixed=fixed)
    if "tiling" in settings:
        tiling = _tiling(settings)
        return _choice(tiling.name, usual, tiling=tiling)
    if "tile" in settings:
        beside = sorted(set(settings) - {"tile", "resolution_m", *usual})
        if beside or "resolution_m" not in settings:
            msg = f"grid: a tile needs resolution_m and nothing else of the grid; got {sorted(settings)}"
            raise ConfigError(msg)
        fixed = mgrs_tile(str(settings["tile"]), resolution_m=_resolution(settings, crs="utm") or 0.0)
        return _choice(fixed.crs, usual, fixed=fixed)
    if "crs" not in settings:
        msg = f"grid: expected {_FORMS}; got {sorted(settings)}"
        raise ConfigError(msg)
    crs = _system(settings["crs"])
    return _choice(crs, usual, resolution=_resolution(settings, crs=crs), origin=_origin(settings.get("origin")))


def _choice(
    crs: str,
    usual: Mapping[str, Any],
    *,
    resolution: float | None = None,
    origin: tuple[float, float] | None = None,
    fixed: Grid | None = None,
    tiling: TilingChoice | None = None,
) -> GridChoice:
    distortion = _number(usual.get("distortion_percent", DISTORTION_PERCENT), name="distortion_percent")
    interpolation = cast("Interpolation", usual.get("interpolation", "bilinear"))
    return GridChoice(
        crs=crs, resolution=resolution, origin=origin, fixed=fixed, tiling=tiling, interpolation=interpolation,
        distortion_percent=distortion,
    )  # fmt: skip


def _tiling(settings: Mapping[str, Any]) -> TilingChoice:
    """The tiling of a pipeline file: a name, or ``{file: tiles.geojson}``, whose tiles travel with the pipeline."""
    said = settings["tiling"]
    path = said.get("file") if isinstance(said, Mapping) and set(said) == {"file"} else None
    known = {"tiling", "interpolation", "distortion_percent", "resolution_m", *(("crs",) if path is not None else ())}
    name = MGRS if said == "mgrs" else str(said)
    beside = sorted(set(settings) - (known if path is not None or name == MGRS else known - {"resolution_m"}))
    if beside:
        msg = f"grid: the tiling {said} names the whole grid; leave out {', '.join(beside)}"
        raise ConfigError(msg)
    resolution = _resolution(settings, crs="utm")
    if path is None:
        return TilingChoice(name=name, resolution_m=resolution)
    crs = _system(settings["crs"]) if "crs" in settings else ""
    return TilingChoice(name=FILE, tiles=FileTiles.read(str(path), crs=crs, resolution=resolution).tiles)


def _system(said: object) -> str:
    """``utm``, ``EPSG:<code>`` or WKT of a system in metres or degrees."""
    text = str(said).strip()
    if text.lower() == "utm":
        return "utm"
    if text.isdigit():
        text = f"EPSG:{text}"
    try:
        crs = crs_of(text)
    except SceneError as error:
        raise ConfigError(f"grid: {error}") from error
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    if not (crs.is_projected and units == {"metre"}) and not (crs.is_geographic and units == {"degree"}):
        told = ", ".join(sorted(u or "no unit" for u in units)) or "no axes"
        msg = f"grid: {text[:60]} is in {told}; expected a map in metres, or longitude and latitude in degrees"
        raise ConfigError(msg)
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def _resolution(settings: Mapping[str, Any], *, crs: str) -> float | None:
    degrees = crs != "utm" and crs_of(crs).is_geographic
    name, other = ("resolution_deg", "resolution_m") if degrees else ("resolution_m", "resolution_deg")
    if other in settings:
        msg = f"grid: {crs[:60]} is in {'degrees' if degrees else 'metres'}: give {name}, not {other}"
        raise ConfigError(msg)
    if name not in settings:
        if degrees:
            msg = f"grid: {crs[:60]} is in degrees: give {name}"
            raise ConfigError(msg)
        return None
    value = _number(settings[name], name=name)
    if value <= 0 or (degrees and value > 10.0) or (not degrees and value < _LEAST_M):
        wanted = "degrees above 0 and up to 10" if degrees else f"metres from {_LEAST_M:g}"
        msg = f"grid: {name} must be {wanted}, got {value:g}; is it in another unit?"
        raise ConfigError(msg)
    return value


def _origin(said: object) -> tuple[float, float] | None:
    if said is None:
        return None
    if not isinstance(said, list | tuple) or len(said) != 2:
        msg = f"grid: origin is x and y of a corner of some pixel, got {said!r}"
        raise ConfigError(msg)
    return _number(said[0], name="origin"), _number(said[1], name="origin")


def _number(said: object, *, name: str) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not isfinite(said):
        msg = f"grid: {name} must be a number, got {said!r}"
        raise ConfigError(msg)
    return float(said)


def _like(name: str) -> Grid:
    try:
        from swath.readers.pixels.header import inspect  # noqa: PLC0415  GDAL, where no other setting needs it

        grid = inspect(gdal_href(name)).grid
    except SceneError as error:
        raise ConfigError(f"grid: like: {error}") from error
    if not grid.upright:
        msg = f"grid: like: {name} is turned (transform {grid.transform}); products are on upright grids"
        raise ConfigError(msg)
    return grid
