"""What a pipeline makes: layer specifications and the records of published assets."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from swath.encoding import (
    COUNTS,
    HISTOGRAM_SHIFT,
    PROBABILITY,
    REFLECTANCE,
    TEMPERATURE,
    Category,
    Encoding,
    Resampling,
    bit_field,
    class_map,
)
from swath.grid import Grid
from swath.layer_name import LayerId, LayerName
from swath.scene import Band, Scene
from swath.source_ref import SourceRef
from swath.statistics import Statistics, Tally

# Encodings and statistics are part of what a product says of itself, so they can be had here too.
__all__ = [
    "COREGISTERED",
    "COUNTS",
    "HISTOGRAM_SHIFT",
    "PROBABILITY",
    "REFLECTANCE",
    "TEMPERATURE",
    "AppliedStep",
    "AssetRecord",
    "Category",
    "Encoding",
    "LayerName",
    "LayerSpec",
    "ModelRef",
    "Product",
    "Resampling",
    "Statistics",
    "Tally",
    "bit_field",
    "class_map",
]

#: Position of a scene by what it was co-registered to, among the facts of its product.
COREGISTERED = "coregister"
#: Name of the bit of a bit field that says that there is no data.
NODATA_BIT = "nodata"


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
        key: Asset key, hex sha256 (docs/reliability.md).
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

    def bare(self) -> Self:
        """The record without its statistics, which are most of it."""
        return replace(self, statistics=Statistics())

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        s = self.statistics
        statistics = {name: getattr(s, name) for name in Statistics.__dataclass_fields__}
        statistics["histogram"] = {str(k): v for k, v in s.histogram.items()}
        return {
            "name": self.name, "layer": self.layer, "href": self.href, "key": self.key, "bytes": self.bytes,
            "digest": self.digest, "statistics": statistics, "model": asdict(self.model) if self.model is not None else None,
        }  # fmt: skip

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
        title: Human-readable title.
        grid: The grid it is on.
        encoding: Encoding of the file.
        band: The band it shows, for reflectance and temperature.
        roles: STAC roles.
        model: The model behind it.
        accuracy: Note on the asset's accuracy; empty if there is none. Not part of any key.
    """

    name: LayerName
    asset: str
    title: str
    grid: Grid
    encoding: Encoding
    band: Band | None = None
    roles: tuple[str, ...] = ("data",)
    model: ModelRef | None = None
    accuracy: str = ""

    @property
    def layer(self) -> LayerName:
        """Its name as steps know it, whatever grid it came onto."""
        return LayerId.of(self.name).delivered


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
        grid: The grid of the product.
        layers: Specification of each asset, by asset key.
        assets: The published files.
        left_out: Reasons why parts of the pipeline were not written, by asset key or layer kind.
        steps: The steps applied, in order.
        code: Version of swath.
        facts: Scene facts that entered the result, by step name: the steps' ``Recipe.facts`` (angles, and the atmosphere
            as ``{"atmosphere": {parameter: {"value": ..., "source": ...}}}``).
        checked: Findings of the checks before publishing: ``radiometry`` (the guard's verdict), ``range`` (alarms that the
            pipeline allows, by asset).
    """

    product_id: str
    pipeline: str
    pipeline_version: int
    collection: str
    scene: Scene
    grid: Grid
    layers: Mapping[str, LayerSpec]
    assets: tuple[AssetRecord, ...]
    left_out: Mapping[str, str]
    steps: tuple[AppliedStep, ...]
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    checked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[SourceRef, ...]:
        """What it is made of, in order: of one scene, one source."""
        scene = self.scene
        title, item = f"scene {scene.scene_id}", scene.reader == "stac"
        return (SourceRef(scene_id=scene.scene_id, href=scene.source_href, acquired=scene.acquired, title=title, item=item),)

    @property
    def reduced(self) -> Mapping[str, str]:
        """Assets of reduced accuracy, and why, by name."""
        return {a.name: told for a in self.assets if (told := self.layers[a.name].accuracy)}

    @property
    def counted(self) -> Mapping[str, tuple[Encoding, Statistics]]:
        """Encoding and statistics of each asset, by name."""
        return {a.name: (self.layers[a.name].encoding, a.statistics) for a in self.assets}
