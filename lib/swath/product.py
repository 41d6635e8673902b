"""What a pipeline makes: encodings, layer specifications, statistics, and the records of published assets."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid
from swath.scene import Band, Scene

#: ``<kind>`` or ``<kind>:<band>``: ``dn:red`` as delivered, ``toa:red``, ``sr:red``, ``bt:lwir11``, ``qa``, ``landcover``.
LayerName = str
Resampling = Literal["average", "nearest", "mode"]
#: Statistics keep a histogram of ``value >> shift`` for this many bits of shift, by width of the type.
HISTOGRAM_SHIFT: Mapping[int, int] = {1: 0, 2: 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One class of a class map or one bit of a bit field.

    Args:
        value: The pixel value (class maps) or the bit number (bit fields).
        name: Machine name (``forest``).
        title: For people.
        rgb: Colour for colour tables and legends, 0..255 each.
    """

    value: int
    name: str
    title: str
    rgb: tuple[int, int, int] = (128, 128, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How physical values become the integers of a file: ``stored = round_half_even(value / scale)``, clamped.

    Args:
        dtype: ``int16``, ``uint16`` or ``uint8``.
        scale: Physical units per count.
        unit: Of the physical value (``1``, ``K``, ``percent``).
        nodata: The stored value of invalid pixels; None when every value is meant.
        lowest: Smallest stored value of a valid pixel.
        highest: Largest stored value of a valid pixel.
        overviews: How overviews are made.
        compression_level: DEFLATE level.
        predictor: 2 for continuous values, 1 for classes and bits.
        categories: Classes of a class map (with colours), empty otherwise.
        bits: Bits of a bit field, empty otherwise.
    """

    dtype: Literal["int16", "uint16", "uint8"]
    scale: float
    unit: str
    nodata: int | None
    lowest: int
    highest: int
    overviews: Resampling
    compression_level: int
    predictor: Literal[1, 2]
    categories: tuple[Category, ...] = ()
    bits: tuple[Category, ...] = ()

    @property
    def histogram_shift(self) -> int:
        """Statistics keep a histogram of ``stored >> shift``; bit fields and 8-bit values keep every value."""
        return 0 if self.bits else HISTOGRAM_SHIFT[np.dtype(self.dtype).itemsize]


#: Reflectance keeps the negative values of dark water (as HLS and FORCE do).
REFLECTANCE = Encoding(
    dtype="int16",
    scale=1e-4,
    unit="1",
    nodata=-9999,
    lowest=-9998,
    highest=32767,
    overviews="average",
    compression_level=1,
    predictor=2,
)
TEMPERATURE = Encoding(
    dtype="uint16",
    scale=0.01,
    unit="K",
    nodata=0,
    lowest=1,
    highest=65535,
    overviews="average",
    compression_level=1,
    predictor=2,
)
PROBABILITY = Encoding(
    dtype="uint8",
    scale=1.0,
    unit="percent",
    nodata=255,
    lowest=0,
    highest=100,
    overviews="average",
    compression_level=1,
    predictor=2,
)


def class_map(categories: tuple[Category, ...]) -> Encoding:
    """The encoding of a class map: uint8, nodata 255, colour table, MODE overviews."""
    return Encoding(
        dtype="uint8",
        scale=1.0,
        unit="1",
        nodata=255,
        lowest=0,
        highest=254,
        overviews="mode",
        compression_level=6,
        predictor=1,
        categories=categories,
    )


def bit_field(bits: tuple[Category, ...]) -> Encoding:
    """The encoding of a bit field: uint16, no nodata value (a bit says so), NEAREST overviews."""
    return Encoding(
        dtype="uint16",
        scale=1.0,
        unit="1",
        nodata=None,
        lowest=0,
        highest=65535,
        overviews="nearest",
        compression_level=6,
        predictor=1,
        bits=bits,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Exact integer sums over the stored values of valid pixels; parts merge in any order to the same result.

    Args:
        count: Pixels looked at.
        valid: Of them valid.
        clamped: Of the valid ones clamped to the encoding's range.
        minimum: Smallest stored value; None when nothing is valid.
        maximum: Largest stored value; None when nothing is valid.
        total: Sum of the stored values.
        squares: Sum of their squares.
        histogram: Pixels by ``stored >> shift`` (``HISTOGRAM_SHIFT``), sparse.
    """

    count: int = 0
    valid: int = 0
    clamped: int = 0
    minimum: int | None = None
    maximum: int | None = None
    total: int = 0
    squares: int = 0
    histogram: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: Self) -> Self:
        """The statistics of both parts together."""
        lows = [v for v in (self.minimum, other.minimum) if v is not None]
        highs = [v for v in (self.maximum, other.maximum) if v is not None]
        bins = dict(self.histogram)
        for key, number in other.histogram.items():
            bins[key] = bins.get(key, 0) + number
        return type(self)(
            count=self.count + other.count,
            valid=self.valid + other.valid,
            clamped=self.clamped + other.clamped,
            minimum=min(lows, default=None),
            maximum=max(highs, default=None),
            total=self.total + other.total,
            squares=self.squares + other.squares,
            histogram=dict(sorted(bins.items())),
        )

    @property
    def mean(self) -> float | None:
        """Mean of the stored values."""
        return self.total / self.valid if self.valid else None

    @property
    def standard_deviation(self) -> float | None:
        """Population standard deviation of the stored values."""
        if not self.valid:
            return None
        # Exact until the last step: integers do not cancel.
        spread = self.squares * self.valid - self.total * self.total
        return float((spread / (self.valid * self.valid)) ** 0.5)


