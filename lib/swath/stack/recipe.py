"""What a composite is to be: reducer, bands, masks, grid and memory, as a pipeline file of composites says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self, get_args

Reducer = Literal["median", "medoid", "geomedian", "best_pixel", "latest", "mean", "percentiles"]
REDUCERS: Final[tuple[str, ...]] = get_args(Reducer)
#: Parts of the score of ``best_pixel``, with their usual weights.
WEIGHTS: Final[Mapping[str, float]] = {"cloud_distance": 1.0, "day_of_year": 0.5, "off_nadir": 0.2, "haze": 0.5}
#: Tilings by name.
TILINGS: Final = ("mgrs", "hls", "landsat-ard")
#: What precedes the path of a file of tiles.
TILES_FILE: Final = "file:"
#: Raised when the pixels of composites by a reducer change; 1 for those that have none.
VERSIONS: Final[Mapping[str, int]] = {"geomedian": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRule:
    """The grid that tiles are cut on.

    Args:
        crs: ``EPSG:<code>`` or WKT; empty for that of the sources, which must then share one grid.
        resolution: Size of a pixel, CRS units; None for that of the sources.
        origin: A corner of pixels and of tiles, CRS units; None for that of the sources, or (0, 0) where ``crs`` is stated.
        tile_px: Side of a tile, a multiple of 512.
        tiling: Name of a tiling (``TILINGS``), or ``TILES_FILE`` and the path of a file; empty for squares of ``tile_px``.
    """

    crs: str = ""
    resolution: float | None = None
    origin: tuple[float, float] | None = None
    tile_px: int = 4096
    tiling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeRecipe:
    """A pipeline of composites.

    Args:
        name: Names products and the collection.
        title: Human-readable title.
        version: Version of the pipeline file's meaning.
        reducer: Reducer that makes one value of many dates.
        bands: Common names; a source without one of them is left out.
        percents: Percentiles, for that reducer.
        flags: Flags of masks whose pixels are not used (``algo.clear.FLAGS``); None: masks are not looked at.
        buffer_m: Margin around clouds, their shadows and cirrus that is not used [m].
        weights: Weights of the score of ``best_pixel``, by part.
        day_of_year: Day that ``best_pixel`` prefers; None for the middle of the period.
        deviations: Whether ``geomedian`` writes its three deviations.
        grid: Grid that tiles are cut on.
        memory_mb: Most memory that the stack of one strip may take in a worker [MiB].
    """

    name: str
    title: str
    version: int
    reducer: Reducer
    bands: tuple[str, ...]
    percents: tuple[float, ...] = ()
    flags: tuple[str, ...] | None = None
    buffer_m: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)
    day_of_year: int | None = None
    deviations: bool = True
    grid: GridRule = field(default_factory=GridRule)
    memory_mb: int = 512

    @property
    def chain(self) -> dict[str, Any]:
        """What of it goes into pixels, JSON-able: neither the grid, which a tile has, nor memory."""
        plain = asdict(self)
        kept = ("reducer", "bands", "percents", "flags", "buffer_m", "weights", "day_of_year")
        return {"composite": VERSIONS.get(self.reducer, 1), **{name: plain[name] for name in kept}}

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        grid = dict(plain["grid"])
        origin = grid.pop("origin", None)
        rule = GridRule(**grid, origin=None if origin is None else (float(origin[0]), float(origin[1])))
        flags = plain.get("flags")
        tuples = {"bands": tuple(plain["bands"]), "percents": tuple(plain["percents"])}
        return cls(**{**plain, **tuples, "flags": None if flags is None else tuple(flags), "grid": rule})