class Tally:
    """Counts every stored value of an asset; all statistics follow exactly from the counts.

    Args:
        encoding: Of the stored values (8 or 16 bits).
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._dtype = np.dtype(encoding.dtype)
        self._counts = np.zeros(1 << (8 * self._dtype.itemsize), dtype=np.int64)
        self._clamped = 0

    def add(self, stored: NDArray[np.integer], *, clamped: int = 0) -> None:
        """Count stored values, (y, x), of which ``clamped`` were clamped to the encoding's range."""
        codes = stored.view(f"u{self._dtype.itemsize}")
        # A few rows at a time: bincount widens its input to 64 bits.
        step = max((1 << 19) // max(codes.shape[1], 1), 1)
        for row in range(0, codes.shape[0], step):
            self._counts += np.bincount(codes[row : row + step].ravel(), minlength=self._counts.size)
        self._clamped += clamped

    def statistics(self) -> Statistics:
        """What was counted so far."""
        present = np.flatnonzero(self._counts)
        values = present.astype(f"u{self._dtype.itemsize}").view(self._dtype).astype(np.int64)
        numbers = self._counts[present]
        count = int(numbers.sum())
        if self._encoding.nodata is not None:
            values, numbers = values[values != self._encoding.nodata], numbers[values != self._encoding.nodata]
        if not values.size:
            return Statistics(count=count, clamped=self._clamped)
        bins: dict[int, int] = {}
        for value, number in sorted(zip(values.tolist(), numbers.tolist(), strict=True)):
            slot = value >> self._encoding.histogram_shift
            bins[slot] = bins.get(slot, 0) + number
        return Statistics(
            count=count,
            valid=int(numbers.sum()),
            clamped=self._clamped,
            minimum=int(values.min()),
            maximum=int(values.max()),
            # Python integers: squares of a full scene's counts pass 2^63.
            total=sum(v * n for v, n in zip(values.tolist(), numbers.tolist(), strict=True)),
            squares=sum(v * v * n for v, n in zip(values.tolist(), numbers.tolist(), strict=True)),
            histogram=bins,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """A model as a product names it: pinned by digest."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRecord:
    """One published file of a product.

    Args:
        name: STAC asset key (``red``, ``landcover``).
        layer: The layer it holds (``sr:red``).
        href: Relative to the item (a file name).
        key: Asset key, hex sha256 (DESIGN section 5).
        bytes: Size of the file.
        digest: Hex sha256 of the file.
        statistics: Over all pixels of level 0.
        model: The model that made it, if one did.
    """

    name: str
    layer: str
    href: str
    key: str
    bytes: int
    digest: str
    statistics: Statistics
    model: ModelRef | None = None

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        plain = asdict(self)
        plain["statistics"]["histogram"] = {str(k): v for k, v in self.statistics.histogram.items()}
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        statistics = {**plain["statistics"], "histogram": {int(k): v for k, v in plain["statistics"]["histogram"].items()}}
        model = ModelRef(**plain["model"]) if plain.get("model") else None
        return cls(**{**plain, "statistics": Statistics(**statistics), "model": model})


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpec:
    """A layer that a step makes.

    Args:
        name: Layer name.
        asset: STAC asset key when a pipeline writes it.
        title: For people.
        grid: The grid it is on.
        encoding: How it is written.
        band: The band it shows, for reflectance and temperature.
        roles: STAC roles.
        model: The model behind it.
    """

    name: LayerName
    asset: str
    title: str
    grid: Grid
    encoding: Encoding
    band: Band | None = None
    roles: tuple[str, ...] = ("data",)
    model: ModelRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedStep:
    """A step as it was applied: enough to apply it again."""

    name: str
    version: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a pipeline made of a scene: everything that its STAC item says.

    Args:
        product_id: ``<scene_id>.<pipeline>``.
        pipeline: Name of the pipeline.
        pipeline_version: Version of the pipeline file's meaning.
        collection: ``<pipeline>-<sensor family>``.
        scene: The scene it was made of.
        layers: Specification of each asset, by asset key.
        assets: The published files.
        left_out: What the pipeline would have written and why it did not, by asset key or layer kind.
        steps: The steps applied, in order.
        code: Version of swath.
        facts: What else went into the result, by step name: the steps' ``Recipe.facts`` (angles, and the atmosphere
            as ``{"atmosphere": {parameter: {"value": ..., "source": ...}}}``).
    """

    product_id: str
    pipeline: str
    pipeline_version: int
    collection: str
    scene: Scene
    layers: Mapping[str, LayerSpec]
    assets: tuple[AssetRecord, ...]
    left_out: Mapping[str, str]
    steps: tuple[AppliedStep, ...]
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
